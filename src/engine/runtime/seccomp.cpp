#include "engine/runtime/seccomp.h"

#include <stack/error.h>

#include "base/digest.h"
#include "engine/runtime/process.h"
#include "engine/runtime/seccomp_default.h"
#include "engine/runtime/seccomp_profile.h"
#include "sys/file.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include <seccomp.h>

namespace stack::runtime {
namespace {

/// Makes room for one more: what has not been wanted for longest goes.
void bound_programs(const std::string& directory) {
    constexpr std::size_t most = 64;  // kinds of services of one machine
    std::vector<std::pair<std::int64_t, std::string>> programs;
    for (const auto& name : sys::list_directory(directory))
        if (const auto stamp = sys::find_stamp(directory + "/" + name);
            stamp && name.starts_with("seccomp-"))
            programs.emplace_back(stamp->modified_ns, name);
    std::sort(programs.begin(), programs.end());
    for (std::size_t i = 0; i + most <= programs.size(); ++i)
        sys::remove_file(directory + "/" + programs[i].second);
}

/// The program that `compile` makes, which takes a thousand times as long as to read it: kept by
/// all that it depends on.
std::string cached(const Paths& paths,
                   const std::string& identity,
                   const std::function<std::string()>& compile) {
    const auto* version = seccomp_version();
    const std::string key =
        sha256_hex(identity + " " + std::to_string(version->major) + "." +
                   std::to_string(version->minor) + "." + std::to_string(version->micro));
    const std::string directory = paths.state + "/cache";
    const std::string file = directory + "/seccomp-" + key.substr(0, 16) + ".bpf";
    if (auto known = sys::read_file(file); known && !known->empty()) {
        sys::touch(file);
        return std::move(*known);
    }
    std::string program = compile();
    try {
        sys::ensure_directory(directory, 0700);
        bound_programs(directory);
        sys::replace_volatile_file(file, program);
    } catch (const Error&) {
        // Without room to keep it the next one takes longer, no more.
    }
    return program;
}

}  // namespace

std::string default_filter(const Paths& paths, std::uint64_t capabilities) {
    return cached(
        paths, "1 " + std::to_string(capabilities), [&] { return compile_default(capabilities); });
}

std::string filter_for(const Paths& paths, const Service& service, std::uint64_t capabilities) {
    if (has_security_option(service, "seccomp", "unconfined"))
        return {};
    const std::string& text = service.seccomp_profile;
    if (text.empty())
        return service.privileged ? "" : default_filter(paths, capabilities);
    const std::string what = "the seccomp profile of service " + service.name;
    const auto profile = parse_seccomp_profile(text);
    if (!profile)
        throw Error(what + ": " + profile.error().message);
    const KernelVersion kernel = own_kernel();
    const std::string identity = "profile " + std::to_string(capabilities) + " " +
                                 std::to_string(kernel.major_number) + "." +
                                 std::to_string(kernel.minor_number) + " " + text;
    return cached(
        paths, identity, [&] { return compile_profile(*profile, capabilities, kernel, what); });
}

}  // namespace stack::runtime
