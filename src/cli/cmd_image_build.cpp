// image build: an image from a Dockerfile and a context, without a stack file.

#include "base/text.h"
#include "base/units.h"
#include "cli/annotation.h"
#include "cli/build_call.h"
#include "cli/build_output.h"
#include "cli/cli11.h"
#include "cli/here.h"
#include "cli/image_commands.h"
#include "cli/options.h"
#include "cli/output_file.h"
#include "cli/progress.h"
#include "engine/build/inputs.h"
#include "engine/in_use.h"
#include "sys/fifo.h"
#include "sys/file.h"
#include "sys/terminal.h"

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

struct Options {
    std::string context;
    std::string file;
    Strings tags;
    Strings arguments;
    Strings labels;
    Strings annotations;
    Strings contexts;
    Strings secrets;
    Strings hosts;
    Strings no_cache_filter;
    Strings cache_from;
    Strings cache_to;
    Strings agents;
    Strings limits;
    std::string target;
    std::string platform;
    std::string network;
    Strings entitlements;
    std::string shm_size;
    std::string id_file;
    std::string metadata_file;
    std::string progress;
    Strings outputs;
    std::string call;
    bool no_cache = false;
    bool pull = false;
    bool quiet = false;
    bool check = false;
    bool push = false;
};

/// What has a scheme, or is standard input, stays as it is.
std::string place(const std::string& text) {
    constexpr std::string_view layout = "oci-layout://";
    if (text.starts_with(layout))
        return std::string(layout) + here(text.substr(layout.size()));
    const bool elsewhere = text == "-" || text.find("://") != std::string::npos ||
                           text.starts_with("git@") || text.starts_with("github.com/");
    return elsewhere ? text : here(text);
}

/// What comes out of a pipe (`<(…)`), which says it once and lies in no directory; nullopt where
/// the path is none's.
std::optional<std::string> text_of_pipe(const std::string& path) {
    return sys::is_fifo(path) ? sys::read_file(path) : std::nullopt;
}

/// `id=NAME,src=FILE` or `id=NAME,env=VARIABLE`.
BuildSecret secret_of(const std::string& text) {
    BuildSecret secret;
    for (const auto& part : split(text, ',')) {
        const auto [key, value] = split_once(part, '=');
        if (key == "id")
            secret.target = value;
        else if (key == "src" || key == "source")
            secret.content = text_of_pipe(secret.source = here(value));
        else if (key == "env")
            secret.source = value;
        else if (key != "type")
            give_up("--secret wants id=NAME,src=FILE or id=NAME,env=VARIABLE, not \"" + text +
                    "\"");
    }
    if (secret.target.empty())
        give_up("--secret \"" + text + "\" has no id");
    if (secret.source.empty())
        secret.source = secret.target;
    return secret;
}

/// A label without a value has an empty one.
StringMap labels_of(const Strings& texts) {
    StringMap labels;
    for (const auto& text : texts) {
        const auto [name, value] = split_once(text, '=');
        if (name.empty())
            give_up("--label wants NAME=VALUE, not \"" + text + "\"");
        labels[name] = value;
    }
    return labels;
}

StringMap pairs_of(const Strings& texts, const char* option) {
    StringMap pairs;
    for (const auto& text : texts) {
        const auto [key, value] = split_once(text, '=');
        if (key.empty() || key == text)
            give_up(std::string(option) + " wants NAME=VALUE, not \"" + text + "\"");
        pairs[key] = value;
    }
    return pairs;
}

/// `name:address` or `name=address`.
std::map<std::string, Strings> hosts_of(const Strings& texts) {
    std::map<std::string, Strings> hosts;
    for (const auto& text : texts) {
        const auto at = text.find_first_of("=:");
        if (at == std::string::npos || at == 0)
            give_up("--add-host wants NAME:ADDRESS, not \"" + text + "\"");
        hosts[text.substr(0, at)].push_back(text.substr(at + 1));
    }
    return hosts;
}

/// Directories of caches as they are from anywhere.
Strings caches_of(const Strings& texts) {
    Strings caches;
    for (const auto& text : texts) {
        auto parts = split(text, ',');
        for (auto& part : parts)
            if (const auto [key, value] = split_once(part, '='); key == "src" || key == "dest")
                part = key + "=" + here(value);
        caches.push_back(join(parts, ","));
    }
    return caches;
}

