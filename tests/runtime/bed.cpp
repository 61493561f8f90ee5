#include "tests/runtime/bed.h"

#include "base/random.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/netlink.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <chrono>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::test {
namespace {

constexpr int longest_ms = 30'000;

/// The test program leaves the machine's network and mount namespaces once, before the first
/// container.
void enter_own_namespaces() {
    static const bool entered = [] {
        ::setenv("STACK_LIBEXEC", STACK_BINARY_DIR, 1);
        sys::check(::unshare(CLONE_NEWNET | CLONE_NEWNS), "make namespaces for the test");
        sys::check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr),
                   "make mounts private");
        sys::RouteSocket links;
        links.set_up(links.find_link("lo")->index);
        return true;
    }();
    static_cast<void>(entered);
}

Strings links() {
    Strings names;
    struct if_nameindex* list = ::if_nameindex();
    for (const auto* link = list; link != nullptr && link->if_index != 0; ++link)
        names.emplace_back(link->if_name);
    ::if_freenameindex(list);
    return names;
}

}  // namespace

Service script(const std::string& text) {
    Service service;
    service.name = "web";
    service.command = Strings{"sh", "-c", text};
    service.network_mode = "none";
    return service;
}

Bed::Bed()
    : directory_("/var/tmp/stack-runtime-test-" + random_hex(8)),
      paths(paths_for(directory_ + "/root")),
      networks(paths),
      runtime(paths, cgroups, networks) {
    enter_own_namespaces();
    make_image();
}

Bed::~Bed() {
    for (const auto& id : runtime.list())
        take_away(id);
    EXPECT_EQ(leftovers(), "");
    sys::remove_tree(directory_);
    cgroups.remove("stack-" + paths.instance);
}

void Bed::make_image() const {
    for (const auto* name : {"bin", "etc", "tmp", "root", "srv"})
        sys::ensure_directory(image() + "/" + name);
    sys::replace_file(image() + "/bin/busybox", *sys::read_file("/bin/busybox"), 0755);
    for (const auto* name :
         {"sh",       "cat",    "echo",  "ls",     "id",   "env",    "pwd",  "stat",
          "true",     "sleep",  "wc",    "seq",    "grep", "head",   "tty",  "kill",
          "mount",    "nc",     "mkdir", "mknod",  "dd",   "touch",  "tail", "hostname",
          "readlink", "ulimit", "tr",    "printf", "sort", "unshare"})
        sys::check(::symlink("busybox", (image() + "/bin/" + name).c_str()), name);
    sys::replace_file(image() + "/etc/passwd",
                      "root:x:0:0:root:/root:/bin/sh\nweb:x:500:600::/srv:/bin/sh\n",
                      0644);
    sys::replace_file(image() + "/etc/group", "root:x:0:\nstaff:x:601:web\n", 0644);
}

std::string Bed::create(const Service& service) {
    ContainerSpec spec;
    spec.name =
        service.container_name.empty() ? "c" + std::to_string(++count_) : service.container_name;
    spec.service = service;
    spec.image = "busybox";
    spec.secrets = secrets;
    return runtime.create(spec, {"sha256:busybox", image_config, {image()}}, mounted);
}

void Bed::start(const std::string& id) {
    const auto starting = runtime.start(id);
    runtime.finish_start(starting, sys::read_all(starting.status));
}

ObservedContainer Bed::wait(const std::string& id) {
    if (const auto end = runtime.watch(id)) {
        pollfd entry{end->get(), POLLIN, 0};
        EXPECT_EQ(::poll(&entry, 1, longest_ms), 1) << "container " << id << " does not end";
    }
    runtime.settle(id);
    return runtime.observe(id).value_or(ObservedContainer{});
}

void Bed::take_away(const std::string& id) {
    if (const auto runs = runtime.watch(id)) {
        runtime.kill(id);
        constexpr std::chrono::seconds patience{10};
        sys::wait_for_end(*runs, patience);
    }
    runtime.remove(id, true);
}

ObservedContainer Bed::run(const Service& service) {
    const std::string id = create(service);
    start(id);
    return wait(id);
}

std::string Bed::output(const std::string& id) const {
    std::string text;
    for (const auto& line : split(sys::read_file(runtime.log_path(id)).value_or(""), '\n')) {
        constexpr std::size_t head =
            std::string_view("2026-01-02T03:04:05.678901234Z stdout F ").size();
        if (line.size() < head)
            continue;
        text += line.substr(head);
        if (line[head - 2] == 'F')
            text += '\n';
    }
    return text;
}

void Bed::await_output(const std::string& id, const std::string& text) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(longest_ms);
    while (output(id).find(text) == std::string::npos) {
        ASSERT_LT(std::chrono::steady_clock::now(), until) << "printed: " << output(id);
        ::poll(nullptr, 0, 2);
    }
}

std::string Bed::output_of(const Service& service) {
    const std::string id = create(service);
    start(id);
    EXPECT_EQ(wait(id).exit.code, 0) << output(id);
    return output(id);
}

Told Bed::exec(const std::string& id, const runtime::ExecOptions& options) {
    const auto probe = runtime.probe(id, options);
    Told told;
    told.output = sys::read_all(probe.output);
    told.status = sys::wait(probe.helper);
    return told;
}

std::string Bed::leftovers() const {
    std::string found;
    for (const auto& group : cgroups.children("stack-" + paths.instance))
        found += "cgroup " + group + "\n";
    for (const auto& link : links())
        if (link != "lo")
            found += "link " + link + "\n";
    for (const auto& line : split(sys::read_file("/proc/self/mountinfo").value_or(""), '\n'))
        if (line.find(directory_) != std::string::npos)
            found += "mount " + line + "\n";
    for (const auto* place : {"/containers", "/networks/ports"})
        for (const auto& root : {paths.state, paths.run})
            for (const auto& name : sys::list_directory(root + place))
                if (!name.starts_with("."))
                    found += "file " + root + place + "/" + name + "\n";
    return found;
}

}  // namespace stack::test
