#include "oci/process.h"

#include "base/text.h"
#include "engine/runtime/capabilities.h"
#include "engine/runtime/process.h"

namespace stack::oci {
namespace {

void refuse_unknown(const Json& process) {
    for (const auto* key : {"scheduler", "ioPriority", "execCPUAffinity"})
        if (!field(process, key).is_null())
            throw not_supported("process." + std::string(key));
}

std::uint64_t capability_set(const Json& capabilities, const char* key, Strings& warnings) {
    std::uint64_t set = 0;
    for (const auto& name : texts_of(capabilities, key)) {
        try {
            set |= runtime::capabilities_for({name}, {"ALL"}, false);
        } catch (const Error& error) {
            warnings.push_back("process.capabilities." + std::string(key) + ": " + error.what());
        }
    }
    return set;
}

shim::CapabilitySets capability_sets(const Json& capabilities, Strings& warnings) {
    shim::CapabilitySets sets;
    sets.bounding = capability_set(capabilities, "bounding", warnings);
    sets.effective = capability_set(capabilities, "effective", warnings);
    sets.permitted = capability_set(capabilities, "permitted", warnings);
    sets.inheritable = capability_set(capabilities, "inheritable", warnings);
    sets.ambient = capability_set(capabilities, "ambient", warnings);
    return sets;
}

/// As limits go by in stack files: RLIMIT_NOFILE is nofile.
std::uint32_t limit_number_of(const std::string& type) {
    const std::string prefix = "RLIMIT_";
    if (!type.starts_with(prefix))
        throw Error("process.rlimits: there is no resource limit " + type);
    return runtime::limit_number(to_lower(type.substr(prefix.size())));
}

std::vector<shim::LimitSpec> limits_of(const Json& process) {
    std::vector<shim::LimitSpec> limits;
    for (const auto& one : field(process, "rlimits")) {
        shim::LimitSpec limit;
        limit.resource = limit_number_of(text_of(one, "type"));
        limit.soft = number_of<std::uint64_t>(one, "soft").value_or(0);
        limit.hard = number_of<std::uint64_t>(one, "hard").value_or(0);
        for (const auto& other : limits)
            if (other.resource == limit.resource)
                throw Error("process.rlimits: " + text_of(one, "type") + " is there twice");
        limits.push_back(limit);
    }
    return limits;
}

void read_user(const Json& user, shim::ProcessSpec& spec) {
    const auto uid = number_of<std::uint32_t>(user, "uid").value_or(0);
    const auto gid = number_of<std::uint32_t>(user, "gid").value_or(0);
    spec.user = std::to_string(uid) + ":" + std::to_string(gid);
    for (const auto& group : field(user, "additionalGids"))
        spec.groups.push_back(std::to_string(
            number_of<std::uint32_t>({{"additionalGids", group}}, "additionalGids").value_or(0)));
    spec.umask = number_of<std::uint32_t>(user, "umask").value_or(spec.umask);
}

void warn_of_labels(const Json& process, Strings& warnings) {
    for (const auto* key : {"apparmorProfile", "selinuxLabel"})
        if (!text_of(process, key).empty())
            warnings.push_back("process." + std::string(key) +
                               " has no effect: stack-oci applies no such label");
}

}  // namespace

shim::ProcessSpec process_for(const Json& process, Strings& warnings) {
    refuse_unknown(process);
    warn_of_labels(process, warnings);
    shim::ProcessSpec spec;
    spec.arguments = texts_of(process, "args");
    if (spec.arguments.empty() || spec.arguments.front().empty())
        throw Error("config.json: process.args names no program");
    spec.environment = texts_of(process, "env");
    spec.working_dir = text_of(process, "cwd");
    if (!spec.working_dir.starts_with('/'))
        throw Error("config.json: process.cwd is \"" + spec.working_dir +
                    "\", not an absolute path");
    read_user(field(process, "user"), spec);
    spec.has_exact_sets = 1;
    spec.exact_sets = capability_sets(field(process, "capabilities"), warnings);
    spec.limits = limits_of(process);
    spec.no_new_privileges = flag_of(process, "noNewPrivileges") ? 1 : 0;
    if (const auto score = number_of<std::int32_t>(process, "oomScoreAdj")) {
        spec.oom_score_adj = *score;
        spec.has_exact_oom_score = 1;
    }
    spec.terminal = flag_of(process, "terminal") ? 1 : 0;
    const Json& size = field(process, "consoleSize");
    spec.rows = number_of<std::uint32_t>(size, "height").value_or(0);
    spec.columns = number_of<std::uint32_t>(size, "width").value_or(0);
    return spec;
}

}  // namespace stack::oci
