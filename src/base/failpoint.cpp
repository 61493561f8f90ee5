#include "base/failpoint.h"

#include <stack/error.h>

#include "base/text.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <thread>

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

void record(const char* name) {
    const char* file = std::getenv("STACK_FAILPOINT_LOG");
    if (file == nullptr)
        return;
    if (std::FILE* log = std::fopen(file, "ae")) {
        std::fprintf(log, "%s\n", name);
        std::fclose(log);
    }
}

}  // namespace

void failpoint(const char* name) {
    static const auto armed = armed_failpoints();
    static std::map<std::string, int, std::less<>> hits;
    record(name);
    const auto found = armed.find(name);
    if (found == armed.end() || ++hits[name] != found->second.at_hit)
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
    }
}

}  // namespace stack
