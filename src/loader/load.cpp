// The order of steps is the reference implementation's (compose.md 1.1).

#include <stack/load.h>

#include "base/text.h"
#include "loader/budget.h"
#include "loader/decode.h"
#include "loader/dotenv.h"
#include "loader/interpolate.h"
#include "loader/merge.h"
#include "loader/paths.h"
#include "loader/validate.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace stack {
namespace loader {
namespace {

constexpr int most_includes = 200;
constexpr std::size_t longest_chain = 100;  // of services that extend each other

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

/// The services of a file, for those who extend them.
struct Bases {
    Bases(Node& file, std::string in, std::string relative_to)
        : services(file.find("services")), path(std::move(in)), directory(std::move(relative_to)) {
        if (services != nullptr)
            index = index_of(*services);
    }

    Node* find(const std::string& name) const {
        const auto found = index.find(name);
        return found == index.end() ? nullptr : &services->entries[found->second].second;
    }

    Node* services;
    KeyIndex index;
    std::string path;
    std::string directory;
};

/// A file that services extend, read for that alone.
struct ExtendedFile {
    ExtendedFile(Node document, const std::string& path, const std::string& directory)
        : file(std::move(document)), bases(file, path, directory) {}

    ExtendedFile(const ExtendedFile&) = delete;
    ExtendedFile& operator=(const ExtendedFile&) = delete;

    Node file;
    Bases bases;
};

/// Each file's complaints in the order of its lines; what is about no file comes last.
void sort_by_place(Diagnostics& diagnostics) {
    std::map<std::string, std::size_t> rank;
    for (const auto& diagnostic : diagnostics)
        rank.emplace(diagnostic.location.file, rank.size());
    rank[""] = diagnostics.size();
    std::stable_sort(diagnostics.begin(), diagnostics.end(), [&](const auto& a, const auto& b) {
        const auto place = [&](const Location& at) {
            return std::tuple(rank.at(at.file), at.line, at.column);
        };
        return place(a.location) < place(b.location);
    });
}

class Loader {
  public:
    explicit Loader(const LoadInput& input)
        : input_(input),
          environment_(input.environment),
          reporter_(result_.diagnostics),
          budget_(reporter_) {}

    LoadResult run() {
        Strings files;
        for (const auto& file : input_.files)
            if (read(file, {file, 0, 0, 1}) != nullptr)
                files.push_back(file);
        choose_early_name(files);
        Node root;
        root.kind = NodeKind::mapping;
        for (const auto& file : files)
            if (auto loaded = load_file(file, input_.project_directory, {file, 0, 0, 1}))
                merge_into(root, std::move(*loaded), {});
        if (root.entries.empty() && !files.empty() && !reporter_.has_errors())
            reporter_.error({files.front(), 0, 0, 1},
                            "empty",
                            "the stack file is empty",
                            "declare what is to run under `services:`");
        resolve_tags(root);
        drop_duplicates(root, {});
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
            normalize(stack, budget_);
            validate(stack, root, reporter_);
        }
        if (!has_errors(result_.diagnostics))
            result_.stack = std::move(stack);
        return std::move(result_);
    }

  private:
    // --- files ---

    /// The text of a file; nullptr where there is none.
    const std::string* read_if_there(const std::string& path, const Location& from) {
        if (const auto known = result_.sources.find(path); known != result_.sources.end())
            return &known->second;
        auto text = input_.read_file(path);
        if (!text)
            return nullptr;
        if (text->size() > largest_file) {
            reporter_.error(from, "too-large", "the file " + path + " is larger than 4 MiB");
            text->clear();
        }
        return &(result_.sources[path] = std::move(*text));
    }

    const std::string* read(const std::string& path, const Location& from) {
        const std::string* text = read_if_there(path, from);
        if (text == nullptr)
            reporter_.error(from, "no-file", "the file " + path + " does not exist");
        return text;
    }

