#include "oci/seccomp.h"

#include "engine/runtime/seccomp_profile.h"

namespace stack::oci {

std::string filter_for(const Json& seccomp, Strings& warnings) {
    if (seccomp.is_null())
        return {};
    const std::string what = "linux.seccomp";
    if (!text_of(seccomp, "listenerPath").empty())
        throw not_supported(what + ".listenerPath");
    for (const auto& flag : texts_of(seccomp, "flags"))
        if (flag != "SECCOMP_FILTER_FLAG_TSYNC")  // there is one thread
            warnings.push_back("linux.seccomp.flags: " + flag + " has no effect");
    const auto profile = seccomp_profile_of(seccomp);
    if (!profile)
        throw Error(what + ": " + profile.error().message);
    constexpr std::uint64_t every_capability = ~std::uint64_t{0};
    return runtime::compile_profile(*profile, every_capability, runtime::own_kernel(), what);
}

}  // namespace stack::oci