std::map<std::string, Ulimit> limits_of(const Strings& texts) {
    std::map<std::string, Ulimit> limits;
    for (const auto& text : texts) {
        const auto [name, values] = split_once(text, '=');
        const auto [soft, hard] = split_once(values, ':');
        const auto low = parse_number<std::int64_t>(soft);
        const auto high = hard.empty() ? low : parse_number<std::int64_t>(hard);
        if (!low || !high)
            give_up("--ulimit wants NAME=SOFT[:HARD], such as nofile=1024, not \"" + text + "\"");
        limits[name] = {*low, *high};
    }
    return limits;
}

Build build_of(const Options& options) {
    Build build;
    build.context = place(options.context);
    if (options.file == "-") {
        if (options.context == "-")
            give_up("standard input cannot be the Dockerfile and the context at once");
        build.dockerfile_inline = sys::read_standard_input();
    } else if (auto text = text_of_pipe(options.file)) {
        build.dockerfile_inline = *std::move(text);
    } else if (!options.file.empty()) {
        // As docker has it: from here, unless the context is elsewhere.
        build.dockerfile = build.context.starts_with('/') ? here(options.file) : options.file;
    }
    for (const auto& argument : options.arguments) {
        const auto [name, value] = split_once(argument, '=');
        build.args[name] = name == argument ? std::nullopt : std::optional(value);
    }
    build.labels = labels_of(options.labels);
    build.additional_contexts = pairs_of(options.contexts, "--build-context");
    for (auto& [name, source] : build.additional_contexts)
        source = place(source);
    for (const auto& text : options.secrets)
        build.secrets.push_back(secret_of(text));
    build.extra_hosts = hosts_of(options.hosts);
    build.ssh = agents_of(options.agents);
    build.cache_from = caches_of(options.cache_from);
    build.cache_to = caches_of(options.cache_to);
    build.ulimits = limits_of(options.limits);
    build.no_cache_filter = options.no_cache_filter;
    build.target = options.target;
    build.network = options.network;
    build.entitlements = options.entitlements;
    if (!options.platform.empty())
        build.platforms = split(options.platform, ',');
    if (!options.shm_size.empty()) {
        const auto bytes = parse_bytes(options.shm_size);
        if (!bytes)
            give_up("--shm-size: " + bytes.error().message);
        build.shm_size = *bytes;
    }
    if (options.tags.size() > 1)
        build.tags = {options.tags.begin() + 1, options.tags.end()};
    return build;
}

build::BuildRequest request_of(const Context& context,
                               const Options& options,
                               const std::vector<BuildOutput>& outputs) {
    build::BuildRequest request;
    request.tag = options.tags.empty() ? "" : options.tags.front();
    request.name = request.tag.empty() ? "build" : request.tag;
    request.build = build_of(options);
    request.environment = sys::environment();
    const std::string platform = build::target_platform(request.build);
    request.annotations = annotations_of(options.annotations, platform);
    for (const auto& output : outputs)
        add_annotation_fields(output.annotations, platform, request.annotations);
    request.no_cache = options.no_cache;
    request.pull = options.pull;
    request.find_in_use = [paths = context.paths] { return engine::find_in_use(paths); };
    return request;
}

/// The names that docker gives them.
void write_metadata(const Options& options, const std::string& id, const std::string& digest) {
    nlohmann::json json{{"containerimage.config.digest", id}, {"containerimage.digest", digest}};
    if (!options.tags.empty())
        json["image.name"] = join(options.tags, ",");
    write_output_file(options.metadata_file, json.dump(2) + "\n");
}

std::vector<BuildOutput> outputs_of(Options& options) {
    std::vector<BuildOutput> outputs;
    for (const auto& text : options.outputs) {
        outputs.push_back(parse_build_output(text));
        const auto& output = outputs.back();
        options.tags.insert(options.tags.end(), output.names.begin(), output.names.end());
        options.push = options.push || output.push;
    }
    if (options.push && options.tags.empty())
        give_up("an image without a name cannot be pushed: --tag says where it goes");
    return outputs;
}

/// Before a build is made for nothing.
void require_directory_of(const char* option, const std::string& file) {
    const std::string directory = file.empty() ? "" : sys::parent_path(here(file));
    if (!file.empty() && !sys::is_directory(directory))
        give_up(std::string(option) + " " + file + ": there is no directory " + directory);
}

