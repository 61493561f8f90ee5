#include "engine/build/run_step.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/build/build.h"
#include "engine/build/cache.h"
#include "engine/build/expand.h"
#include "engine/build/mount_points.h"
#include "engine/build/secrets.h"
#include "engine/build/step_mounts.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"

#include <algorithm>

namespace stack::build {
namespace {

/// What the shell or exec gets. A command that is nothing but a heredoc is the script in it.
Strings step_command(const State& state, const Run& run, std::optional<Heredoc>& script) {
    if (run.heredocs.empty())
        return command_words(state, run.command);
    const std::string& line = run.command.words.front();
    HeredocWord word;
    const bool alone = run.heredocs.size() == 1 && line.find_first_of(" \t") == std::string::npos &&
                       parse_heredoc_word(line, word);
    if (alone && run.heredocs[0].content.starts_with("#!")) {
        script = run.heredocs[0];
        return {"/dev/pipes/" + script->name};
    }
    if (alone)
        return command_words(state, {true, {run.heredocs[0].content}});
    std::string text = line;
    for (const auto& heredoc : run.heredocs)
        text += "\n" + heredoc.content + heredoc.name;
    return command_words(state, {true, {text}});
}

class RunPreparer {
  public:
    RunPreparer(const Instruction& instruction,
                const State& state,
                const RunSurroundings& around,
                Sources& sources)
        : instruction_(instruction), state_(state), around_(around), sources_(sources) {}

    PreparedRun run() {
        const Run& run = std::get<Run>(instruction_.body);
        result_.command = step_command(state_, run, result_.script);
        result_.environment = environment_of(state_, around_.scope, true);
        result_.user = state_.config.user;
        result_.working_dir = state_.config.working_dir.empty() ? "/" : state_.config.working_dir;
        result_.network = run.network;
        if (run.network == "default" && !around_.build.network.empty())
            result_.network = around_.build.network;
        check_network(run);
        for (const auto& text : run.mounts)
            add_mount(text);
        if (!has_errors(result_.diagnostics))
            result_.key = key_for();
        return std::move(result_);
    }

  private:
    /// A Dockerfile alone does not get the host's network: localhost and its sockets are others'.
    void check_network(const Run& run) {
        constexpr const char* entitlement = "network.host";
        const Strings& allowed = around_.build.entitlements;
        if (run.network != "host" || around_.build.network == "host" ||
            std::find(allowed.begin(), allowed.end(), entitlement) != allowed.end())
            return;
        result_.diagnostics.push_back(
            {Severity::error,
             "entitlement",
             "RUN --network=host needs the entitlement network.host",
             instruction_.location,
             "allow it with `entitlements: [network.host]` of the build, or --allow network.host",
             {}});
    }

    void complain(std::string message, std::string hint = {}) {
        result_.diagnostics.push_back({Severity::error,
                                       "bad-mount",
                                       std::move(message),
                                       instruction_.location,
                                       std::move(hint),
                                       {}});
    }

    void add_mount(const std::string& text) {
        const auto expanded = expand(text, variables_of(state_), around_.scope.escape);
        const auto mount = expanded ? parse_run_mount(*expanded) : tl::unexpected(expanded.error());
        if (!mount) {
            complain(mount.error().message);
            return;
        }
        PreparedRunMount prepared;
        prepared.mount = *mount;
        prepared.target = absolute_in(state_, mount->target);
        switch (mount->type) {
            case RunMountType::bind:
                if (!add_files(prepared))
                    return;
                prepared.tree->add_digests(prepared.files);
                key_mount(prepared, content_digest(prepared.files));
                result_.mounts.push_back(std::move(prepared));
                break;
            case RunMountType::cache:
                if (prepared.mount.id.empty())
                    prepared.mount.id = prepared.target;
                key_mount(prepared, "");
                if (!mount->from.empty() && !add_files(prepared))
                    return;
                result_.mounts.push_back(std::move(prepared));
                break;
            case RunMountType::tmpfs:
                key_mount(prepared, "");
                result_.mounts.push_back(std::move(prepared));
                break;
            case RunMountType::secret:
                add_secret(std::move(prepared));
                break;
            case RunMountType::ssh:
                add_agent(std::move(prepared));
                break;
        }
    }

    /// A bind's files, or those that a new cache begins with. False where they are not there.
    [[nodiscard]] bool add_files(PreparedRunMount& prepared) {
        const std::string& from = prepared.mount.from;
        const auto source = from.empty()
                                ? std::nullopt
                                : find_source(around_.file, around_.contexts, from, around_.stage);
        const SourceTree& tree = source ? sources_.open(*source) : sources_.context();
        if (tree.resolve(prepared.mount.source))
            prepared.files = tree.list(prepared.mount.source, {});
        if (prepared.files.empty()) {  // also a directory of which all is ignored
            complain("the source `" + prepared.mount.source + "` of the mount is not in " +
                     (from.empty() ? "the build context" : "`" + from + "`"));
            return false;
        }
        prepared.tree = &tree;
        return true;
    }

