// Numbers of processes are given again when these have ended. Who has one of ours by then is a
// stranger: nothing of what was meant for ours reaches it.

#include "tests/integration/containers.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

namespace stack::test {
namespace {

/// Processes that have nothing to do with us, with the numbers that were asked for.
class Strangers {
  public:
    explicit Strangers(const std::set<int>& numbers) {
        for (const int number : numbers)
            take(number);
    }

    Strangers(const Strangers&) = delete;
    Strangers& operator=(const Strangers&) = delete;

    ~Strangers() {
        for (const int pid : pids_) {
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
    }

    [[nodiscard]] std::size_t count() const { return pids_.size(); }

    [[nodiscard]] bool are_well() const {
        return std::all_of(pids_.begin(), pids_.end(), [](int pid) {
            return ::waitpid(pid, nullptr, WNOHANG) == 0;
        });
    }

  private:
    /// Somebody else may get the number that the kernel is told to give next.
    void take(int number) {
        constexpr int tries = 100;
        for (int i = 0; i < tries; ++i) {
            std::ofstream("/proc/sys/kernel/ns_last_pid") << number - 1;
            const int pid = ::fork();
            if (pid == 0) {
                ::execlp("sleep", "sleep", "1000", nullptr);
                ::_exit(1);
            }
            if (pid == number) {
                pids_.push_back(pid);
                return;
            }
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
        }
    }

    std::vector<int> pids_;
};

/// kill -9 of all of them, until none is left. Their numbers.
std::set<int> kill_all(const std::vector<std::string>& programs) {
    std::set<int> killed;
    const bool are_gone = eventually([&] {
        bool is_over = true;
        for (const auto& program : programs)
            for (const auto& text : pids_of(program)) {
                const int pid = std::stoi(text);
                killed.insert(pid);
                ::kill(pid, SIGKILL);
                is_over = false;
            }
        return is_over && std::none_of(killed.begin(), killed.end(), [](int pid) {
                   return ::kill(pid, 0) == 0;  // nobody has waited for it yet
               });
    });
    EXPECT_TRUE(are_gone);
    return killed;
}

class PidReuse : public Containers {};

TEST_F(PidReuse, OfAContainerWithoutAStackHarmsNobody) {
    must({"run", "-d", "--name", "mine", "busybox", "sleep", "1000"});
    const auto numbers = kill_all({"stack-shim", "sleep"});
    ASSERT_EQ(numbers.size(), 2U);
    const Strangers strangers(numbers);
    ASSERT_EQ(strangers.count(), numbers.size());
    EXPECT_EQ(seen("mine")["State"], "exited");
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"kill", "mine"}, {"stop", "mine"}, {"exec", "mine", "true"}})
        static_cast<void>(con(words));
    EXPECT_TRUE(strangers.are_well());
    must({"start", "mine"});
    EXPECT_EQ(seen("mine")["State"], "running");
    must({"rm", "-f", "mine"});
    EXPECT_TRUE(strangers.are_well());
}

TEST_F(PidReuse, OfAllThatIsOursHarmsNobody) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {image: busybox, command: sleep 1000, init: true, restart: always}
  db: {image: busybox, command: sleep 1000, stop_signal: SIGKILL}
)");
    for (const std::vector<std::string>& next :
         {std::vector<std::string>{"up", "-d"}, {"kill"}, {"down", "-t", "0"}}) {
        stack_.must({"up", "-d"});
        const auto numbers = kill_all({"stack", "stack-shim", "stack-dns", "sleep"});
        const Strangers strangers(numbers);
        ASSERT_EQ(strangers.count(), numbers.size());
        ASSERT_GE(numbers.size(), 6U);
        for (const auto& one : containers(stack_))
            EXPECT_NE(one["State"], "running");
        stack_.must(next);
        EXPECT_TRUE(strangers.are_well()) << next.front();
        if (next.front() == "up") {
            EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
        }
        stack_.must({"down", "-t", "0"});
        EXPECT_TRUE(strangers.are_well()) << next.front();
    }
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
}

}  // namespace
}  // namespace stack::test
