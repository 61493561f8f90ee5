#include "tests/probe/facts.h"

#include <charconv>
#include <cstdint>
#include <set>

#include <fcntl.h>
#include <unistd.h>

namespace stack::probe {
namespace {

int number_of(const std::string& name) {
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    return number;
}

std::uint64_t permitted(const std::string& process) {
    const std::string status = read_file("/proc/" + process + "/status");
    const std::string field = "\nCapPrm:\t";
    const auto at = status.find(field);
    std::uint64_t rights = 0;
    if (at != std::string::npos) {
        constexpr int hexadecimal = 16;
        const char* begin = status.data() + at + field.size();
        std::from_chars(begin, status.data() + status.size(), rights, hexadecimal);
    }
    return rights;
}

bool has_more_rights(const std::string& process) {
    static const std::uint64_t own = permitted("self");
    return (permitted(process) & ~own) != 0;
}

class Watcher {
  public:
    /// That a link below /proc/PID can be read is what ptrace(2) asks for, too (PTRACE_MODE_READ):
    /// whose program is known could have been taken over.
    void look_at(const std::string& process) {
        const std::string place = "/proc/" + process;
        const std::string program = link_target(place + "/exe");
        if (!program.empty())
            tell("program " + program);
        if (!program.empty() && has_more_rights(process))
            tell("rights beyond those of " + program);
        constexpr int first_of_its_own = 3;
        for (const auto& name : names_in(place + "/fd"))
            if (number_of(name) >= first_of_its_own)
                if (const auto target = link_target(place + "/fd/" + name); !target.empty())
                    tell("descriptor " + target);
        const int fd = ::open((place + "/exe").c_str(), O_WRONLY | O_CLOEXEC);
        if (fd >= 0)
            tell("written to " + program);
        ::close(fd);
    }

  private:
    void tell(const std::string& fact) {
        if (!told_.insert(fact).second)
            return;
        const std::string line = fact + "\n";
        [[maybe_unused]] const auto ignored = ::write(STDOUT_FILENO, line.data(), line.size());
    }

    std::set<std::string> told_;
};

}  // namespace

void watch() {
    Watcher watcher;
    for (;;)
        for (const auto& name : names_in("/proc"))
            if (const int process = number_of(name); process > 0 && process != ::getpid())
                watcher.look_at(name);
}

}  // namespace stack::probe
