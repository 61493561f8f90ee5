#pragma once

// A filter of system calls as people write it: the JSON of Docker's seccomp profiles, and of
// `linux.seccomp` in the runtime-spec, which is that without conditions.

#include <stack/model.h>

#include "base/expected.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace stack {

struct KernelVersion {
    int major_number = 0;
    int minor_number = 0;

    auto operator<=>(const KernelVersion&) const = default;
};

/// The first two numbers of "6.1.0-28-amd64".
[[nodiscard]] std::optional<KernelVersion> parse_kernel_version(std::string_view release);

/// What one argument of a call is compared with.
struct SeccompComparison {
    std::uint32_t index = 0;
    std::string op;  // SCMP_CMP_EQ …
    std::uint64_t value = 0;
    std::uint64_t value_two = 0;  // of SCMP_CMP_MASKED_EQ: what is left under the mask `value`
};

/// `includes` or `excludes` of a rule.
struct SeccompCondition {
    Strings capabilities;   // CAP_SYS_ADMIN …
    Strings architectures;  // amd64 …
    std::optional<KernelVersion> least_kernel;
};

struct SeccompRule {
    Strings names;
    std::string action;  // SCMP_ACT_ERRNO …
    std::optional<std::uint32_t> error;
    std::vector<SeccompComparison> comparisons;
    SeccompCondition includes;
    SeccompCondition excludes;
};

struct SeccompProfile {
    std::string action;  // of calls that no rule names
    std::optional<std::uint32_t> error;
    Strings architectures;  // SCMP_ARCH_X86_64 …; none: this machine's only
    std::vector<SeccompRule> rules;
};

/// A whole file. Of archMap it takes what is for this machine.
[[nodiscard]] Expected<SeccompProfile> parse_seccomp_profile(std::string_view text);
/// One that is a part of another document: the complaint has no place in it.
[[nodiscard]] Expected<SeccompProfile> seccomp_profile_of(const nlohmann::json& profile);

/// Whether the rule is one of the profile for a process with these capabilities on this kernel.
[[nodiscard]] bool applies(const SeccompRule& rule,
                           const Strings& capabilities,
                           const KernelVersion& kernel);

}  // namespace stack
