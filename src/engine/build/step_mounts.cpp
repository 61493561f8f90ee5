#include "engine/build/step_mounts.h"

#include "engine/build/copy.h"
#include "engine/build/secrets.h"
#include "sys/file.h"

#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

CacheMount::Use use_of(CacheSharing sharing) {
    switch (sharing) {
        case CacheSharing::shared:
            break;
        case CacheSharing::exclusive:
            return CacheMount::Use::alone_or_not;
        case CacheSharing::locked:
            return CacheMount::Use::alone;
    }
    return CacheMount::Use::shared;
}

Owner owner_of(const RunMount& mount) {
    return {mount.uid.value_or(0), mount.gid.value_or(0)};
}

/// Of a context a step sees a copy: it may change any moment, has other owners and holds what is
/// ignored. Whatever the step writes there is gone with it, and no link leads out of it.
std::string copy_files(const PreparedRunMount& prepared, const std::string& place) {
    sys::ensure_directory(place, 0755);
    const sys::Fd directory = sys::open_directory(place);
    const bool single = !S_ISDIR(prepared.files.front().status.st_mode);
    TreeWriter(directory, {}).write(*prepared.tree, prepared.files, {single ? "file" : ""});
    return single ? place + "/file" : place;
}

void make_cache(const PreparedRunMount& prepared, const std::string& directory) {
    sys::ensure_directory(directory);
    if (prepared.tree != nullptr)
        copy_files(prepared, directory);
    const sys::Fd made = sys::open_directory(directory);
    const Owner owner = owner_of(prepared.mount);
    sys::check(::fchown(made.get(), owner.uid, owner.gid), "set the owner of " + directory);
    sys::check(::fchmod(made.get(), prepared.mount.mode.value_or(0755)),
               "set the mode of " + directory);
}

}  // namespace

StepMounts::StepMounts(const Paths& paths, const NewLayer& layer)
    : paths_(paths), layer_(layer), files_(paths) {}

void StepMounts::claim_caches(const std::vector<PreparedRunMount>& mounts) {
    std::map<std::string, CacheMount::Use> uses;
    for (const auto& prepared : mounts) {
        if (prepared.mount.type != RunMountType::cache)
            continue;
        const auto wanted = use_of(prepared.mount.sharing);
        auto& use = uses.try_emplace(prepared.mount.id, wanted).first->second;
        use = std::max(use, wanted);
    }
    for (const auto& [id, use] : uses)
        caches_.emplace(id, CacheMount::open(paths_, id, use));
}

void StepMounts::add(const PreparedRunMount& prepared, runtime::StepSpec& step) {
    const std::string secret = prepared.secret ? content_of(*prepared.secret) : "";
    const auto& variable = prepared.mount.environment;
    if (prepared.secret && variable)
        step.environment.push_back((variable->empty() ? prepared.mount.id : *variable) + "=" +
                                   secret);
    if (!prepared.target.empty())
        step.mounts.push_back(make(prepared, secret, step));
}

Mount StepMounts::make_script(const Heredoc& script) const {
    Mount mount;
    mount.type = MountType::bind;
    mount.target = "/dev/pipes/" + script.name;
    mount.source = files_.write("script", script.content, 0755, {});
    mount.read_only = true;
    return mount;
}

Mount StepMounts::make(const PreparedRunMount& prepared,
                       const std::string& secret,
                       runtime::StepSpec& step) {
    Mount mount;
    mount.type = MountType::bind;
    mount.target = prepared.target;
    mount.read_only = prepared.mount.read_only;
    mount.create_host_path = false;
    ++count_;
    switch (prepared.mount.type) {
        case RunMountType::bind:
            make_bind(prepared, mount, step);
            break;
        case RunMountType::cache:
            mount.source = open_cache(prepared);
            break;
        case RunMountType::tmpfs:
            mount.type = MountType::tmpfs;
            mount.tmpfs_size = prepared.mount.size;
            break;
        case RunMountType::secret:
            mount.source = files_.write(std::to_string(count_),
                                        secret,
                                        prepared.mount.mode.value_or(0400),
                                        owner_of(prepared.mount));
            mount.read_only = true;
            break;
        case RunMountType::ssh:
            mount.source = files_.path() + "/" + std::to_string(count_);
            forward_agent(prepared);
            mount.read_only = true;
            break;
    }
    return mount;
}

void StepMounts::make_bind(const PreparedRunMount& prepared,
                           Mount& mount,
                           runtime::StepSpec& step) const {
    if (prepared.tree->lowers().empty()) {
        mount.source = copy_files(prepared, scratch_place());
        return;
    }
    mount.type = MountType::image;
    mount.source = std::to_string(count_);
    step.trees[mount.source] = open_tree(prepared);
}

void StepMounts::forward_agent(const PreparedRunMount& prepared) {
    agents_.push_back(std::make_unique<AgentForwarder>(files_.path(),
                                                       std::to_string(count_),
                                                       agent_of(prepared),
                                                       prepared.mount.mode.value_or(0600),
                                                       owner_of(prepared.mount)));
}

std::string StepMounts::agent_of(const PreparedRunMount& prepared) {
    if (prepared.agent.keys.empty())
        return prepared.agent.socket;
    std::string socket = files_.path() + "/keys" + std::to_string(count_);
    key_agents_.push_back(std::make_unique<KeyAgent>(socket, prepared.agent.keys));
    return socket;
}

/// Layers do not change: a step has them themselves, and what it writes there lies above them and
/// is gone with it.
runtime::LayerTree StepMounts::open_tree(const PreparedRunMount& prepared) const {
    runtime::LayerTree tree;
    tree.lowers = prepared.tree->lowers();
    tree.part = prepared.files.front().path;
    if (prepared.mount.read_only)
        return tree;
    tree.upper = scratch_place() + "/upper";
    tree.work = scratch_place() + "/work";
    sys::ensure_directory(tree.upper, 0755);
    sys::ensure_directory(tree.work, 0700);
    inherit_root(tree.lowers, tree.upper);
    return tree;
}

std::string StepMounts::open_cache(const PreparedRunMount& prepared) {
    const auto fill = [&prepared](const std::string& directory) {
        make_cache(prepared, directory);
    };
    if (const auto& cache = caches_.at(prepared.mount.id)) {
        cache->ensure(fill);
        return cache->directory();
    }
    std::string directory = scratch_place();
    fill(directory);
    return directory;
}

std::string StepMounts::scratch_place() const {
    return layer_.scratch() + "/" + std::to_string(count_);
}

}  // namespace stack::build
