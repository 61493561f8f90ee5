#include "tests/probe/facts.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

extern char** environ;

namespace stack::probe {
namespace {

/// pipe:[4711] is a pipe.
std::string kind_of(const std::string& target) {
    const auto colon = target.find(":[");
    return colon == std::string::npos ? target : target.substr(0, colon);
}

std::string access_of(int fd) {
    switch (::fcntl(fd, F_GETFL) & O_ACCMODE) {
        case O_RDONLY:
            return "read";
        case O_WRONLY:
            return "write";
        default:
            return "read and write";
    }
}

void tell_descriptors(Facts& facts) {
    DIR* directory = ::opendir("/proc/self/fd");
    if (directory == nullptr) {
        facts.push_back("descriptors: /proc/self/fd is not there");
        return;
    }
    std::vector<int> descriptors;
    while (const dirent* entry = ::readdir(directory)) {
        const std::string name = entry->d_name;
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        if (fd >= 0 && fd != ::dirfd(directory))
            descriptors.push_back(fd);
    }
    std::sort(descriptors.begin(), descriptors.end());
    for (const int fd : descriptors)
        facts.push_back("descriptor " + std::to_string(fd) + ": " +
                        kind_of(link_target("/proc/self/fd/" + std::to_string(fd))) + ", " +
                        access_of(fd));
    ::closedir(directory);
}

/// The numbers of signals in a mask of /proc/self/status.
std::string signals_of(const std::string& field) {
    const std::string digits = status_field(field);
    std::uint64_t mask = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), mask, 16);
    std::string list;
    for (int signal = 1; signal <= 64; ++signal)
        if ((mask >> static_cast<unsigned int>(signal - 1) & 1U) != 0)
            list += (list.empty() ? "" : " ") + std::to_string(signal);
    return list.empty() ? "none" : list;
}

std::string terminal() {
    const int fd = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return errno == ENXIO ? "none" : outcome(errno);
    ::close(fd);
    return "its own";
}

std::string variables() {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        names.push_back(text.substr(0, text.find('=')));
    }
    std::sort(names.begin(), names.end());
    std::string list;
    for (const auto& name : names)
        list += (list.empty() ? "" : " ") + name;
    return list;
}

}  // namespace

void tell_process(Facts& facts) {
    tell_descriptors(facts);
    const auto yes_or_no = [](bool holds) { return std::string(holds ? "yes" : "no"); };
    facts.push_back("first process: " + yes_or_no(::getpid() == 1));
    facts.push_back("parent: " + std::string(::getppid() == 0   ? "out of sight"
                                             : ::getppid() == 1 ? "the first process"
                                                                : "another"));
    facts.push_back("leads its session: " + yes_or_no(::getsid(0) == ::getpid()));
    facts.push_back("leads its group: " + yes_or_no(::getpgid(0) == ::getpid()));
    facts.push_back("terminal: " + terminal());
    facts.push_back("signals blocked: " + signals_of("SigBlk"));
    facts.push_back("signals ignored: " + signals_of("SigIgn"));
    int signal = 0;
    ::prctl(PR_GET_PDEATHSIG, &signal, 0, 0, 0);
    facts.push_back("signal of its parent's death: " +
                    (signal == 0 ? "none" : std::to_string(signal)));
    facts.push_back("dumpable: " + yes_or_no(::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1));
    std::array<char, 4096> directory{};
    facts.push_back("working directory: " +
                    std::string(::getcwd(directory.data(), directory.size()) == nullptr
                                    ? "none"
                                    : directory.data()));
    facts.push_back("variables: " + variables());
}

}  // namespace stack::probe