    /// What is in it is of no interest before the step runs: one that the cache has needs none.
    void add_secret(PreparedRunMount prepared) {
        const RunMount& mount = prepared.mount;
        const std::string id = !mount.id.empty()       ? mount.id
                               : !mount.source.empty() ? mount.source
                                                       : sys::file_name("/" + mount.target);
        prepared.mount.id = id;
        if (mount.target.empty())
            prepared.target = mount.environment ? "" : "/run/secrets/" + id;
        key_mount(prepared, id + " " + mount.environment.value_or(""));
        prepared.secret = find_secret(around_.build, around_.environment, id);
        if (prepared.secret)
            result_.mounts.push_back(std::move(prepared));
        else if (mount.required)
            complain("the secret `" + id + "` is required and not given",
                     "name it under `secrets` of the build");
    }

    void add_agent(PreparedRunMount prepared) {
        constexpr const char* variable = "SSH_AUTH_SOCK";
        const std::string id = prepared.mount.id.empty() ? "default" : prepared.mount.id;
        if (prepared.mount.target.empty())
            prepared.target = "/run/buildkit/ssh_agent." + std::to_string(agents_);
        ++agents_;
        key_mount(prepared, id);
        auto agent = find_agent(around_.build, around_.environment, id);
        if (!agent) {
            if (prepared.mount.required)
                complain(
                    "the ssh agent `" + id + "` is required and not given",
                    "name it under `ssh` of the build, and SSH_AUTH_SOCK where it is `default`");
            return;
        }
        if (!agent->missing.empty()) {
            complain("the ssh agent `" + id + "` is " + agent->missing + ", where nothing is",
                     "name the socket of an agent, or key files");
            return;
        }
        const auto& mounts = result_.mounts;
        if (std::none_of(mounts.begin(), mounts.end(), [](const PreparedRunMount& other) {
                return other.mount.type == RunMountType::ssh;
            }))
            result_.environment.push_back(std::string(variable) + "=" + prepared.target);
        prepared.agent = *std::move(agent);
        result_.mounts.push_back(std::move(prepared));
    }

    [[nodiscard]] std::string key_for() const {
        CacheKey key("run");
        key.add("layers", state_.layers)
            .add("command", result_.command)
            .add("environment", environment_of(state_, around_.scope, false))
            .add("user", result_.user)
            .add("directory", result_.working_dir)
            .add("network", result_.network)
            .add("script", result_.script ? result_.script->content : "")
            .add("mounts", mount_keys_);
        return key.finish();
    }

    /// What a mount is for the key of the step, whether or not it is given. `content` is never a
    /// secret's.
    void key_mount(const PreparedRunMount& prepared, const std::string& content) {
        mount_keys_.push_back(std::to_string(static_cast<int>(prepared.mount.type)) +
                              (prepared.mount.read_only ? " ro " : " rw ") + prepared.target + " " +
                              content);
    }

    const Instruction& instruction_;
    const State& state_;
    const RunSurroundings& around_;
    Sources& sources_;
    int agents_ = 0;
    Strings mount_keys_;
    PreparedRun result_;
};

}  // namespace

PreparedRun prepare_run(const Instruction& instruction,
                        const State& state,
                        const RunSurroundings& around,
                        Sources& sources) {
    return RunPreparer(instruction, state, around, sources).run();
}

int execute_run(const Paths& paths,
                const Build& build,
                const std::string& name,
                const PreparedRun& prepared,
                const NewLayer& layer,
                const std::function<void(std::string_view)>& output,
                const std::stop_token& stop) {
    StepMounts mounts(paths, layer);
    runtime::StepSpec step;
    step.name = name;
    step.lowers = layer.lowers();
    step.upper = layer.upper();
    step.work = layer.work();
    step.command = prepared.command;
    step.environment = prepared.environment;
    step.user = prepared.user;
    step.working_dir = prepared.working_dir;
    step.network = prepared.network;
    step.extra_hosts = build.extra_hosts;
    step.shm_size = build.shm_size;
    step.ulimits = build.ulimits;
    mounts.claim_caches(prepared.mounts);
    for (const auto& mount : prepared.mounts)
        mounts.add(mount, step);
    if (prepared.script)
        step.mounts.push_back(mounts.make_script(*prepared.script));
    Strings targets;
    for (const auto& mount : step.mounts)
        targets.push_back(mount.target);
    const MountPoints points(layer, targets);
    const cgroup::Cgroups cgroups;
    network::Networks networks(paths);
    const int status = runtime::run_step(paths, cgroups, networks, step, output, stop);
    points.remove();
    return status;
}

}  // namespace stack::build
