#include "engine/build/run_mount.h"

#include "base/text.h"
#include "base/units.h"

#include <charconv>

namespace stack::build {
namespace {

const Strings option_names{"type",
                           "from",
                           "source",
                           "src",
                           "target",
                           "dst",
                           "destination",
                           "ro",
                           "rw",
                           "readonly",
                           "mode",
                           "uid",
                           "gid",
                           "readwrite",
                           "id",
                           "sharing",
                           "required",
                           "size",
                           "env"};

struct Option {
    std::string key;
    std::string value;
    bool has_value = false;
};

/// Fields of one line of CSV: a field in double quotes may hold commas, and a doubled quote is a
/// quote.
std::vector<Option> options_of(std::string_view text) {
    Strings fields(1);
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"' && quoted && text.substr(i + 1).starts_with('"'))
            fields.back() += text[++i];
        else if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == ',' && !quoted)
            fields.emplace_back();
        else
            fields.back() += text[i];
    }
    std::vector<Option> options;
    for (const auto& field : fields) {
        const auto [key, value] = split_once(field, '=');
        options.push_back({to_lower(trim(key)), value, field.find('=') != std::string::npos});
    }
    return options;
}

std::optional<bool> parse_bool(const Option& option) {
    const std::string value = to_lower(option.value);
    if (!option.has_value || value == "true" || value == "1" || value == "t")
        return true;
    if (value == "false" || value == "0" || value == "f")
        return false;
    return std::nullopt;
}

std::optional<std::uint32_t> parse_octal(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > 07777)
        return std::nullopt;
    return value;
}

class MountParser {
  public:
    Expected<RunMount> parse(std::string_view text) {
        for (const auto& option : options_of(text)) {
            const std::string problem = apply(option);
            if (!problem.empty())
                return malformed(problem);
        }
        if (!read_only_)
            read_only_ = mount_.type != RunMountType::cache && mount_.type != RunMountType::tmpfs;
        mount_.read_only = *read_only_;
        const std::string problem = inconsistency();
        if (!problem.empty())
            return malformed(problem);
        return mount_;
    }

  private:
    std::string apply(const Option& option) {
        const std::string& key = option.key;
        if (key == "ro" || key == "readonly" || key == "rw" || key == "readwrite" ||
            key == "required")
            return apply_switch(option);
        if (!option.has_value)
            return "`" + key + "` is not of the form key=value" + suggestion(key);
        if (key == "type")
            return set_type(option.value);
        if (key == "sharing")
            return set_sharing(option.value);
        if (key == "mode" || key == "uid" || key == "gid" || key == "size")
            return set_number(option);
        return set_text(option);
    }

    static std::string suggestion(const std::string& key) {
        const std::string near = closest(key, option_names);
        return near.empty() || near == key ? "" : ", did you mean `" + near + "`?";
    }

    std::string apply_switch(const Option& option) {
        const auto value = parse_bool(option);
        if (!value)
            return "`" + option.key + "` is true or false, not `" + option.value + "`";
        if (option.key == "required")
            mount_.required = has_required_ = *value;
        else
            read_only_ = (option.key == "ro" || option.key == "readonly") == *value;
        return {};
    }

    std::string set_type(const std::string& value) {
        const Strings names{"bind", "cache", "tmpfs", "secret", "ssh"};
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (to_lower(value) != names[i])
                continue;
            mount_.type = static_cast<RunMountType>(i);
            return {};
        }
        const std::string near = closest(value, names);
        return "unknown mount type `" + value + "`" +
               (near.empty() ? "" : ", did you mean `" + near + "`?");
    }

    std::string set_sharing(const std::string& value) {
        const Strings names{"shared", "private", "locked"};
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (to_lower(value) != names[i])
                continue;
            mount_.sharing = static_cast<CacheSharing>(i);
            has_sharing_ = true;
            return {};
        }
        return "`sharing` is shared, private or locked, not `" + value + "`";
    }

    std::string set_number(const Option& option) {
        if (option.key == "mode") {
            mount_.mode = parse_octal(option.value);
            return mount_.mode ? "" : "`mode` is an octal number, not `" + option.value + "`";
        }
        if (option.key == "size") {
            const auto size = parse_bytes(option.value);
            if (!size)
                return "`size` is a number of bytes, not `" + option.value + "`";
            mount_.size = *size;
            return {};
        }
        auto& id = option.key == "uid" ? mount_.uid : mount_.gid;
        id = parse_number<std::uint32_t>(option.value);
        return id ? "" : "`" + option.key + "` is a number, not `" + option.value + "`";
    }

    std::string set_text(const Option& option) {
        const std::string& key = option.key;
        if (key == "from")
            mount_.from = option.value;
        else if (key == "source" || key == "src")
            mount_.source = option.value;
        else if (key == "target" || key == "dst" || key == "destination")
            mount_.target = option.value;
        else if (key == "id")
            mount_.id = option.value;
        else if (key == "env")
            mount_.environment = option.value;
        else
            return "unknown mount option `" + key + "`" + suggestion(key);
        return {};
    }

    [[nodiscard]] std::string inconsistency() const {
        const bool secret = mount_.type == RunMountType::secret;
        const bool secret_like = secret || mount_.type == RunMountType::ssh;
        const bool cache = mount_.type == RunMountType::cache;
        if (has_required_ && !secret_like)
            return "`required` is for secret and ssh mounts";
        if (mount_.size && mount_.type != RunMountType::tmpfs)
            return "`size` is for tmpfs mounts";
        if (has_sharing_ && !cache)
            return "`sharing` is for cache mounts";
        if ((mount_.mode || mount_.uid || mount_.gid) && !secret_like && !cache)
            return "`mode`, `uid` and `gid` are for cache, secret and ssh mounts";
        if (secret && !mount_.from.empty())
            return "a secret mount has no `from`";
        if (cache && mount_.from.empty() && !mount_.source.empty())
            return "`source` of a cache mount is a place in what `from` names";
        if (secret && !mount_.source.empty() && !mount_.id.empty())
            return "`source` and `id` of a secret are the same thing: give one";
        if (secret && mount_.source.empty() && mount_.id.empty() && mount_.target.empty())
            return "a secret mount needs an `id`";
        if (!secret_like && mount_.target.empty())
            return "a mount needs a `target`";
        return absolute_root() ? "a mount cannot replace the root directory" : "";
    }

    [[nodiscard]] bool absolute_root() const {
        return !mount_.target.empty() && mount_.target.find_first_not_of('/') == std::string::npos;
    }

    RunMount mount_;
    std::optional<bool> read_only_;
    bool has_required_ = false;
    bool has_sharing_ = false;
};

}  // namespace

Expected<RunMount> parse_run_mount(std::string_view text) {
    return MountParser().parse(text);
}

std::string run_mount_source(std::string_view text) {
    for (const auto& option : options_of(text)) {
        if (option.key == "from")
            return option.value;
    }
    return {};
}

}  // namespace stack::build
