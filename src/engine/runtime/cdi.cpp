#include "engine/runtime/cdi.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/runtime/cdi_file.h"
#include "model/cdi.h"
#include "sys/file.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <linux/mount.h>

namespace stack::runtime {
namespace {

using Json = nlohmann::json;

/// A device as one of the files offers it.
struct Offer {
    std::string file;
    std::string directory;
    Json common;  // containerEdits of the file
    Json own;     // and of the device
    bool is_ambiguous = false;
};

struct Offers {
    std::map<std::string, Offer> by_name;
    Strings problems;  // files that nothing is read from
};

const Json& member(const Json& json, const char* key) {
    static const Json nothing;
    const auto found = json.find(key);
    return found == json.end() ? nothing : *found;
}

std::string text_in(const Json& json, const char* key) {
    const Json& text = member(json, key);
    return text.is_string() ? text.get<std::string>() : "";
}

Strings texts_in(const Json& json, const char* key) {
    Strings texts;
    for (const auto& item : member(json, key))
        if (item.is_string())
            texts.push_back(item.get<std::string>());
    return texts;
}

std::optional<std::uint32_t> number_in(const Json& json, const char* key) {
    const Json& number = member(json, key);
    return number.is_number_unsigned() ? std::optional(number.get<std::uint32_t>()) : std::nullopt;
}

void add_file(const std::string& directory, const std::string& name, Offers& offers) {
    const std::string path = directory + "/" + name;
    const Json file = read_cdi_file(path);
    const std::string kind = text_in(file, "kind");
    if (kind.empty() || !member(file, "devices").is_array())
        throw Error(path + ": it names no `kind`, or no `devices`");
    for (const auto& device : file["devices"]) {
        Offer offer{
            path, directory, member(file, "containerEdits"), member(device, "containerEdits")};
        Offer& known = offers.by_name[kind + "=" + text_in(device, "name")];
        offer.is_ambiguous = known.directory == directory;
        known = std::move(offer);
    }
}

Offers offers_in(const Strings& directories) {
    Offers offers;
    for (const auto& directory : directories)
        for (const auto& name : sys::list_directory(directory)) {
            if (!name.ends_with(".json") && !name.ends_with(".yaml") && !name.ends_with(".yml"))
                continue;
            try {
                add_file(directory, name, offers);
            } catch (const Error& error) {
                offers.problems.emplace_back(error.what());
            }
        }
    return offers;
}

/// What one `containerEdits` adds.
class Edit {
  public:
    Edit(std::string name, CdiEdits& edits) : name_(std::move(name)), edits_(edits) {}

    void add(const Json& json) {
        for (auto& variable : texts_in(json, "env"))
            edits_.environment.push_back(std::move(variable));
        for (const auto& node : member(json, "deviceNodes"))
            add_node(node);
        for (const auto& mount : member(json, "mounts"))
            add_mount(mount);
        for (const auto& hook : member(json, "hooks"))
            add_hook(hook);
        for (const auto& group : member(json, "additionalGids"))
            if (group.is_number_unsigned())
                edits_.groups.push_back(std::to_string(group.get<std::uint32_t>()));
        for (const auto* key : {"intelRdt", "netDevices"})
            if (!member(json, key).is_null())
                refuse(std::string("`") + key + "`");
    }

  private:
    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(std::make_error_code(std::errc::not_supported),
                    "device " + name_ + " needs " + what + ", which is not supported");
    }

    void add_node(const Json& json) {
        CdiNode node;
        node.device.target = text_in(json, "path");
        const std::string source = text_in(json, "hostPath");
        node.device.source = source.empty() ? node.device.target : source;
        if (const std::string permissions = text_in(json, "permissions"); !permissions.empty())
            node.device.permissions = permissions;
        if (!node.device.target.starts_with('/'))
            refuse("a device node without a path");
        node.mode = number_in(json, "fileMode");
        node.uid = number_in(json, "uid");
        node.gid = number_in(json, "gid");
        edits_.nodes.push_back(std::move(node));
    }

