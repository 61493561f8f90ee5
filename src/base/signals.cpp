#include "base/signals.h"

#include "base/text.h"

#include <array>
#include <csignal>
#include <utility>

namespace stack {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 31> names{{
    {"hup", SIGHUP},   {"int", SIGINT},       {"quit", SIGQUIT}, {"ill", SIGILL},
    {"trap", SIGTRAP}, {"abrt", SIGABRT},     {"bus", SIGBUS},   {"fpe", SIGFPE},
    {"kill", SIGKILL}, {"usr1", SIGUSR1},     {"segv", SIGSEGV}, {"usr2", SIGUSR2},
    {"pipe", SIGPIPE}, {"alrm", SIGALRM},     {"term", SIGTERM}, {"stkflt", SIGSTKFLT},
    {"chld", SIGCHLD}, {"cont", SIGCONT},     {"stop", SIGSTOP}, {"tstp", SIGTSTP},
    {"ttin", SIGTTIN}, {"ttou", SIGTTOU},     {"urg", SIGURG},   {"xcpu", SIGXCPU},
    {"xfsz", SIGXFSZ}, {"vtalrm", SIGVTALRM}, {"prof", SIGPROF}, {"winch", SIGWINCH},
    {"io", SIGIO},     {"pwr", SIGPWR},       {"sys", SIGSYS},
}};

// The kernel's numbers: libc keeps two of them for itself, so its SIGRTMIN is not what the other
// side sees.
constexpr int first_real_time = 34;
constexpr int last_real_time = 64;

std::optional<int> in_range(std::optional<int> number, int low, int high) {
    if (!number || *number < low || *number > high)
        return std::nullopt;
    return number;
}

}  // namespace

std::optional<int> parse_signal(std::string_view text) {
    if (!text.empty() && text[0] >= '0' && text[0] <= '9')
        return in_range(parse_number<int>(text), 1, last_real_time);
    std::string name = to_lower(text);
    if (name.starts_with("sig"))
        name.erase(0, 3);
    for (const auto& [known, number] : names)
        if (known == name)
            return number;
    if (name == "rtmin")
        return first_real_time;
    if (name == "rtmax")
        return last_real_time;
    if (name.starts_with("rtmin+"))
        return in_range(first_real_time + parse_number<int>(name.substr(6)).value_or(-99),
                        first_real_time,
                        last_real_time);
    if (name.starts_with("rtmax-"))
        return in_range(last_real_time - parse_number<int>(name.substr(6)).value_or(-99),
                        first_real_time,
                        last_real_time);
    return std::nullopt;
}

std::string signal_name(int signal) {
    for (const auto& [name, number] : names) {
        if (number == signal) {
            std::string text = "SIG";
            for (const char c : name)
                text += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
            return text;
        }
    }
    return "SIG" + std::to_string(signal);
}

}  // namespace stack