    /// The documents of a file that was read, as they are written.
    const std::vector<Node>& documents_of(const std::string& path) {
        const auto [known, is_new] = parsed_.try_emplace(path);
        const std::string& text = result_.sources[path];
        if (is_new && budget_.spend({0, text.size(), 0}, {path, 0, 0, 1}))
            known->second = parse_yaml(path, text, reporter_, budget_);
        return known->second;
    }

    /// Interpolated; paths are made absolute later, because includes come first. Parsing paid for
    /// the first use of a file, each further one pays for itself.
    std::vector<Node> values_of(const std::string& path) {
        std::vector<Node> documents = documents_of(path);
        const bool again = !used_.insert(path).second;
        for (auto& document : documents) {
            if (again && !budget_.spend(extent_of(document), {path, 0, 0, 1}))
                return {};
            if (input_.interpolate)
                interpolate_tree(document, variables_of(environment_), warned_, reporter_, budget_);
        }
        return documents;
    }

    /// A file with its documents merged, its variables put in, its includes and extends resolved,
    /// its paths absolute.
    std::optional<Node> load_file(const std::string& path,
                                  const std::string& directory,
                                  const Location& from) {
        if (std::find(open_files_.begin(), open_files_.end(), path) != open_files_.end()) {
            reporter_.error(from,
                            "circular-include",
                            "files include each other in a circle: " + join(open_files_, " -> ") +
                                " -> " + path);
            return std::nullopt;
        }
        if (read(path, from) == nullptr)
            return std::nullopt;
        open_files_.push_back(path);
        Node merged;
        merged.kind = NodeKind::mapping;
        merged.at = {path, 1, 1, 1};
        for (auto& document : values_of(path)) {
            if (!document.is_mapping() && !document.is_null()) {
                reporter_.wrong_type(document, "a stack file", "a mapping");
                continue;
            }
            resolve_includes(document, directory);
            if (input_.resolve_paths)
                resolve_paths(document, directory, home());
            merge_into(merged, std::move(document), {});
        }
        resolve_all_extends(merged, path, directory);
        open_files_.pop_back();
        return merged;
    }

    [[nodiscard]] std::string home() const {
        const auto found = environment_.find("HOME");
        return found == environment_.end() ? "" : found->second;
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
        merge_into(included, std::move(document), {});
        document = std::move(included);
    }

    void include_one(const Node& entry, const std::string& directory, Node& target) {
        if (includes_ > most_includes || budget_.is_spent())
            return;
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
        if (paths.empty()) {
            reporter_.error(entry.at, "missing-key", "an element of `include` needs `path`");
            return;
        }
        for (auto& path : paths)
            path = absolute(path, directory, home());
        own_directory = own_directory.empty() ? directory_of(paths.front())
                                              : absolute(own_directory, directory, home());
        const StringMap outer = environment_;
        auto outer_extended = std::exchange(extended_, {});  // their values are the outer ones
        if (env_files.empty())
            add_variables(own_directory + "/.env", entry.at, false);
        for (const auto& file : env_files)  // what the parent has stays above
            add_variables(absolute(file, directory, home()), entry.at, true);
        for (const auto& path : paths)
            if (auto loaded = include_file(path, own_directory, entry.at))
                merge_into(target, std::move(*loaded), {});
        extended_ = std::move(outer_extended);
        environment_ = outer;
    }

    /// A file that is included twice is loaded twice, so it is loads that are counted: a chain of
    /// files that each include the next one twice doubles with every link.
    std::optional<Node> include_file(const std::string& path,
                                     const std::string& directory,
                                     const Location& from) {
        if (++includes_ == most_includes + 1)
            reporter_.error(from,
                            "too-many-files",
                            "more than 200 files are included",
                            "does a file include another one several times?");
        return includes_ > most_includes ? std::nullopt : load_file(path, directory, from);
    }

    void add_variables(const std::string& file, const Location& from, bool required) {
        const std::string* text = required ? read(file, from) : read_if_there(file, from);
        if (text == nullptr)
            return;
        for (auto& [name, value] : assignments_of(file, *text, variables_of(environment_), false))
            if (value)
                environment_.emplace(name, *value);
    }

