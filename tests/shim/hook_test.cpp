#include "shim/hook.h"

#include <gtest/gtest.h>

namespace stack::shim {
namespace {

HookSpec shell(const std::string& script, std::uint32_t timeout = 0) {
    return {"/bin/sh", {"sh", "-c", script}, {"WORD=hush"}, timeout};
}

/// "" where it succeeded, else what is said of it.
std::string problem_of(const HookSpec& hook, const std::function<void()>& prepare = {}) {
    BundleSpec bundle;
    bundle.state_head = "{\"status\":\"";
    bundle.state_tail = "}";
    std::string problem;
    return run_hook(hook, hook_state(bundle, "creating", 7), prepare, problem) ? "" : problem;
}

TEST(Hook, ReadsTheStateAndHasItsEnvironmentOnly) {
    EXPECT_EQ(problem_of(shell("read state && test \"$state\" = "
                               "'{\"status\":\"creating\",\"pid\":7}'")),
              "hook /bin/sh: ended with status 1");  // no end of line
    EXPECT_EQ(problem_of(shell("read state; test \"$state\" = "
                               "'{\"status\":\"creating\",\"pid\":7}'")),
              "");
    EXPECT_EQ(problem_of(shell("test $WORD = hush -a -z \"$HOME\"")), "");
}

TEST(Hook, SaysHowItFailed) {
    EXPECT_EQ(problem_of(shell("exit 3")), "hook /bin/sh: ended with status 3");
    EXPECT_EQ(problem_of(shell("kill -9 $$")), "hook /bin/sh: ended by signal 9");
    EXPECT_EQ(problem_of(shell("exec sleep 100", 1)), "hook /bin/sh: not done after 1 s");
    EXPECT_EQ(problem_of({"/no/such/program", {}, {}, 0}),
              "hook /no/such/program: ended with status 127");
}

TEST(Hook, IsPreparedInItsOwnProcess) {
    bool is_here = false;
    EXPECT_EQ(problem_of(shell("exit 4"), [&] { is_here = true; }),
              "hook /bin/sh: ended with status 4");
    EXPECT_FALSE(is_here);
}

}  // namespace
}  // namespace stack::shim
