#include "base/log.h"

#include <cstdlib>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace stack::log {
namespace {

spdlog::logger& logger() {
    static const auto instance = [] {
        auto made = std::make_shared<spdlog::logger>(
            "stack", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
        const char* level = std::getenv("STACK_LOG");
        made->set_level(level == nullptr ? spdlog::level::off : spdlog::level::from_str(level));
        made->flush_on(spdlog::level::trace);
        return made;
    }();
    return *instance;
}

}  // namespace

void debug(std::string_view message) {
    logger().debug(message);
}

void info(std::string_view message) {
    logger().info(message);
}

void warn(std::string_view message) {
    logger().warn(message);
}

void error(std::string_view message) {
    logger().error(message);
}

}  // namespace stack::log
