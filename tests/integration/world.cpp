#include "tests/integration/world.h"

#include "tests/support/sandbox.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <poll.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

/// The control groups below the roots of this sandbox's hierarchies.
std::vector<fs::path> control_groups() {
    std::vector<fs::path> groups;
    for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup"))
        for (const auto& group : fs::directory_iterator(hierarchy.path()))
            if (group.is_directory())
                groups.push_back(group.path());
    return groups;
}

/// What a process was started as, without its directory; empty where it has ended. Of a shim
/// neither its name nor its program's path says what it is.
std::string program_of(const fs::path& process) {
    std::ifstream file(process / "cmdline");
    std::string first;
    std::getline(file, first, '\0');
    return fs::path(first).filename();
}

/// Its command line.
std::string words_of(const fs::path& process) {
    std::ifstream file(process / "cmdline");
    std::string words{std::istreambuf_iterator<char>(file), {}};
    std::replace(words.begin(), words.end(), '\0', ' ');
    return words;
}

std::string find_process() {
    for (const auto& entry : fs::directory_iterator("/proc"))
        if (const auto program = program_of(entry.path()); program.starts_with("stack"))
            return entry.path().string() + " " + program + ": " + words_of(entry.path());
    return "";
}

/// A lock, or the empty place where things are made or removed.
bool is_frame(const fs::path& path) {
    const auto name = path.filename().string();
    return name.find("lock") != std::string::npos || (name.starts_with(".") && fs::is_empty(path));
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        if (!line.empty())
            lines.push_back(line);
    return lines;
}

}  // namespace

void make_busybox_root(const std::string& root_path) {
    const fs::path root = root_path;
    for (const auto* directory : {"bin", "etc", "dev", "proc", "sys", "tmp", "root", "var"})
        fs::create_directories(root / directory);
    fs::copy_file("/bin/busybox", root / "bin/busybox");
    std::istringstream names(run({"/bin/busybox", "--list"}).out);
    for (std::string name; std::getline(names, name);)
        if (name != "busybox")
            fs::create_hard_link(root / "bin/busybox", root / "bin" / name);
    std::ofstream(root / "etc/passwd")
        << "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
    std::ofstream(root / "etc/group") << "root:x:0:\nnogroup:x:65534:\n";
}

void import_busybox(const StackProgram& stack) {
    const fs::path directory = fs::path(sandbox_directory()) / "busybox";
    if (fs::exists(directory))
        return;  // by an earlier test of this process: images outlive stacks
    make_busybox_root((directory / "root").string());
    ASSERT_EQ(run({"tar", "-C", directory / "root", "-cf", directory / "root.tar", "."}).status, 0);
    stack.must({"image",
                "import",
                "tar:" + (directory / "root.tar").string(),
                "busybox",
                "-c",
                R"(CMD ["sh"])"});
}

void import_probed(const StackProgram& stack) {
    const fs::path root = fs::path(sandbox_directory()) / "probed";
    if (fs::exists(root))
        return;
    make_busybox_root(root.string());
    fs::copy_file(STACK_BINARY_DIR "/stack-probe", root / "probe");
    stack.must({"image", "import", "rootfs:" + root.string(), "probed"});
}

std::vector<nlohmann::json> containers(const StackProgram& stack) {
    std::vector<nlohmann::json> list;
    for (const auto& line : lines_of(stack.must({"ps", "-a", "--format", "json"})))
        list.push_back(nlohmann::json::parse(line));
    return list;
}

nlohmann::json container(const StackProgram& stack, const std::string& service) {
    for (auto& one : containers(stack))
        if (one["Service"] == service)
            return one;
    ADD_FAILURE() << "there is no container of service " << service;
    return nlohmann::json::object();
}

bool eventually(const std::function<bool()>& holds) {
    constexpr std::chrono::seconds patience{30};
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline)
            return false;
        ::poll(nullptr, 0, 50);
    }
    return true;
}

std::string fetch(const std::string& url) {
    return run({"curl", "--silent", "--max-time", "5", url}).out;
}

int supervisor_pid(const StackProgram& stack, const std::string& project) {
    std::ifstream file(stack.root() + "/run/projects/" + project + "/supervisor.pid");
    int pid = 0;
    file >> pid;
    return pid;
}

std::vector<std::string> pids_of(const std::string& name) {
    std::vector<std::string> pids;
    for (const auto& entry : fs::directory_iterator("/proc"))
        if (program_of(entry.path()) == name)
            pids.push_back(entry.path().filename());
    return pids;
}

std::vector<std::string> shim_pids() {
    return pids_of("stack-shim");
}

void expect_nothing_left(const StackProgram& stack) {
    // A supervisor that has told `down` of its end is a moment from it.
    EXPECT_TRUE(eventually([] { return find_process().empty(); }))
        << "process " << find_process() << " is left";
    for (const auto& line : lines_of(run({"ip", "-o", "link"}).out))
        for (const auto* mark : {"stk", "stv", "alias stack:"})
            EXPECT_EQ(line.find(mark), std::string::npos) << "a link is left: " << line;
    EXPECT_EQ(run({"nft", "list", "tables"}).out.find("stack"), std::string::npos)
        << "rules are left";
    for (const auto& group : control_groups())
        EXPECT_EQ(group.filename().string().find("stack-"), std::string::npos) << "left: " << group;
    EXPECT_EQ(run({"findmnt", "-t", "overlay", "-n"}).out, "") << "a mount is left";
    for (const auto* place : {"/containers",
                              "/run/containers",
                              "/run/projects",
                              "/networks",
                              "/run/networks/ports",
                              "/run/steps",
                              "/run/build"}) {
        const fs::path directory = stack.root() + place;
        if (!fs::exists(directory))
            continue;
        for (const auto& entry : fs::directory_iterator(directory))
            EXPECT_TRUE(is_frame(entry.path())) << "left: " << entry.path();
    }
}

}  // namespace stack::test