    void add_mount(const Json& json) {
        constexpr std::pair<const char*, std::uint64_t> flags[]{{"ro", MOUNT_ATTR_RDONLY},
                                                                {"nosuid", MOUNT_ATTR_NOSUID},
                                                                {"nodev", MOUNT_ATTR_NODEV},
                                                                {"noexec", MOUNT_ATTR_NOEXEC}};
        if (const std::string type = text_in(json, "type");
            !type.empty() && type != "bind" && type != "none")
            refuse("a mount of type " + type);
        shim::MountSpec mount;
        mount.source = text_in(json, "hostPath");
        mount.target = text_in(json, "containerPath");
        const Strings options = texts_in(json, "options");
        for (const auto& [option, flag] : flags)
            if (std::find(options.begin(), options.end(), option) != options.end())
                mount.attributes_set |= flag;
        edits_.mounts.push_back(std::move(mount));
    }

    void add_hook(const Json& json) {
        const std::string moment = text_in(json, "hookName");
        if (moment != "createContainer")
            refuse("a hook of the moment " + moment);
        shim::HookSpec hook;
        hook.path = text_in(json, "path");
        hook.arguments = texts_in(json, "args");
        hook.environment = texts_in(json, "env");
        hook.timeout = number_in(json, "timeout").value_or(0);
        if (!hook.path.starts_with('/'))
            refuse("the hook " + hook.path + ", no absolute path");
        edits_.hooks.push_back(std::move(hook));
    }

    std::string name_;
    CdiEdits& edits_;
};

const Offer& offer_of(const std::string& name, const Offers& offers, const Strings& directories) {
    const auto found = offers.by_name.find(name);
    if (found == offers.by_name.end())
        throw Error(std::make_error_code(std::errc::no_such_device),
                    "no file in " + join(directories, " or ") + " offers the device " + name +
                        " (its vendor's tool writes one, as `nvidia-ctk cdi generate` does)" +
                        (offers.problems.empty() ? "" : "; " + join(offers.problems, "; ")));
    if (found->second.is_ambiguous)
        throw Error("the device " + name + " is offered by " + found->second.file +
                    " and by another file beside it: take one of them away");
    return found->second;
}

}  // namespace

Strings cdi_directories() {
    return {"/etc/cdi", "/var/run/cdi"};
}

Strings cdi_names_of(const Service& service) {
    Strings names;
    for (const auto& device : service.devices)
        if (is_cdi_name(device.source))
            names.push_back(device.source);
    for (const auto& request : service.device_requests) {
        const auto wanted = cdi_names_for(request);
        if (!wanted)
            throw Error(wanted.error().message);
        names.insert(names.end(), wanted->begin(), wanted->end());
    }
    return names;
}

CdiEdits cdi_edits_for(const Strings& names, const Strings& directories) {
    CdiEdits edits;
    if (names.empty())
        return edits;
    const Offers offers = offers_in(directories);
    std::set<std::string> asked;
    std::set<std::string> files;
    for (const auto& name : names) {
        if (!asked.insert(name).second)
            continue;
        const Offer& offer = offer_of(name, offers, directories);
        Edit edit(name, edits);
        if (files.insert(offer.file).second)
            edit.add(offer.common);
        edit.add(offer.own);
    }
    return edits;
}

void apply(const CdiEdits& edits, const std::string& bundle, shim::Spec& spec) {
    for (const auto& variable : edits.environment) {
        const std::string key = split_once(variable, '=').first + "=";
        std::erase_if(spec.process.environment,
                      [&](const std::string& entry) { return entry.starts_with(key); });
        spec.process.environment.push_back(variable);
    }
    for (const auto& node : edits.nodes) {
        // A privileged container has it already, as the host has it.
        std::erase_if(spec.devices, [&](const shim::DeviceSpec& device) {
            return device.target == node.device.target;
        });
        spec.devices.push_back({node.device.source,
                                node.device.target,
                                node.mode.value_or(shim::of_source),
                                node.uid.value_or(shim::of_source),
                                node.gid.value_or(shim::of_source)});
    }
    spec.mounts.insert(spec.mounts.begin(), edits.mounts.begin(), edits.mounts.end());
    auto& groups = spec.process.groups;
    groups.insert(groups.end(), edits.groups.begin(), edits.groups.end());
    if (edits.hooks.empty())
        return;
    spec.bundle.create_hooks = edits.hooks;
    spec.bundle.state_head =
        R"({"ociVersion":"1.0.2","id":)" + Json(spec.id).dump() + R"(,"status":")";
    spec.bundle.state_tail = R"(,"bundle":)" + Json(bundle).dump() + "}";
    const Json config{{"ociVersion", "1.0.2"}, {"root", {{"path", spec.mount_point}}}};
    sys::replace_volatile_file(bundle + "/config.json", config.dump(), 0644);
}

}  // namespace stack::runtime