void run(Context& context, Options options) {
    require_root();
    require_directory_of("--iidfile", options.id_file);
    require_directory_of("--metadata-file", options.metadata_file);
    const auto outputs = outputs_of(options);
    const auto request = request_of(context, options, outputs);
    BuildCall call = parse_build_call(options.call);
    if (options.check)
        call.method = BuildCall::Method::check;
    if (call.method != BuildCall::Method::build) {
        context.exit_code = answer(context, request, call);
        return;
    }
    Context shown = context;
    if (options.quiet)
        shown.globals.progress = "quiet";
    else if (!options.progress.empty())
        shown.globals.progress = options.progress == "rawjson" ? "json" : options.progress;
    const auto progress = make_progress(shown.globals, "Building");
    const auto result = build::build_image(
        context.paths, request, [&](const Event& event) { progress->show(event); });
    progress->finish();
    const std::string complaints = complaints_of(result);
    if (result.image_id.empty()) {
        sys::write_err(result.failure.empty() ? complaints : result.failure);
        context.exit_code = 1;
        return;
    }
    if (!options.quiet)
        sys::write_err(complaints);
    if (!options.id_file.empty())
        write_output_file(options.id_file, result.image_id);
    bool is_out_taken = false;
    for (const auto& output : outputs) {
        context.exit_code = write_build_output(shown, result.manifest_digest, options.tags, output);
        if (context.exit_code != 0)
            return;
        is_out_taken = is_out_taken || output.target == "-";
    }
    const Sent sent = options.push ? push_images(shown, options.tags) : Sent();
    context.exit_code = sent.status;
    if (!options.metadata_file.empty() && sent.status == 0)
        write_metadata(
            options, result.image_id, options.push ? sent.digests.front() : result.manifest_digest);
    if (options.quiet && !is_out_taken && context.exit_code == 0)
        sys::write_out(result.image_id + "\n");
}

/// What docker's builders take and what is otherwise here, or needs no asking.
void add_docker_options(CLI::App& app) {
    add_accepted_flag(app, "--rm,--force-rm", "a step leaves no container behind");
    add_accepted_flag(app, "--compress", "a context is not sent anywhere");
    add_accepted_flag(app, "--load", "the image goes into the store");
    add_accepted_flag(app, "-D,--debug", "what fails is told in full");
    add_accepted_option(app, "--builder", "there is one");
    add_accepted_option(app, "--isolation", "there is one kind");
    for (const auto* limit : {"-m,--memory",
                              "--memory-swap",
                              "-c,--cpu-shares",
                              "--cpu-period",
                              "--cpu-quota",
                              "--cpuset-cpus",
                              "--cpuset-mems",
                              "--cgroup-parent"})
        app.add_option_function<std::string>(
            limit,
            [limit](const std::string&) {
                warn(std::string(limit) + ": steps of a build are not held to it, ignoring");
            },
            "Accepted for compatibility, with a warning: steps are not held to it");
    add_attestation_options(app);
}

void add_result_options(CLI::App& app, Options& options) {
    app.add_option("-t,--tag", options.tags, "Name of the image (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--label", options.labels, "Label of the image: NAME=VALUE (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--annotation",
                   options.annotations,
                   "What the image's manifest says: [manifest:]NAME=VALUE (repeatable)")
        ->allow_extra_args(false);
    app.add_option("-o,--output",
                   options.outputs,
                   "Also write the image's files: DIR, - (a tar on standard output), "
                   "type=local,dest=DIR or type=tar,dest=FILE; or the image: type=oci,dest=FILE "
                   "(tar=false: a directory) or type=registry,name=NAME, with "
                   "annotation.NAME=VALUE as --annotation has it (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--push", options.push, "Send the image to the registries that its names say");
    app.add_option("--iidfile", options.id_file, "Write the image's id to this file");
    app.add_option("--metadata-file", options.metadata_file, "Write what was built, as JSON, here");
    app.add_option("--progress", options.progress, "auto, tty, plain, json (or rawjson) or quiet")
        ->check(CLI::IsMember({"auto", "tty", "plain", "json", "rawjson", "quiet"}));
    app.add_flag("-q,--quiet", options.quiet, "No progress; print the image's id");
    app.add_flag(
        "--check", options.check, "Look for what the Dockerfile had better not say; build nothing");
    app.add_option(
        "--call,--print",
        options.call,
        "build (default), or build nothing and say: check, which is --check; targets, the "
        "stages; outline, what the target can be given. With ,format=json for programs");
}

