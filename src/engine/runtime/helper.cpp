#include "engine/runtime/helper.h"

#include "sys/file.h"

#include <fcntl.h>

namespace stack::runtime {
namespace {

/// Copied once a process; sealed, so that no write reaches it.
const sys::Fd& helper_image() {
    static const sys::Fd image = [] {
        const sys::Fd file = sys::open_file(helper_file(), O_RDONLY);
        return sys::sealed_memory_file("stack-shim", sys::read_all(file));
    }();
    return image;
}

}  // namespace

std::string helper_file() {
    static const std::string path = sys::helper_program("stack-shim");
    return path;
}

sys::Child start_helper(const char* role,
                        const std::string& spec,
                        std::vector<std::pair<int, int>> descriptors,
                        bool new_session) {
    constexpr int spec_fd = 3;
    const sys::Fd description = sys::memory_file("container", spec);
    descriptors.emplace_back(description.get(), spec_fd);
    return start_helper(role, std::move(descriptors), new_session);
}

sys::Child start_helper(const char* role,
                        std::vector<std::pair<int, int>> descriptors,
                        bool new_session) {
    sys::SpawnOptions options;
    options.arguments = {"stack-shim", role};
    options.descriptors = std::move(descriptors);
    options.new_session = new_session;
    return sys::spawn(helper_image(), options);
}

}  // namespace stack::runtime
