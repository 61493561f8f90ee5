// Many containers, one after another, with one supervisor: nothing of them stays, in it or outside.
// STACK_CYCLES: how many (default 10).

#include "base/text.h"
#include "tests/integration/containers.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

long cycles() {
    const char* text =
        std::getenv("STACK_CYCLES");  // NOLINT(concurrency-mt-unsafe): nobody sets any
    return parse_number<long>(text == nullptr ? "" : text).value_or(10);
}

/// Directories that go meanwhile are not there any more.
template <class Walk>
long count_in(const fs::path& place) {
    std::error_code gone;
    long count = 0;
    for (Walk walk(place, gone); walk != Walk(); walk.increment(gone))
        ++count;
    return count;
}

long lines_in(const fs::path& path) {
    std::ifstream file(path);
    return std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
}

class Endurance : public Containers {
  protected:
    /// What the supervisor and the sandbox hold.
    [[nodiscard]] nlohmann::json holdings() const {
        const fs::path supervisor = "/proc/" + std::to_string(supervisor_pid(stack_, "_single"));
        long groups = 0;
        for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup"))
            for (const auto& group : fs::directory_iterator(hierarchy))
                if (group.path().filename().string().starts_with("stack-"))
                    groups += count_in<fs::recursive_directory_iterator>(group);
        return {{"descriptors", count_in<fs::directory_iterator>(supervisor / "fd")},
                {"mounts", lines_in(supervisor / "mountinfo")},
                {"files", count_in<fs::recursive_directory_iterator>(stack_.root())},
                {"groups", groups},
                {"links", lines_in("/proc/self/net/dev")},
                {"shims", shim_pids().size()}};
    }

    /// The holdings of which there are more than `before`.
    [[nodiscard]] std::string grown(const nlohmann::json& before) const {
        std::string text;
        const auto now = holdings();
        for (const auto& [what, count] : now.items())
            if (count > before.at(what))
                text += what + ": " + before.at(what).dump() + " -> " + count.dump() + "\n";
        return text;
    }

    /// One is run to its end with all that it can have of its own, another is made, kept and
    /// removed.
    void live() const {
        must({"run", "-d", "--rm", "-p", "80", "-v", "/data", "busybox", "true"});
        must({"create", "--name", "made", "-v", "/data", "busybox", "true"});
        must({"rm", "-v", "made"});
        ASSERT_TRUE(eventually([&] {
            return must({"ls", "-a", "--format", "{{.Names}}"}) == "one\n";
        }));
    }
};

TEST_F(Endurance, ManyLivesLeaveNothingToTheirSupervisor) {
    must({"run", "-d", "--name", "one", "--restart", "always", "busybox", "sleep", "100000"});
    live();  // the first makes what all of them share
    const auto before = holdings();
    for (long i = 0; i < cycles() && !HasFailure(); ++i)
        live();
    // What it has seen end goes in its own time.
    EXPECT_TRUE(eventually([&] { return grown(before).empty(); })) << grown(before);
}

}  // namespace
}  // namespace stack::test