void add_cache_options(CLI::App& app, Options& options) {
    app.add_option("--cache-from",
                   options.cache_from,
                   "Steps that others have run: IMAGE, type=registry,ref=IMAGE or "
                   "type=local,src=DIRECTORY (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--cache-to",
                   options.cache_to,
                   "Where the steps go for others: type=registry,ref=IMAGE or "
                   "type=local,dest=DIRECTORY (mode=max: of every stage), or type=inline "
                   "(repeatable)")
        ->allow_extra_args(false);
}

void add_step_options(CLI::App& app, Options& options) {
    app.add_option("--add-host", options.hosts, "Name for the steps: NAME:ADDRESS (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--network", options.network, "Network of the steps: default, none or host");
    app.add_option("--shm-size", options.shm_size, "Size of the steps' /dev/shm");
    app.add_option("--secret",
                   options.secrets,
                   "Secret for the steps: id=NAME,src=FILE or id=NAME,env=VARIABLE (repeatable)")
        ->allow_extra_args(false);
    app.add_option("--ssh",
                   options.agents,
                   "ssh agent for RUN --mount=type=ssh, and as `default` for repositories by ssh: "
                   "default ($SSH_AUTH_SOCK), ID=SOCKET or ID=KEY,… (repeatable)")
        ->allow_extra_args(false);
    app.add_option(
           "--ulimit", options.limits, "A limit of each step: NAME=SOFT[:HARD] (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("--no-cache", options.no_cache, "Run every step");
    app.add_option("--no-cache-filter",
                   options.no_cache_filter,
                   "Run every step of these stages (separated by commas, repeatable)")
        ->allow_extra_args(false)
        ->delimiter(',');
}

}  // namespace

void add_attestation_options(CLI::App& app) {
    for (const auto* attestation : {"--provenance", "--sbom", "--attest"})
        app.add_option_function<std::string>(
            attestation,
            [attestation](const std::string& wanted) {
                const bool is_off = wanted == "false" || wanted.ends_with("disabled=true");
                if (!is_off)
                    warn(std::string(attestation) + ": no attestation is made, ignoring");
            },
            "Accepted for compatibility, with a warning: no attestation is made");
}

Strings agents_of(const Strings& texts) {
    Strings agents;
    for (const auto& text : texts) {
        const auto [id, given] = split_once(text, '=');
        Strings files;
        for (const auto& file : split(given, ','))
            files.push_back(here(file));
        agents.push_back(given.empty() ? id : id + "=" + join(files, ","));
    }
    return agents;
}

void add_image_build(CLI::App& group, Context& context) {
    auto* app = group.add_subcommand("build", "Build an image from a Dockerfile and a context");
    const auto options = std::make_shared<Options>();
    app->add_option("CONTEXT",
                    options->context,
                    "Directory, git repository, address of an archive, or - (standard input)")
        ->required();
    app->add_option("-f,--file", options->file, "Dockerfile (- is standard input)");
    app->add_option("--target", options->target, "Stage to build, instead of the last");
    app->add_option("--build-arg",
                    options->arguments,
                    "Build argument: NAME=VALUE, or NAME as the environment has it (repeatable)")
        ->allow_extra_args(false);
    app->add_option("--build-context",
                    options->contexts,
                    "Additional context: NAME=DIRECTORY, a repository's address, "
                    "docker-image://IMAGE or oci-layout://DIRECTORY (repeatable)")
        ->allow_extra_args(false);
    app->add_option("--platform", options->platform, "Platform of the image, as linux/amd64")
        ->envname("DOCKER_DEFAULT_PLATFORM");
    app->add_flag("--pull", options->pull, "Pull base images, also where they are here");
    app->add_option("--allow",
                    options->entitlements,
                    "network.host: RUN --network=host is what the Dockerfile may say (repeatable)")
        ->check(CLI::IsMember({"network.host"}))
        ->allow_extra_args(false);
    add_step_options(*app, *options);
    add_cache_options(*app, *options);
    add_result_options(*app, *options);
    add_docker_options(*app);
    app->callback([&context, options] { run(context, *options); });
}

}  // namespace stack::cli
