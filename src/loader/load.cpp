// The order of steps is the reference implementation's (compose.md 1.1).

#include <stack/load.h>

#include "base/text.h"
#include "loader/decode.h"
#include "loader/dotenv.h"
#include "loader/interpolate.h"
#include "loader/merge.h"
#include "loader/paths.h"
#include "loader/validate.h"

#include <algorithm>

namespace stack {
namespace loader {
namespace {

constexpr std::size_t most_files = 200;  // included and extended ones together

std::string directory_of(const std::string& file) {
    const auto slash = file.find_last_of('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : file.substr(0, slash);
}

std::string base_name(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

Variables variables_of(const StringMap& environment) {
    return [&environment](const std::string& name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        return found == environment.end() ? std::nullopt : std::optional(found->second);
    };
}

class Loader {
  public:
    explicit Loader(const LoadInput& input)
        : input_(input), environment_(input.environment), reporter_(result_.diagnostics) {}

    LoadResult run() {
        choose_early_name();
        Node root;
        root.kind = NodeKind::mapping;
        for (const auto& file : input_.files)
            if (auto loaded = load_file(file, input_.project_directory, nullptr))
                merge_into(root, std::move(*loaded), "");
        resolve_tags(root);
        drop_duplicates(root, "");
        if (has_errors(result_.diagnostics))
            return std::move(result_);
        Stack stack = decode_stack(root, reporter_);
        choose_name(stack, root);
        stack.working_dir = input_.project_directory;
        stack.files = input_.files;
        apply_profiles(stack, input_.profiles, input_.named_services);
        if (input_.resolve_environment)
            resolve_environment(stack, root);
        if (input_.normalize) {
            normalize(stack);
            validate(stack, root, reporter_);
        }
        if (!has_errors(result_.diagnostics))
            result_.stack = std::move(stack);
        return std::move(result_);
    }

  private:
    // --- files ---

    const std::string* read(const std::string& path, const Location* from) {
        if (const auto known = result_.sources.find(path); known != result_.sources.end())
            return &known->second;
        if (result_.sources.size() >= most_files) {
            reporter_.error(
                {path, 0, 0, 1},
                "too-many-files",
                "more than 200 files belong to this stack: do they include each other?");
            return nullptr;
        }
        auto text = input_.read_file(path);
        if (!text) {
            reporter_.error(from == nullptr ? Location{path, 0, 0, 1} : *from,
                            "no-file",
                            "the file " + path + " does not exist");
            return nullptr;
        }
        return &(result_.sources[path] = std::move(*text));
    }

    /// A file with its documents merged, its variables put in, its includes and extends resolved,
    /// its paths absolute.
    std::optional<Node> load_file(const std::string& path,
                                  const std::string& directory,
                                  const Location* from) {
        if (std::find(open_files_.begin(), open_files_.end(), path) != open_files_.end()) {
            reporter_.error(from == nullptr ? Location{path, 0, 0, 1} : *from,
                            "circular-include",
                            "files include each other in a circle: " + join(open_files_, " -> ") +
                                " -> " + path);
            return std::nullopt;
        }
        const std::string* text = read(path, from);
        if (text == nullptr)
            return std::nullopt;
        open_files_.push_back(path);
        Node merged;
        merged.kind = NodeKind::mapping;
        merged.at = {path, 1, 1, 1};
        for (auto& document : parse_yaml(path, *text, result_.diagnostics)) {
            if (!document.is_mapping() && !document.is_null()) {
                reporter_.wrong_type(document, "a stack file", "a mapping");
                continue;
            }
            if (input_.interpolate)
                interpolate_tree(
                    document, variables_of(environment_), warned_, result_.diagnostics);
            resolve_includes(document, directory);
            if (input_.resolve_paths)
                resolve_paths(document, directory, environment_["HOME"]);
            merge_into(merged, std::move(document), "");
        }
        resolve_all_extends(merged, path, directory);
        open_files_.pop_back();
        return merged;
    }

    // --- include ---

    void resolve_includes(Node& document, const std::string& directory) {
        const Node* include = document.find("include");
        if (include == nullptr)
            return;
        Node included;
        included.kind = NodeKind::mapping;
        for_each_item(*include,
                      [&](const Node& entry) { include_one(entry, directory, included); });
        std::erase_if(document.entries,
                      [](const auto& entry) { return entry.first.text == "include"; });
        merge_into(included, std::move(document), "");
        document = std::move(included);
    }

    void include_one(const Node& entry, const std::string& directory, Node& target) {
        Strings paths;
        std::string own_directory;
        Strings env_files;
        if (entry.is_scalar()) {
            paths = {entry.value};
        } else {
            Object object(entry, "an element of `include`", reporter_);
            object.strings("path", paths);
            object.text("project_directory", own_directory);
            object.strings("env_file", env_files);
        }
        const std::string home = environment_["HOME"];
        for (auto& path : paths)
            path = absolute(path, directory, home);
        if (paths.empty())
            return;
        own_directory = own_directory.empty() ? directory_of(paths.front())
                                              : absolute(own_directory, directory, home);
        if (env_files.empty())
            env_files = {own_directory + "/.env"};
        const StringMap outer = environment_;
        for (const auto& file : env_files)  // what the parent has stays above
            add_variables(absolute(file, directory, home));
        for (const auto& path : paths)
            if (auto loaded = load_file(path, own_directory, &entry.at))
                merge_into(target, std::move(*loaded), "");
        environment_ = outer;
    }

    void add_variables(const std::string& file) {
        const auto text = input_.read_file(file);
        if (!text)
            return;
        for (auto& [name, value] :
             parse_dotenv(file, *text, variables_of(environment_), false, result_.diagnostics))
            if (value)
                environment_.emplace(name, *value);
    }

    // --- extends ---

    void resolve_all_extends(Node& file, const std::string& path, const std::string& directory) {
        Node* services = file.find("services");
        if (services == nullptr)
            return;
        for (auto& [name, service] : services->entries) {
            Strings chain{path + ":" + name.text};
            resolve_extends(file, service, directory, chain);
        }
    }

    void resolve_extends(const Node& file,
                         Node& service,
                         const std::string& directory,
                         Strings& chain) {
        const Node* extends = service.find("extends");
        if (extends == nullptr || extends->is_null())
            return;
        const Node* name = extends->is_mapping() ? extends->find("service") : extends;
        const Node* other_file = extends->is_mapping() ? extends->find("file") : nullptr;
        if (name == nullptr || !name->is_scalar()) {
            reporter_.error(extends->at, "missing-key", "`extends` needs `service`");
            return;
        }
        std::optional<Node> loaded;
        std::string base_directory = directory;
        std::string base_path = extends->at.file;
        if (other_file != nullptr) {
            base_path = absolute(other_file->value, directory, environment_["HOME"]);
            base_directory = directory_of(base_path);
            if (base_path != extends->at.file) {
                loaded = load_raw(base_path, base_directory, other_file->at);
                if (!loaded)
                    return;
            }
        }
        const std::string link = base_path + ":" + name->value;
        if (std::find(chain.begin(), chain.end(), link) != chain.end()) {
            reporter_.error(
                extends->at,
                "circular-extends",
                "services extend each other in a circle: " + join(chain, " -> ") + " -> " + link);
            return;
        }
        chain.push_back(link);
        const Node& source = loaded ? *loaded : file;
        const Node* services = source.find("services");
        const Node* found = services == nullptr ? nullptr : services->find(name->value);
        if (found == nullptr) {
            reporter_.error(
                name->at,
                "undefined",
                "`extends` refers to service `" + name->value + "`, which is not in " + base_path);
            return;
        }
        Node base = *found;
        resolve_extends(source, base, base_directory, chain);
        std::erase_if(service.entries,
                      [](const auto& entry) { return entry.first.text == "extends"; });
        merge_into(base, std::move(service), "services.x");
        service = std::move(base);
    }

    /// A file to extend from: its services only, unmerged.
    std::optional<Node> load_raw(const std::string& path,
                                 const std::string& directory,
                                 const Location& from) {
        const std::string* text = read(path, &from);
        if (text == nullptr)
            return std::nullopt;
        auto documents = parse_yaml(path, *text, result_.diagnostics);
        if (documents.empty())
            return std::nullopt;
        Node document = std::move(documents.front());
        if (input_.interpolate)
            interpolate_tree(document, variables_of(environment_), warned_, result_.diagnostics);
        if (input_.resolve_paths)
            resolve_paths(document, directory, environment_["HOME"]);
        return document;
    }

    // --- names and environment ---

    /// What interpolation of COMPOSE_PROJECT_NAME sees, as far as it is known before the files are
    /// read.
    void choose_early_name() {
        std::string name = input_.project_name;
        if (name.empty())
            name = normalized_name(base_name(input_.project_directory));
        environment_.emplace("COMPOSE_PROJECT_NAME", name);
    }

    void choose_name(Stack& stack, const Node& root) {
        if (!input_.project_name.empty()) {
            if (normalized_name(input_.project_name) != input_.project_name)
                reporter_.error(
                    {"", 0, 0, 1},
                    "project-name",
                    "\"" + input_.project_name + "\" is no name for a project",
                    "lower-case letters, digits, '-' and '_', beginning with a letter or digit");
            stack.name = input_.project_name;
            return;
        }
        if (stack.name.empty())
            stack.name = normalized_name(base_name(input_.project_directory));
        else
            stack.name = normalized_name(stack.name);
        if (stack.name.empty())
            reporter_.error(root.at,
                            "project-name",
                            "the project's name is empty",
                            "give one with `name:` or -p");
    }

    void resolve_environment(Stack& stack, const Node& root) {
        for (auto& [name, service] : stack.services) {
            read_env_files(service, root);
            for (auto variable = service.environment.begin(); variable != service.environment.end();
                 ++variable) {
                if (variable->second)
                    continue;
                const auto found = environment_.find(variable->first);
                if (found != environment_.end())
                    variable->second = found->second;
            }
            if (service.build)
                for (auto& [argument, value] : service.build->args)
                    if (const auto found = environment_.find(argument);
                        !value && found != environment_.end())
                        value = found->second;
        }
        for (auto* sources : {&stack.secrets, &stack.configs})
            for (auto& [key, source] : *sources)
                if (!source.environment.empty()) {
                    const auto found = environment_.find(source.environment);
                    if (found != environment_.end())
                        source.content = found->second;
                    else
                        reporter_.error({"", 0, 0, 1},
                                        "unset-variable",
                                        "environment variable " + source.environment + " of `" +
                                            key + "` is not set");
                }
    }

    /// Later files above earlier ones, the service's own environment above all of them.
    void read_env_files(Service& service, const Node& root) {
        std::map<std::string, std::optional<std::string>> variables;
        for (const auto& file : service.env_file) {
            const auto text = input_.read_file(file.path);
            if (!text) {
                if (file.required) {
                    const Node* services = root.find("services");
                    const Node* own = services == nullptr ? nullptr : services->find(service.name);
                    const Node* list = own == nullptr ? nullptr : own->find("env_file");
                    reporter_.error(list == nullptr ? Location{}
                                    : list->is_sequence() && !list->items.empty()
                                        ? list->items.front().at
                                        : list->at,
                                    "no-file",
                                    "env_file " + file.path + " of service `" + service.name +
                                        "` does not exist",
                                    "`required: false` makes it optional");
                }
                continue;
            }
            result_.sources.emplace(file.path, *text);
            for (auto& [name, value] : parse_dotenv(file.path,
                                                    *text,
                                                    variables_of(environment_),
                                                    file.format == "raw",
                                                    result_.diagnostics))
                variables[name] = std::move(value);
        }
        for (auto& [name, value] : variables)
            service.environment.emplace(name, std::move(value));
    }

    const LoadInput& input_;
    LoadResult result_;
    StringMap environment_;
    Reporter reporter_;
    std::set<std::string> warned_;
    Strings open_files_;
};

}  // namespace
}  // namespace loader

LoadResult load(const LoadInput& input) {
    return loader::Loader(input).run();
}

StringMap merge_environment(const StringMap& process,
                            const Strings& env_files,
                            const ReadFile& read_file,
                            Diagnostics& diagnostics) {
    StringMap files;
    for (const auto& file : env_files) {
        const auto text = read_file(file);
        if (!text) {
            diagnostics.push_back({Severity::error,
                                   "no-file",
                                   "the environment file " + file + " does not exist",
                                   {file, 0, 0, 1},
                                   "",
                                   {}});
            continue;
        }
        const auto variables = [&](const std::string& name) -> std::optional<std::string> {
            for (const StringMap* map : {&process, static_cast<const StringMap*>(&files)})
                if (const auto found = map->find(name); found != map->end())
                    return found->second;
            return std::nullopt;
        };
        for (auto& [name, value] : loader::parse_dotenv(file, *text, variables, false, diagnostics))
            if (value)
                files[name] = std::move(*value);
    }
    StringMap merged = process;
    merged.merge(files);
    return merged;
}

}  // namespace stack
