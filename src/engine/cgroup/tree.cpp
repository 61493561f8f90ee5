#include "engine/cgroup/tree.h"

#include "base/text.h"
#include "sys/file.h"

#include <algorithm>
#include <array>

namespace stack::cgroup {
namespace {

constexpr std::array<const char*, 11> v1_controllers{"memory",
                                                     "pids",
                                                     "cpu",
                                                     "cpuacct",
                                                     "cpuset",
                                                     "freezer",
                                                     "blkio",
                                                     "devices",
                                                     "hugetlb",
                                                     "net_cls",
                                                     "net_prio"};

}  // namespace

Mode find_mode(const std::string& mount) {
    if (sys::exists(mount + "/cgroup.controllers"))
        return Mode::v2;
    if (!sys::is_directory(mount + "/memory") && !sys::is_directory(mount + "/pids"))
        return Mode::none;
    return sys::exists(mount + "/unified/cgroup.procs") ? Mode::hybrid : Mode::v1;
}

Strings find_controllers(const std::string& mount, Mode mode) {
    if (mode == Mode::v2)
        return split_words(sys::read_file(mount + "/cgroup.controllers").value_or(""));
    Strings names;
    for (const auto* name : v1_controllers)
        if (sys::is_directory(mount + "/" + name))
            names.emplace_back(name);
    return names;
}

bool Tree::has(const std::string& controller) const {
    return std::find(controllers_.begin(), controllers_.end(), controller) != controllers_.end();
}

Strings Tree::roots() const {
    if (mode_ == Mode::v2)
        return {mount_};
    Strings list;
    for (const auto& controller : controllers_)
        list.push_back(root(controller));
    if (mode_ == Mode::hybrid)
        list.push_back(mount_ + "/unified");
    return list;
}

std::string Tree::root(const std::string& controller) const {
    return mode_ == Mode::v2 ? mount_ : mount_ + "/" + controller;
}

std::string Tree::v2_directory(const std::string& path) const {
    if (mode_ == Mode::v2)
        return mount_ + "/" + path;
    return mode_ == Mode::hybrid ? mount_ + "/unified/" + path : "";
}

std::string Tree::file(const std::string& controller,
                       const std::string& path,
                       const std::string& name) const {
    return root(controller) + "/" + path + "/" + name;
}

std::uint64_t read_field(const std::string& file, std::string_view name) {
    for (const auto& line : split(sys::read_file(file).value_or(""), '\n')) {
        const auto [key, value] = split_once(line, ' ');
        if (key == name)
            return parse_number<std::uint64_t>(trim(value)).value_or(0);
    }
    return 0;
}

}  // namespace stack::cgroup
