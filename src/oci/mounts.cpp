#include "oci/mounts.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string_view>

#include <linux/mount.h>

namespace stack::oci {
namespace {

struct Attribute {
    std::string_view name;
    std::uint64_t set;
    std::uint64_t cleared;
};

/// The same words with an r before them are for all that is mounted below, too.
constexpr std::array<Attribute, 18> attributes{
    {{"ro", MOUNT_ATTR_RDONLY, 0},
     {"rw", 0, MOUNT_ATTR_RDONLY},
     {"nosuid", MOUNT_ATTR_NOSUID, 0},
     {"suid", 0, MOUNT_ATTR_NOSUID},
     {"nodev", MOUNT_ATTR_NODEV, 0},
     {"dev", 0, MOUNT_ATTR_NODEV},
     {"noexec", MOUNT_ATTR_NOEXEC, 0},
     {"exec", 0, MOUNT_ATTR_NOEXEC},
     {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
     {"diratime", 0, MOUNT_ATTR_NODIRATIME},
     {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
     {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
     {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
     {"norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
     {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
     {"atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
     {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
     {"nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME}}};

const Attribute* find_attribute(std::string_view name) {
    const auto* found = std::find_if(
        attributes.begin(), attributes.end(), [&](const auto& one) { return one.name == name; });
    return found == attributes.end() ? nullptr : found;
}

bool is_propagation(const std::string& option) {
    static const std::set<std::string, std::less<>> known{
        "shared", "slave", "private", "unbindable"};
    return known.contains(option) || (option.starts_with('r') && known.contains(option.substr(1)));
}

/// A later word takes an earlier one's effect away.
void apply(const Attribute& attribute, std::uint64_t& set, std::uint64_t& cleared) {
    set = (set & ~attribute.cleared) | attribute.set;
    cleared = (cleared & ~attribute.set) | attribute.cleared;
}

bool is_ignored(const std::string& option) {
    return option == "defaults" || option == "nofail" || option == "silent" || option == "loud" ||
           option == "async" || option == "nomand" || option == "noiversion";
}

void add_option(const std::string& option, shim::MountSpec& spec) {
    if (option.empty() || is_ignored(option))
        return;
    if (option == "bind" || option == "rbind") {
        spec.kind = shim::MountKind::exact_bind;
        spec.is_recursive = option == "rbind" ? 1 : 0;
    } else if (is_propagation(option)) {
        spec.propagation = option;
    } else if (const auto* here = find_attribute(option)) {
        apply(*here, spec.attributes_set, spec.attributes_cleared);
    } else if (const auto* below = find_attribute(std::string_view(option).substr(1));
               below != nullptr && option.starts_with('r')) {
        apply(*below, spec.tree_attributes_set, spec.tree_attributes_cleared);
    } else if (option == "tmpcopyup") {
        spec.copies_up = 1;
    } else if (option == "idmap" || option == "ridmap" || option == "remount") {
        throw not_supported("mount option " + option + " (of " + spec.target + ")");
    } else {
        spec.options += (spec.options.empty() ? "" : ",") + option;
    }
}

/// The words of a config.json that mean a kind, not a type that the kernel knows.
bool is_bind_type(const std::string& type) {
    return type == "bind" || type == "rbind";
}

void check(const shim::MountSpec& spec, const Json& mount) {
    if (!field(mount, "uidMappings").is_null() || !field(mount, "gidMappings").is_null())
        throw not_supported("an id-mapped mount (" + spec.target + ")");
    if (spec.kind == shim::MountKind::exact_bind && spec.source.empty())
        throw Error("config.json: the bind mount of " + spec.target + " has no source");
    if (spec.kind == shim::MountKind::filesystem && spec.type.empty())
        throw Error("config.json: the mount of " + spec.target + " has no type");
    if (spec.copies_up != 0 && spec.type != "tmpfs")
        throw Error("config.json: " + spec.target + ": tmpcopyup is for a tmpfs");
}

/// A read-only mount cannot get the places of others: it is protected when they are mounted.
void add_groups(const shim::MountSpec& mount, const GroupDirectories& groups, shim::Spec& spec) {
    if (groups.size() == 1 && groups.front().first.empty()) {
        shim::MountSpec unified = mount;
        unified.type = "cgroup2";
        if (spec.cgroup.sharing != shim::Sharing::own) {  // else it would be the host's
            unified.kind = shim::MountKind::exact_bind;
            unified.source = groups.front().second;
        }
        spec.mounts.push_back(std::move(unified));
        return;
    }
    shim::MountSpec place = mount;
    place.type = "tmpfs";
    place.options = "mode=755";
    place.attributes_set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
    spec.mounts.push_back(place);
    for (const auto& [name, directory] : groups) {
        shim::MountSpec bind;
        bind.kind = shim::MountKind::exact_bind;
        bind.source = directory;
        bind.target = mount.target + "/" + name;
        bind.attributes_set = place.attributes_set;
        spec.mounts.push_back(std::move(bind));
    }
    if ((mount.attributes_set & MOUNT_ATTR_RDONLY) != 0)
        spec.read_only_paths.push_back(mount.target);
}

}  // namespace

Strings mount_attribute_names() {
    Strings names;
    for (const auto& attribute : attributes)
        names.emplace_back(attribute.name);
    return names;
}

shim::MountSpec mount_for(const Json& mount, const std::string& bundle) {
    shim::MountSpec spec;
    spec.kind = shim::MountKind::filesystem;
    spec.type = text_of(mount, "type");
    spec.source = text_of(mount, "source");
    // As a person reads it: a ".." in a target is not a walk through the image.
    spec.target =
        std::filesystem::path("/" + text_of(mount, "destination")).lexically_normal().string();
    if (spec.target.starts_with("//"))
        spec.target.erase(0, 1);
    if (spec.target.size() > 1 && spec.target.ends_with('/'))
        spec.target.pop_back();
    if (text_of(mount, "destination").empty())
        throw Error("config.json: a mount has no destination");
    if (is_bind_type(spec.type))
        add_option(spec.type, spec);
    for (const auto& option : texts_of(mount, "options"))
        add_option(option, spec);
    if (spec.kind == shim::MountKind::exact_bind && !spec.source.empty() &&
        !spec.source.starts_with('/'))
        spec.source = bundle + "/" + spec.source;
    check(spec, mount);
    return spec;
}

void add_mounts(const Json& mounts,
                const std::string& bundle,
                const GroupDirectories& groups,
                shim::Spec& spec) {
    for (const auto& one : mounts) {
        shim::MountSpec mount = mount_for(one, bundle);
        if (mount.kind == shim::MountKind::filesystem &&
            (mount.type == "cgroup" || mount.type == "cgroup2"))
            add_groups(mount, groups, spec);
        else
            spec.mounts.push_back(std::move(mount));
    }
}

}  // namespace stack::oci
