#include "engine/runtime/seccomp_profile.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/runtime/capabilities.h"
#include "engine/runtime/seccomp_export.h"
#include "sys/file.h"

#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <seccomp.h>

namespace stack::runtime {
namespace {

std::uint32_t action_of(const std::string& name, std::optional<std::uint32_t> error) {
    static const std::map<std::string, std::uint32_t> plain{
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}};
    const auto found = plain.find(name);
    if (found != plain.end())
        return found->second;
    const std::uint32_t number = error.value_or(EPERM);
    return name == "SCMP_ACT_TRACE" ? SCMP_ACT_TRACE(number) : SCMP_ACT_ERRNO(number);
}

/// The comparisons that a profile can name, which its parser has checked.
scmp_compare comparison_of(const std::string& name) {
    static const std::map<std::string, scmp_compare> known{
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
    return known.at(name);
}

std::vector<scmp_arg_cmp> conditions_of(const SeccompRule& rule) {
    std::vector<scmp_arg_cmp> conditions;
    for (const auto& one : rule.comparisons)
        conditions.push_back({one.index, comparison_of(one.op), one.value, one.value_two});
    return conditions;
}

bool names_one_twice(const std::vector<scmp_arg_cmp>& conditions) {
    std::set<unsigned int> seen;
    for (const auto& condition : conditions)
        if (!seen.insert(condition.arg).second)
            return true;
    return false;
}

class Compiler {
  public:
    Compiler(const SeccompProfile& profile, std::string what)
        : what_(std::move(what)),
          otherwise_(action_of(profile.action, profile.error)),
          context_(seccomp_init(otherwise_), seccomp_release) {
        if (!context_)
            throw Error(what_ + ": its default action cannot be had");
    }

    /// SCMP_ARCH_X86_64 is x86_64 to the library.
    void add_architecture(const std::string& name) {
        constexpr std::string_view prefix = "SCMP_ARCH_";
        const auto number =
            name.starts_with(prefix)
                ? seccomp_arch_resolve_name(to_lower(name.substr(prefix.size())).c_str())
                : 0;
        if (number == 0)
            throw Error(what_ + ": there is no architecture " + name);
        if (const int result = seccomp_arch_add(context_.get(), number); result != -EEXIST)
            must(result, name);
    }

    /// A rule that does what happens anyway is not taken by the library.
    void add_rule(const SeccompRule& rule) {
        const std::uint32_t action = action_of(rule.action, rule.error);
        if (action == otherwise_)
            return;
        const auto conditions = conditions_of(rule);
        for (const auto& name : rule.names)
            if (const int call = seccomp_syscall_resolve_name(name.c_str());
                call != __NR_SCMP_ERROR)
                add(action, call, conditions, name);
    }

    [[nodiscard]] std::string compile() const { return exported_filter(context_.get()); }

  private:
    /// Conditions on one argument are alternatives: the library takes each argument once a rule.
    void add(std::uint32_t action,
             int call,
             const std::vector<scmp_arg_cmp>& conditions,
             const std::string& name) {
        if (!names_one_twice(conditions)) {
            must(seccomp_rule_add_array(context_.get(),
                                        action,
                                        call,
                                        static_cast<unsigned int>(conditions.size()),
                                        conditions.data()),
                 name);
            return;
        }
        for (const auto& condition : conditions)
            must(seccomp_rule_add_array(context_.get(), action, call, 1, &condition), name);
    }

    void must(int result, const std::string& part) const {
        if (result < 0)
            throw Error(std::error_code(-result, std::generic_category()),
                        what_ + ": the system call filter cannot be made: " + part + ": " +
                            std::generic_category().message(-result));
    }

    std::string what_;
    std::uint32_t otherwise_;
    std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

Strings names_of(std::uint64_t capabilities) {
    Strings held;
    std::uint64_t bit = 1;
    for (auto& name : capability_names()) {
        if ((capabilities & bit) != 0)
            held.push_back(std::move(name));
        bit <<= 1U;
    }
    return held;
}

}  // namespace

KernelVersion own_kernel() {
    const auto release = sys::read_file("/proc/sys/kernel/osrelease");
    return parse_kernel_version(release.value_or("")).value_or(KernelVersion{});
}

std::string compile_profile(const SeccompProfile& profile,
                            std::uint64_t capabilities,
                            const KernelVersion& kernel,
                            const std::string& what) {
    const Strings held = names_of(capabilities);
    Compiler compiler(profile, what);
    for (const auto& name : profile.architectures)
        compiler.add_architecture(name);
    for (const auto& rule : profile.rules)
        if (applies(rule, held, kernel))
            compiler.add_rule(rule);
    return compiler.compile();
}

}  // namespace stack::runtime
