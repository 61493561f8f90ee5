#include "tests/support/command.h"

#include "base/text.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"
#include "tests/support/sandbox.h"

#include <array>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

namespace stack::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long an ended program's output may stay open: a descendant that has it is a leak.
constexpr milliseconds patience_for_output{5000};

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (auto& text : strings)
        list.push_back(text.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment_of(const Command& command) {
    auto variables = sys::environment();
    for (const auto& [name, value] : command.environment)
        variables[name] = value;
    std::vector<std::string> list;
    for (const auto& [name, value] : variables)
        list.push_back(name + "=" + value);
    return list;
}

/// posix_spawn's list of what to do with descriptors, freed at the end.
class FileActions {
  public:
    FileActions() { ::posix_spawn_file_actions_init(&actions_); }

    ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }

    FileActions(const FileActions&) = delete;
    FileActions& operator=(const FileActions&) = delete;

    void place(const sys::Fd& ours, int theirs) {
        ::posix_spawn_file_actions_adddup2(&actions_, ours.get(), theirs);
    }

    void change_directory(const std::string& directory) {
        ::posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
    }

    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

  private:
    posix_spawn_file_actions_t actions_{};
};

struct Running {
    sys::Child child;
    sys::Fd input;
    sys::Fd out;
    sys::Fd err;
};

Running start(const Command& command) {
    auto input = sys::make_pipe();
    auto out = sys::make_pipe();
    auto err = sys::make_pipe();
    FileActions actions;
    actions.place(input.read, 0);
    actions.place(out.write, 1);
    actions.place(err.write, 2);
    if (!command.directory.empty())
        actions.change_directory(command.directory);
    auto words = command.words;
    auto environment = environment_of(command);
    Running running;
    const int error = ::posix_spawnp(&running.child.pid,
                                     words[0].c_str(),
                                     actions.get(),
                                     nullptr,
                                     pointers(words).data(),
                                     pointers(environment).data());
    if (error != 0)
        sys::fail("run " + words[0], error);
    running.child.pidfd = sys::open_process(running.child.pid,
                                            sys::start_time(running.child.pid).value_or(0));
    running.input = std::move(input.write);
    sys::check(::fcntl(running.input.get(), F_SETFL, O_NONBLOCK), "make a pipe non-blocking");
    running.out = std::move(out.read);
    running.err = std::move(err.read);
    return running;
}

/// Passes on what there is; closes at the end.
void take(sys::Fd& from, std::string& to) {
    const std::string piece = sys::read_some(from, 65536);
    to += piece;
    if (piece.empty())
        from.reset();
}

void give(sys::Fd& to, const std::string& input, std::size_t& given) {
    const auto count = ::write(to.get(), input.data() + given, input.size() - given);
    if (count > 0)
        given += static_cast<std::size_t>(count);
    if (count < 0 && errno == EAGAIN)
        return;
    if (count < 0 || given == input.size())
        to.reset();
}

void kill_late(const Running& running, const Command& command, Clock::time_point deadline) {
    if (Clock::now() < deadline || sys::has_ended(running.child.pidfd))
        return;
    ADD_FAILURE() << join(command.words, " ") << ": not done after " << command.deadline.count()
                  << " ms";
    sys::send_signal(running.child.pidfd, SIGKILL);
}

/// Everything it prints, until its output is closed.
void converse(Running& running, const Command& command, Result& result) {
    const auto deadline = Clock::now() + command.deadline;
    std::size_t given = 0;
    if (command.input.empty())
        running.input.reset();
    auto give_up = Clock::time_point::max();
    while (running.out || running.err) {
        if (give_up == Clock::time_point::max() && sys::has_ended(running.child.pidfd))
            give_up = Clock::now() + patience_for_output;
        if (Clock::now() > give_up) {
            ADD_FAILURE() << join(command.words, " ")
                          << ": a process that lives on holds its output open";
            return;
        }
        std::array<pollfd, 3> entries{{{running.out.get(), POLLIN, 0},
                                       {running.err.get(), POLLIN, 0},
                                       {running.input.get(), POLLOUT, 0}}};
        ::poll(entries.data(), entries.size(), 100);
        if (entries[0].revents != 0)
            take(running.out, result.out);
        if (entries[1].revents != 0)
            take(running.err, result.err);
        if (entries[2].revents != 0)
            give(running.input, command.input, given);
        kill_late(running, command, deadline);
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    sys::wait_for_end(running.child.pidfd, std::max(left, milliseconds(0)));
    kill_late(running, command, deadline);
}

}  // namespace

Result run(const Command& command) {
    Running running = start(command);
    Result result;
    converse(running, command, result);
    result.status = sys::wait(running.child);
    return result;
}

Result run(std::vector<std::string> words) {
    Command command;
    command.words = std::move(words);
    return run(command);
}

StackProgram::StackProgram(std::string directory)
    : directory_(directory.empty() ? sandbox_directory() + "/project" : std::move(directory)),
      root_(sandbox_directory() + "/root") {
    sys::ensure_directory(directory_);
    sys::ensure_directory(root_);
}

Result StackProgram::run(std::vector<std::string> arguments,
                         std::map<std::string, std::string> environment,
                         const std::string& input) const {
    Command command;
    command.words = {STACK_BINARY_DIR "/stack", "--root", root_};
    command.words.insert(command.words.end(), arguments.begin(), arguments.end());
    command.environment = std::move(environment);
    // --root comes before it.
    command.environment.emplace("STACK_ROOT", sandbox_directory() + "/elsewhere");
    command.input = input;
    command.directory = directory_;
    return test::run(command);
}

std::string StackProgram::must(std::vector<std::string> arguments) const {
    const Result result = run(arguments);
    EXPECT_EQ(result.status, 0) << "stack " << join(arguments, " ") << "\n"
                                << result.out << result.err;
    return result.out;
}

void StackProgram::write(const std::string& name, const std::string& text) const {
    sys::ensure_directory(sys::parent_path(directory_ + "/" + name));
    sys::replace_volatile_file(directory_ + "/" + name, text, 0644);
}

}  // namespace stack::test
