#include "tests/support/failpoints.h"

#include "tests/support/sandbox.h"

#include <cerrno>
#include <fstream>

namespace stack::test {

Failpoints::Failpoints(const std::string& name) : log_(sandbox_directory() + "/" + name + ".log") {
    std::ofstream(log_, std::ios::trunc).close();
}

std::map<std::string, std::string> Failpoints::counting() const {
    return {{"STACK_FAILPOINT_LOG", log_}};
}

std::map<std::string, std::string> Failpoints::killing(const std::string& failpoint,
                                                       int hit) const {
    return armed(failpoint, hit, "kill");
}

std::map<std::string, std::string> Failpoints::failing(const std::string& failpoint,
                                                       int hit) const {
    return armed(failpoint, hit, "error:" + std::to_string(EIO));
}

std::map<std::string, std::string> Failpoints::delaying(const std::string& failpoint,
                                                        int hit) const {
    return armed(failpoint, hit, "delay:500");
}

std::map<std::string, std::string> Failpoints::armed(const std::string& failpoint,
                                                     int hit,
                                                     const std::string& mode) const {
    auto environment = counting();
    environment["STACK_FAILPOINTS"] = failpoint + "#" + std::to_string(hit) + "=" + mode;
    return environment;
}

std::map<std::string, int> Failpoints::hits() const {
    std::map<std::string, int> counts;
    std::ifstream file(log_);
    for (std::string line; std::getline(file, line);)
        ++counts[line];
    return counts;
}

}  // namespace stack::test
