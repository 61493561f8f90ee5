#include "oci/seccomp.h"

#include "base/text.h"
#include "engine/runtime/seccomp.h"

#include <cerrno>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <seccomp.h>

namespace stack::oci {
namespace {

constexpr std::uint32_t default_errno = EPERM;

void must(int result, const std::string& what) {
    if (result < 0)
        throw Error(std::error_code(-result, std::generic_category()),
                    "the system call filter cannot be made: " + what + ": " +
                        std::generic_category().message(-result));
}

std::uint32_t action_of(const std::string& name, std::uint32_t error) {
    static const std::map<std::string, std::uint32_t> plain{
        {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}};
    if (name == "SCMP_ACT_ERRNO")
        return SCMP_ACT_ERRNO(error);
    if (name == "SCMP_ACT_TRACE")
        return SCMP_ACT_TRACE(error);
    if (name == "SCMP_ACT_NOTIFY")
        throw not_supported("linux.seccomp: " + name);
    const auto found = plain.find(name);
    if (found == plain.end())
        throw Error("linux.seccomp: there is no action \"" + name + "\"");
    return found->second;
}

/// SCMP_ARCH_X86_64 is x86_64 to the library.
std::uint32_t architecture_of(const std::string& name) {
    const std::string prefix = "SCMP_ARCH_";
    const auto number =
        name.starts_with(prefix)
            ? seccomp_arch_resolve_name(to_lower(name.substr(prefix.size())).c_str())
            : 0;
    if (number == 0)
        throw Error("linux.seccomp: there is no architecture " + name);
    return number;
}

scmp_compare comparison_of(const std::string& name) {
    static const std::map<std::string, scmp_compare> known{
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ}};
    const auto found = known.find(name);
    if (found == known.end())
        throw Error("linux.seccomp: there is no comparison \"" + name + "\"");
    return found->second;
}

std::vector<scmp_arg_cmp> conditions_of(const Json& rule) {
    std::vector<scmp_arg_cmp> conditions;
    for (const auto& one : field(rule, "args")) {
        scmp_arg_cmp condition{};
        condition.arg = number_of<std::uint32_t>(one, "index").value_or(0);
        condition.op = comparison_of(text_of(one, "op"));
        condition.datum_a = number_of<std::uint64_t>(one, "value").value_or(0);
        condition.datum_b = number_of<std::uint64_t>(one, "valueTwo").value_or(0);
        conditions.push_back(condition);
    }
    return conditions;
}

bool names_one_twice(const std::vector<scmp_arg_cmp>& conditions) {
    std::set<unsigned int> seen;
    for (const auto& condition : conditions)
        if (!seen.insert(condition.arg).second)
            return true;
    return false;
}

class Filter {
  public:
    explicit Filter(std::uint32_t otherwise)
        : otherwise_(otherwise), context_(seccomp_init(otherwise), seccomp_release) {
        if (!context_)
            throw Error("linux.seccomp: the default action cannot be had");
    }

    void add_architecture(const std::string& name) {
        const int result = seccomp_arch_add(context_.get(), architecture_of(name));
        if (result != -EEXIST)
            must(result, name);
    }

    void add_rule(const Json& rule) {
        const std::uint32_t error =
            number_of<std::uint32_t>(rule, "errnoRet").value_or(default_errno);
        const std::uint32_t action = action_of(text_of(rule, "action"), error);
        if (action == otherwise_)
            return;
        const auto conditions = conditions_of(rule);
        for (const auto& name : texts_of(rule, "names"))
            if (const int call = seccomp_syscall_resolve_name(name.c_str());
                call != __NR_SCMP_ERROR)
                add(action, call, conditions, name);
    }

    [[nodiscard]] std::string compile() const { return runtime::exported_filter(context_.get()); }

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

    std::uint32_t otherwise_;
    std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
};

}  // namespace

std::string filter_for(const Json& seccomp, Strings& warnings) {
    if (seccomp.is_null())
        return {};
    if (!text_of(seccomp, "listenerPath").empty())
        throw not_supported("linux.seccomp.listenerPath");
    for (const auto& flag : texts_of(seccomp, "flags"))
        if (flag != "SECCOMP_FILTER_FLAG_TSYNC")  // there is one thread
            warnings.push_back("linux.seccomp.flags: " + flag + " has no effect");
    Filter filter(
        action_of(text_of(seccomp, "defaultAction"),
                  number_of<std::uint32_t>(seccomp, "defaultErrnoRet").value_or(default_errno)));
    for (const auto& name : texts_of(seccomp, "architectures"))
        filter.add_architecture(name);
    for (const auto& rule : field(seccomp, "syscalls"))
        filter.add_rule(rule);
    return filter.compile();
}

}  // namespace stack::oci