    /// What a file of variables says, paid for each time it is used.
    std::vector<Assignment> assignments_of(const std::string& file,
                                           const std::string& text,
                                           const Variables& variables,
                                           bool raw) {
        const Location at{file, 0, 0, 1};
        if (!budget_.spend({0, text.size(), 0}, at))
            return {};
        auto assignments = parse_dotenv(file, text, variables, raw, reporter_);
        Extent extent;
        for (const auto& [name, value] : assignments)
            extent.text += name.size() + value.value_or("").size();
        return budget_.spend(extent, at) ? assignments : std::vector<Assignment>();
    }

    // --- extends ---

    void resolve_all_extends(Node& file, const std::string& path, const std::string& directory) {
        const Bases bases(file, path, directory);
        if (bases.services == nullptr)
            return;
        for (auto& [name, service] : bases.services->entries) {
            Strings chain{path + ":" + name.text};
            resolve_extends(bases, service, chain);
        }
    }

    /// In place, so that a service which many extend is resolved once.
    void resolve_extends(const Bases& file, Node& service, Strings& chain) {
        const Node* extends = service.find("extends");
        if (extends == nullptr || extends->is_null() || budget_.is_spent())
            return;
        const Node* name = extends->is_mapping() ? extends->find("service") : extends;
        if (name == nullptr || !name->is_scalar()) {
            reporter_.error(extends->at, "missing-key", "`extends` needs `service`");
            return;
        }
        const Bases* source = bases_for(file, *extends);
        if (source == nullptr)
            return;
        Node* base = source->find(name->value);
        if (base == nullptr) {
            undefined_base(*name, *source);
            return;
        }
        const std::string link = source->path + ":" + name->value;
        if (!may_extend(link, chain, extends->at))
            return;
        chain.push_back(link);
        resolve_extends(*source, *base, chain);
        chain.pop_back();
        if (!budget_.spend(extent_of(*base), extends->at))
            return;
        const KeyPath place{"services", name->value};
        Node whole = *base;
        for (Node* node : {&whole, &service})
            std::erase_if(node->entries,
                          [](const auto& entry) { return entry.first.text == "extends"; });
        merge_into(whole, std::move(service), place);
        service = std::move(whole);
    }

    /// Where `extends` looks for its service: in the same file, or in the one it names.
    const Bases* bases_for(const Bases& file, const Node& extends) {
        const Node* other = extends.is_mapping() ? extends.find("file") : nullptr;
        if (other == nullptr || other->is_null())
            return &file;
        const std::string path = absolute(other->value, file.directory, home());
        if (path == file.path)
            return &file;
        if (const auto known = extended_.find(path); known != extended_.end())
            return &known->second.bases;
        if (read(path, other->at) == nullptr)
            return nullptr;
        const std::string directory = directory_of(path);
        auto documents = values_of(path);
        if (documents.empty())
            documents.emplace_back();
        if (input_.resolve_paths)
            resolve_paths(documents.front(), directory, home());
        return &extended_.try_emplace(path, std::move(documents.front()), path, directory)
                    .first->second.bases;
    }

    void undefined_base(const Node& name, const Bases& source) {
        Strings known;
        if (source.services != nullptr && !reporter_.is_full())
            for (const auto& [key, service] : source.services->entries)
                known.push_back(key.text);
        const std::string meant = closest(name.value, known);
        reporter_.error(
            name.at,
            "undefined",
            "`extends` refers to service `" + name.value + "`, which is not in " + source.path,
            meant.empty() ? "" : "did you mean `" + meant + "`?");
    }

    bool may_extend(const std::string& link, const Strings& chain, const Location& at) {
        const bool circle = std::find(chain.begin(), chain.end(), link) != chain.end();
        if (circle)
            reporter_.error(
                at,
                "circular-extends",
                "services extend each other in a circle: " + join(chain, " -> ") + " -> " + link);
        else if (chain.size() > longest_chain)
            reporter_.error(
                at, "too-deep", "services extend each other more than 100 levels deep here");
        return !circle && chain.size() <= longest_chain;
    }

    // --- names and environment ---

