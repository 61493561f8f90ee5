#include "model/seccomp_profile.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace stack {
namespace {

using Json = nlohmann::json;

/// This machine, in the words of `includes` and of `archMap`.
constexpr const char* own_architecture = "amd64";
constexpr const char* own_architecture_of_map = "SCMP_ARCH_X86_64";

constexpr std::array actions{"SCMP_ACT_KILL",
                             "SCMP_ACT_KILL_THREAD",
                             "SCMP_ACT_KILL_PROCESS",
                             "SCMP_ACT_TRAP",
                             "SCMP_ACT_ERRNO",
                             "SCMP_ACT_TRACE",
                             "SCMP_ACT_LOG",
                             "SCMP_ACT_ALLOW"};
constexpr std::array comparisons{"SCMP_CMP_NE",
                                 "SCMP_CMP_LT",
                                 "SCMP_CMP_LE",
                                 "SCMP_CMP_EQ",
                                 "SCMP_CMP_GE",
                                 "SCMP_CMP_GT",
                                 "SCMP_CMP_MASKED_EQ"};

bool is_one_of(const auto& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// Reads what it can, and keeps the first complaint. A null is as good as nothing: the files are
/// written by programs in Go.
class Reader {
  public:
    [[nodiscard]] const std::string& complaint() const { return complaint_; }

    SeccompProfile read(const Json& json) {
        SeccompProfile profile;
        if (!json.is_object())
            complain("it is not a JSON object");
        profile.action = action_in(json, "defaultAction");
        profile.error = error_in(json, "defaultErrnoRet");
        profile.architectures = architectures_in(json);
        for (const auto& rule : list_in(json, "syscalls"))
            profile.rules.push_back(read_rule(rule));
        return profile;
    }

  private:
    void complain(std::string sentence) {
        if (complaint_.empty())
            complaint_ = std::move(sentence);
    }

    static const Json& member(const Json& json, const char* key) {
        static const Json nothing;
        const auto found = json.find(key);
        return found == json.end() ? nothing : *found;
    }

    const Json& list_in(const Json& json, const char* key) {
        static const Json none = Json::array();
        const Json& list = member(json, key);
        if (list.is_array() || list.is_null())
            return list.is_null() ? none : list;
        complain("`" + std::string(key) + "` is not a list");
        return none;
    }

    std::string text_in(const Json& json, const char* key) {
        const Json& text = member(json, key);
        if (!text.is_string() && !text.is_null())
            complain("`" + std::string(key) + "` is not text");
        return text.is_string() ? text.get<std::string>() : "";
    }

    Strings texts_in(const Json& json, const char* key) {
        Strings texts;
        for (const auto& item : list_in(json, key)) {
            if (item.is_string())
                texts.push_back(item.get<std::string>());
            else
                complain("`" + std::string(key) + "` holds what is not text");
        }
        return texts;
    }

    std::optional<std::uint64_t> number_in(const Json& json, const char* key, std::uint64_t most) {
        const Json& number = member(json, key);
        if (number.is_null())
            return std::nullopt;
        if (number.is_number_unsigned() && number.get<std::uint64_t>() <= most)
            return number.get<std::uint64_t>();
        complain("`" + std::string(key) + "` is not a number from 0 to " + std::to_string(most));
        return std::nullopt;
    }

    std::optional<std::uint32_t> error_in(const Json& json, const char* key) {
        constexpr std::uint64_t largest_errno = 4095;
        const auto number = number_in(json, key, largest_errno);
        return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
    }

    std::string action_in(const Json& json, const char* key) {
        std::string action = text_in(json, key);
        if (action == "SCMP_ACT_NOTIFY")
            complain("`" + std::string(key) +
                     "`: SCMP_ACT_NOTIFY is not supported: no agent would answer it");
        else if (!is_one_of(actions, action))
            complain("`" + std::string(key) + "`: there is no action \"" + action + "\"");
        return action;
    }

    Strings architectures_in(const Json& json) {
        Strings architectures = texts_in(json, "architectures");
        const Json& map = list_in(json, "archMap");
        if (!architectures.empty() && !map.empty())
            complain("it has both `architectures` and `archMap`");
        for (const auto& entry : map)
            if (text_in(entry, "architecture") == own_architecture_of_map) {
                architectures = texts_in(entry, "subArchitectures");
                architectures.emplace_back(own_architecture_of_map);
            }
        return architectures;
    }

    SeccompRule read_rule(const Json& json) {
        SeccompRule rule;
        if (!json.is_object())
            complain("`syscalls` holds what is not an object");
        rule.names = texts_in(json, "names");
        const std::string name = text_in(json, "name");  // as the first profiles had it
        if (!name.empty() && !rule.names.empty())
            complain("a rule has both `name` and `names`");
        if (!name.empty())
            rule.names.push_back(name);
        rule.action = action_in(json, "action");
        rule.error = error_in(json, "errnoRet");
        for (const auto& comparison : list_in(json, "args"))
            rule.comparisons.push_back(read_comparison(comparison));
        rule.includes = read_condition(member(json, "includes"));
        rule.excludes = read_condition(member(json, "excludes"));
        return rule;
    }

    SeccompComparison read_comparison(const Json& json) {
        constexpr std::uint64_t last_argument = 5;
        constexpr std::uint64_t any = ~std::uint64_t{0};
        SeccompComparison comparison;
        comparison.index =
            static_cast<std::uint32_t>(number_in(json, "index", last_argument).value_or(0));
        comparison.value = number_in(json, "value", any).value_or(0);
        comparison.value_two = number_in(json, "valueTwo", any).value_or(0);
        comparison.op = text_in(json, "op");
        if (!is_one_of(comparisons, comparison.op))
            complain("there is no comparison \"" + comparison.op + "\"");
        return comparison;
    }

    SeccompCondition read_condition(const Json& json) {
        SeccompCondition condition;
        condition.capabilities = texts_in(json, "caps");
        condition.architectures = texts_in(json, "arches");
        if (const std::string kernel = text_in(json, "minKernel"); !kernel.empty()) {
            condition.least_kernel = parse_kernel_version(kernel);
            if (!condition.least_kernel)
                complain("`minKernel` is \"" + kernel + "\", not a version as in 4.8");
        }
        return condition;
    }

    std::string complaint_;
};

}  // namespace

std::optional<KernelVersion> parse_kernel_version(std::string_view release) {
    const auto parts = split(release.substr(0, release.find_first_not_of("0123456789.")), '.');
    if (parts.size() < 2)
        return std::nullopt;
    const auto first = parse_number<int>(parts[0]);
    const auto second = parse_number<int>(parts[1]);
    return first && second ? std::optional(KernelVersion{*first, *second}) : std::nullopt;
}

Expected<SeccompProfile> parse_seccomp_profile(std::string_view text) {
    try {
        return seccomp_profile_of(Json::parse(text));
    } catch (const Json::parse_error& error) {
        const std::size_t offset = error.byte == 0 ? 0 : error.byte - 1;
        return malformed("it is not JSON from here on", offset);
    }
}

Expected<SeccompProfile> seccomp_profile_of(const nlohmann::json& profile) {
    Reader reader;
    SeccompProfile read = reader.read(profile);
    if (!reader.complaint().empty())
        return malformed(reader.complaint());
    return read;
}

bool applies(const SeccompRule& rule, const Strings& capabilities, const KernelVersion& kernel) {
    const auto is_held = [&](const std::string& name) { return is_one_of(capabilities, name); };
    const auto& [needed, machines, from] = rule.includes;
    const auto& [opened_by, others, until] = rule.excludes;
    if (std::any_of(opened_by.begin(), opened_by.end(), is_held) ||
        is_one_of(others, own_architecture) || (until && kernel >= *until))
        return false;
    return std::all_of(needed.begin(), needed.end(), is_held) &&
           (machines.empty() || is_one_of(machines, own_architecture)) &&
           (!from || kernel >= *from);
}

}  // namespace stack
