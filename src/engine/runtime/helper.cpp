#include "engine/runtime/helper.h"

#include "sys/file.h"
#include "sys/mount.h"

namespace stack::runtime {
namespace {

/// Read-only even for a container's root that opens it as /proc/PID/exe (CVE-2019-5736).
const sys::Fd& helper_image() {
    static const sys::Fd image = sys::read_only_view(helper_file());
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
