#include "engine/build/inputs.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <fcntl.h>

namespace stack::build {
namespace {

constexpr const char* epoch_variable = "SOURCE_DATE_EPOCH";
constexpr const char* check_variable = "BUILDKIT_DOCKERFILE_CHECK";
constexpr std::size_t longest_dockerfile = 4U << 20U;  // bytes
constexpr std::size_t longest_ignore_file = 1U << 20U;

std::string dockerfile_path(const Build& build) {
    return sys::absolute_path(build.dockerfile.empty() ? "Dockerfile" : build.dockerfile,
                              build.context);
}

/// The path below the context where it lies there; empty otherwise.
std::string below_context(const std::string& path, const Build& build) {
    const std::string prefix = sys::absolute_path(build.context, "/") + "/";
    return path.starts_with(prefix) ? path.substr(prefix.size()) : "";
}

/// A file the user named. Inside the context a link leads no further than the context's root.
std::optional<std::string> read_named(const Build& build,
                                      const std::string& path,
                                      std::size_t limit) {
    const std::string inside = below_context(path, build);
    if (!inside.empty())
        return sys::read_in_root(sys::open_directory(build.context), inside, limit);
    if (!sys::is_directory(sys::parent_path(path)))
        return std::nullopt;
    return sys::read_in_root(
        sys::open_directory(sys::parent_path(path)), sys::file_name(path), limit);
}

std::string for_people(const std::string& path) {
    const std::string here = sys::real_path(".").value_or("") + "/";
    return here != "/" && path.starts_with(here) ? path.substr(here.size()) : path;
}

std::string read_dockerfile(const Build& build, std::string& name) {
    name = "dockerfile_inline";
    if (!build.dockerfile_inline.empty())
        return build.dockerfile_inline;
    if (!sys::is_directory(build.context))
        throw Error("the build context " + build.context +
                    " is no directory: make it, or correct `context`");
    const std::string path = dockerfile_path(build);
    name = for_people(path);
    auto text = read_named(build, path, longest_dockerfile);
    if (!text)
        throw Error("there is no Dockerfile at " + path +
                    ": write it, or name another (`dockerfile` of a stack file's build, -f of "
                    "`stack image build`)");
    return *std::move(text);
}

std::optional<std::int64_t> epoch_of(const StringMap& arguments) {
    const auto epoch = arguments.find(epoch_variable);
    if (epoch == arguments.end() || epoch->second.empty())
        return std::nullopt;
    const auto seconds = parse_number<std::int64_t>(epoch->second);
    if (!seconds || *seconds < 0)
        throw Error("SOURCE_DATE_EPOCH is `" + epoch->second +
                    "`, not a number of seconds since 1970: `git log -1 --format=%ct` prints one");
    return seconds;
}

/// The argument stands for the directive as a whole.
CheckOptions check_options(const Dockerfile& file, const StringMap& arguments) {
    const auto given = arguments.find(check_variable);
    if (given == arguments.end())
        return file.check;
    auto options = parse_check_options(given->second);
    if (!options)
        throw Error(std::string(check_variable) + ": " + options.error().message);
    return *std::move(options);
}

StringMap given_arguments(const Build& build, const StringMap& environment) {
    StringMap arguments;
    for (const auto& [name, value] : build.args) {
        const auto inherited = environment.find(name);
        if (value)
            arguments[name] = *value;
        else if (inherited != environment.end())
            arguments[name] = inherited->second;
    }
    // As docker has it: the environment's is meant for every build.
    if (const auto epoch = environment.find(epoch_variable); epoch != environment.end())
        arguments.try_emplace(epoch_variable, epoch->second);
    return arguments;
}

std::string digests_file(const Paths& paths, const std::string& of) {
    return paths.state + "/build/context-cache/" + sha256_hex(of);
}

/// None for a directory that is of this build alone (remote.h).
std::unique_ptr<DigestCache> kept_digests(const Paths& paths, const std::string& directory) {
    if (directory.starts_with(paths.state + "/build/"))
        return nullptr;
    return std::make_unique<DigestCache>(digests_file(paths, directory));
}

}  // namespace

IgnoreRules read_ignore_rules(const Build& build) {
    const std::string own = dockerfile_path(build) + ".dockerignore";
    std::string file = own;
    auto text = build.dockerfile_inline.empty() ? read_named(build, own, longest_ignore_file)
                                                : std::nullopt;
    if (!text) {
        file = sys::absolute_path(".dockerignore", build.context);
        text = read_named(build, file, longest_ignore_file);
    }
    if (!text)
        return {};
    Diagnostics diagnostics;
    auto rules = IgnoreRules::parse(*text, for_people(file), diagnostics);
    if (has_errors(diagnostics))
        throw Error(to_text(diagnostics, nullptr, nullptr));
    return rules;
}

std::string target_platform(const Build& build) {
    return build.platforms.empty() ? machine_platform() : build.platforms.front();
}

BuildInputs read_inputs(const Build& build, const StringMap& environment) {
    BuildInputs inputs;
    inputs.text = read_dockerfile(build, inputs.file);
    inputs.dockerfile = parse_dockerfile(inputs.text, inputs.file);
    inputs.choices.arguments = given_arguments(build, environment);
    inputs.check = check_options(inputs.dockerfile, inputs.choices.arguments);
    if (inputs.check.asks_for("CopyIgnoredFile"))
        inputs.ignored = read_ignore_rules(build);
    inputs.diagnostics = checked(inputs.dockerfile.diagnostics, {inputs.check.skip, false});
    inputs.epoch = epoch_of(inputs.choices.arguments);
    inputs.choices.target = build.target;
    inputs.choices.platform = target_platform(build);
    for (const auto& [name, source] : build.additional_contexts)
        inputs.choices.contexts.push_back(name);
    if (!has_errors(inputs.diagnostics)) {
        inputs.plan = plan_build(inputs.dockerfile, inputs.choices);
        inputs.diagnostics.insert(inputs.diagnostics.end(),
                                  inputs.plan.diagnostics.begin(),
                                  inputs.plan.diagnostics.end());
    }
    inputs.scope = {inputs.plan.globals, inputs.choices.arguments, inputs.dockerfile.escape};
    return inputs;
}

SourceTree open_context(const Paths& paths, const Build& build) {
    SourceTree tree(
        sys::open_directory(build.context), SourceTree::Owners::root, read_ignore_rules(build));
    tree.use(kept_digests(paths, build.context));
    return tree;
}

std::unique_ptr<DigestCache> kept_digests_of_layers(const Paths& paths, const Strings& layers) {
    return std::make_unique<DigestCache>(digests_file(paths, "layers " + join(layers, " ")),
                                         DigestCache::Content::stays);
}

SourceTree open_additional_context(const Paths& paths, const std::string& directory) {
    Build build;
    build.context = directory;
    build.dockerfile_inline = "FROM scratch";  // it has none, so .dockerignore counts alone
    SourceTree tree(
        sys::open_directory(directory), SourceTree::Owners::root, read_ignore_rules(build));
    tree.use(kept_digests(paths, directory));
    return tree;
}

}  // namespace stack::build
