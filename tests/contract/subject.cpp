#include "tests/contract/subject.h"

#include "engine/engine.h"
#include "tests/integration/world.h"
#include "tests/support/fake_engine.h"

#include <chrono>
#include <csignal>
#include <cstdlib>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace stack::test {
namespace {

Healthcheck check_with(int status) {
    Healthcheck check;
    check.test = {"CMD-SHELL", "exit " + std::to_string(status)};
    return check;
}

class FakeSubject final : public Subject {
  public:
    FakeSubject() {
        fake_.world().images.push_back({.reference = "busybox", .id = "sha256:busybox"});
    }

    [[nodiscard]] Engine& engine() override { return fake_; }

    [[nodiscard]] bool turn_until(const std::function<bool()>& reached) override {
        fake_.run_pending();
        return reached();
    }

    void kill_behind_its_back(const ObservedContainer& container) override {
        constexpr int killed = 128 + SIGKILL;
        fake_.crash(container.name, killed);
    }

    bool kill_name_service() override { return false; }

    [[nodiscard]] Healthcheck check_that_exits(const std::string& container, int status) override {
        fake_.answer_probes(container, {.exit_code = status});
        return check_with(status);
    }

  private:
    // One look after another must be told apart by its time.
    Time now_{};
    FakeEngine fake_{[this] { return now_ += std::chrono::seconds(1); }};
};

class RealSubject final : public Subject {
  public:
    RealSubject() {
        ::setenv("STACK_LIBEXEC", STACK_BINARY_DIR, 1);  // where the helpers are
        import_busybox(program_);
        engine_ = engine::make_engine(loop_, paths_for(program_.root()));
    }

    ~RealSubject() override {
        static_cast<void>(program_.run({"-p", "shop", "down", "-v", "-t", "1"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(program_, "shop") == 0; }));
        expect_nothing_left(program_);
    }

    [[nodiscard]] Engine& engine() override { return *engine_; }

    [[nodiscard]] bool turn_until(const std::function<bool()>& reached) override {
        constexpr std::chrono::seconds patience{30};
        const auto deadline = std::chrono::steady_clock::now() + patience;
        while (!reached() && std::chrono::steady_clock::now() < deadline) {
            loop_.restart();
            loop_.run_one_for(std::chrono::milliseconds(50));
        }
        return reached();
    }

    void kill_behind_its_back(const ObservedContainer& container) override {
        ::kill(container.pid, SIGKILL);
    }

    bool kill_name_service() override {
        const auto pids = pids_of("stack-dns");
        for (const auto& pid : pids)
            ::kill(std::stoi(pid), SIGKILL);
        return !pids.empty();
    }

    [[nodiscard]] Healthcheck check_that_exits(const std::string& /*container*/,
                                               int status) override {
        return check_with(status);
    }

  private:
    StackProgram program_;
    boost::asio::io_context loop_;
    std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<Subject> make_fake_subject() {
    return std::make_unique<FakeSubject>();
}

std::unique_ptr<Subject> make_real_subject() {
    return std::make_unique<RealSubject>();
}

}  // namespace stack::test
