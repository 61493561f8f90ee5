#include "base/failpoint.h"

#include <stack/error.h>

#include "base/text.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include <sys/file.h>

namespace stack {
namespace {

struct Armed {
    int at_hit = 1;
    std::string mode;
};

std::map<std::string, Armed, std::less<>> armed_failpoints() {
    std::map<std::string, Armed, std::less<>> armed;
    const char* text = std::getenv("STACK_FAILPOINTS");
    for (const auto& entry : split(text == nullptr ? "" : text, ',')) {
        auto [place, mode] = split_once(entry, '=');
        auto [name, hit] = split_once(place, '#');
        if (!name.empty())
            armed[name] = {parse_number<int>(hit).value_or(1), mode};
    }
    return armed;
}

/// The hits of this process.
int count_here(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, int, std::less<>> hits;
    const std::scoped_lock lock(mutex);
    return ++hits[name];
}

/// The hits of all the processes that share the log, this one recorded.
int count_in(std::FILE* log, const std::string& name) {
    ::flock(::fileno(log), LOCK_EX);
    std::fprintf(log, "%s\n", name.c_str());
    std::fflush(log);
    std::rewind(log);
    int hits = 0;
    std::string line;
    for (int c = std::fgetc(log); c != EOF; c = std::fgetc(log)) {
        if (c != '\n') {
            line += static_cast<char>(c);
            continue;
        }
        hits += line == name ? 1 : 0;
        line.clear();
    }
    return hits;
}

int count(const std::string& name) {
    const char* file = std::getenv("STACK_FAILPOINT_LOG");
    std::FILE* log = file == nullptr ? nullptr : std::fopen(file, "a+e");
    if (log == nullptr)
        return count_here(name);
    const int hits = count_in(log, name);
    std::fclose(log);
    return hits;
}

}  // namespace

void failpoint(const char* name) {
    static const auto armed = armed_failpoints();
    const int hit = count(name);
    const auto found = armed.find(name);
    if (found == armed.end() || hit != found->second.at_hit)
        return;
    const auto [kind, argument] = split_once(found->second.mode, ':');
    if (kind == "kill") {
        std::raise(SIGKILL);
    } else if (kind == "delay") {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(parse_number<int>(argument).value_or(0)));
    } else if (kind == "error") {
        const std::error_code code(parse_number<int>(argument).value_or(5),
                                   std::generic_category());
        throw Error(code, std::string("failpoint ") + name + ": " + code.message());
    } else if (kind == "memory") {
        throw std::bad_alloc();
    }
}

}  // namespace stack