    /// What ${COMPOSE_PROJECT_NAME} becomes in the files.
    void choose_early_name(const Strings& files) {
        std::string name = input_.project_name;
        if (name.empty())
            name = name_in(files);
        if (name.empty())
            name = normalized_name(base_name(input_.project_directory));
        environment_["COMPOSE_PROJECT_NAME"] = name;
    }

    /// The last `name:` of the files; what is wrong with it is said when it is read for good.
    std::string name_in(const Strings& files) {
        std::string last;
        for (const auto& file : files)
            for (const auto& document : documents_of(file))
                if (const Node* name = document.find("name"); name != nullptr) {
                    std::set<std::string> unset;
                    if (const auto value =
                            interpolate(name->value, variables_of(environment_), unset))
                        last = normalized_name(*value);
                }
        return last;
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
        for (const auto& [what, sources] :
             {std::pair("secrets", &stack.secrets), std::pair("configs", &stack.configs)})
            for (auto& [key, source] : *sources)
                if (!source.environment.empty()) {
                    const auto found = environment_.find(source.environment);
                    if (found != environment_.end())
                        source.content = found->second;
                    else
                        reporter_.error(locate(root, {what, key, "environment"}),
                                        "unset-variable",
                                        "environment variable " + source.environment + " of `" +
                                            key + "` is not set",
                                        "set it in the environment or in .env");
                }
    }

    /// Later files above earlier ones, the service's own environment above all of them.
    void read_env_files(Service& service, const Node& root) {
        std::map<std::string, std::optional<std::string>> variables;
        const Variables known = [&](const std::string& name) -> std::optional<std::string> {
            if (const auto found = environment_.find(name); found != environment_.end())
                return found->second;
            for (const auto* map : {&service.environment, &variables})
                if (const auto found = map->find(name); found != map->end() && found->second)
                    return found->second;
            return std::nullopt;
        };
        for (const auto& file : service.env_file) {
            const std::string* text = read_if_there(file.path, {file.path, 0, 0, 1});
            if (text == nullptr && file.required && !reporter_.is_full())
                reporter_.error(
                    locate(root, {"services", service.name, "env_file", file.path}),
                    "no-file",
                    "env_file " + file.path + " of service `" + service.name + "` does not exist",
                    "`required: false` makes it optional");
            if (text != nullptr)
                for (auto& [name, value] :
                     assignments_of(file.path, *text, known, file.format == "raw"))
                    variables[name] = std::move(value);
        }
        service.environment.merge(variables);
        service.env_file.clear();
    }

    const LoadInput& input_;
    LoadResult result_;
    StringMap environment_;
    Reporter reporter_;
    Budget budget_;
    std::map<std::string, std::vector<Node>> parsed_;
    std::set<std::string> used_;
    std::map<std::string, ExtendedFile> extended_;
    std::set<std::string> warned_;
    Strings open_files_;
    int includes_ = 0;
};

}  // namespace
}  // namespace loader

LoadResult load(const LoadInput& input) {
    LoadResult result = loader::Loader(input).run();
    loader::sort_by_place(result.diagnostics);
    return result;
}

StringMap merge_environment(const StringMap& process,
                            const Strings& env_files,
                            const ReadFile& read_file,
                            Diagnostics& diagnostics) {
    loader::Reporter reporter(diagnostics);
    StringMap files;
    for (const auto& file : env_files) {
        const auto text = read_file(file);
        if (!text) {
            reporter.error(
                {file, 0, 0, 1}, "no-file", "the environment file " + file + " does not exist");
            continue;
        }
        const auto variables = [&](const std::string& name) -> std::optional<std::string> {
            for (const StringMap* map : {&process, static_cast<const StringMap*>(&files)})
                if (const auto found = map->find(name); found != map->end())
                    return found->second;
            return std::nullopt;
        };
        for (auto& [name, value] : loader::parse_dotenv(file, *text, variables, false, reporter))
            if (value)
                files[name] = std::move(*value);
    }
    StringMap merged = process;
    merged.merge(files);
    return merged;
}

}  // namespace stack
