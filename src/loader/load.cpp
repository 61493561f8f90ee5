// The order of steps is the reference implementation's (compose.md 1.1).

#include <stack/load.h>

#include "base/text.h"
#include "loader/as_written.h"
#include "loader/decode.h"
#include "loader/environment.h"
#include "loader/extends.h"
#include "loader/lint.h"
#include "loader/merge.h"
#include "loader/paths.h"
#include "loader/project_name.h"
#include "loader/remainder.h"
#include "loader/seccomp.h"
#include "loader/validate.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace stack {
namespace loader {
namespace {

constexpr int most_includes = 200;

/// One element of `include`.
struct Include {
    Strings paths;
    std::string directory;
    Strings env_files;
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
        : input_(input), session_(input), files_(session_), extends_(session_, files_) {}

    LoadResult run() {
        const Node root = load_files();
        if (has_errors(session_.result.diagnostics))
            return std::move(session_.result);
        if (!input_.interpolate) {
            static_cast<void>(decode_stack(root, session_.reporter));
            forgive_templates(root, session_.result.diagnostics);
            session_.result.written = as_written(root);
            session_.result.variables = variables_in(root);
            return std::move(session_.result);
        }
        Stack stack = decode_stack(root, session_.reporter);
        choose_name(session_, stack, root);
        stack.working_dir = input_.project_directory;
        stack.files = input_.files;
        stack.all_resources = input_.all_resources;
        apply_profiles(stack, input_.profiles, input_.named_services);
        if (input_.resolve_environment)
            resolve_environment(session_, files_, stack, root);
        if (input_.resolve_environment && input_.resolve_paths)
            read_seccomp_profiles(session_, files_, stack, root);
        if (input_.normalize)
            normalize(stack, session_.budget);
        if (input_.check_consistency)
            validate(stack, root, session_.reporter);
        if (input_.lint)
            lint(stack, root, input_.lint_only, input_.lint_without, session_.reporter);
        if (input_.normalize && !input_.all_resources)
            remove_unused(stack);
        if (input_.remainder)
            session_.result.remainder =
                remainder_of(root).dump(-1, ' ', false, Json::error_handler_t::replace);
        if (!has_errors(session_.result.diagnostics))
            session_.result.stack = std::move(stack);
        return std::move(session_.result);
    }

  private:
    /// All files of the command line as one.
    Node load_files() {
        Strings paths;
        for (const auto& path : input_.files)
            if (files_.read(path, {path, 0, 0, 1}) != nullptr)
                paths.push_back(path);
        session_.environment["COMPOSE_PROJECT_NAME"] = early_name(session_, files_, paths);
        Node root = empty_mapping();
        for (const auto& path : paths)
            if (auto loaded = load_file(path, input_.project_directory, {path, 0, 0, 1}))
                merge_into(root, std::move(*loaded), {});
        if (root.entries.empty() && !paths.empty() && !session_.reporter.has_errors())
            session_.reporter.error({paths.front(), 0, 0, 1},
                                    "empty",
                                    "the stack file is empty",
                                    "declare what is to run under `services:`");
        resolve_tags(root);
        drop_duplicates(root, {});
        return root;
    }

    /// A file with its documents merged, its variables put in, its includes and extends resolved,
    /// its paths absolute.
    std::optional<Node> load_file(const std::string& path,
                                  const std::string& directory,
                                  const Location& from) {
        if (std::find(open_files_.begin(), open_files_.end(), path) != open_files_.end()) {
            session_.reporter.error(from,
                                    "circular-include",
                                    "files include each other in a circle: " +
                                        join(open_files_, " -> ") + " -> " + path);
            return std::nullopt;
        }
        if (files_.read(path, from) == nullptr)
            return std::nullopt;
        open_files_.push_back(path);
        Node merged = empty_mapping();
        merged.at = files_.start_of(path);
        for (auto& document : files_.values_of(path)) {
            if (!document.is_mapping() && !document.is_null()) {
                session_.reporter.wrong_type(document, "a stack file", "a mapping");
                continue;
            }
            resolve_includes(document, directory);
            if (input_.resolve_paths)
                resolve_paths(document, directory, session_.home());
            merge_into(merged, std::move(document), {});
        }
        extends_.resolve(merged, path, directory);
        open_files_.pop_back();
        return merged;
    }

    void resolve_includes(Node& document, const std::string& directory) {
        const Node* include = document.find("include");
        if (include == nullptr || include->is_null())
            return;
        Node included = empty_mapping();
        for_each_item(*include, [&](const Node& entry) {
            if (includes_ > most_includes || session_.budget.is_spent())
                return;
            if (const auto read = read_include(entry, directory))
                load_include(*read, entry.at, included);
        });
        std::erase_if(document.entries,
                      [](const auto& entry) { return entry.key.text == "include"; });
        merge_into(included, std::move(document), {});
        document = std::move(included);
    }

    std::optional<Include> read_include(const Node& entry, const std::string& directory) {
        Include include;
        if (entry.is_scalar()) {
            include.paths = {entry.value};
        } else {
            Object object(entry, "an element of `include`", session_.reporter);
            const std::string complaint = "an element of `include` needs `path`";
            const Node* path = object.need("path", complaint);
            object.strings("path", include.paths);
            if (path != nullptr && include.paths.empty())
                session_.reporter.error(path->at, "missing-key", complaint);
            object.text("project_directory", include.directory);
            object.strings("env_file", include.env_files);
        }
        if (include.paths.empty() ||
            !std::all_of(include.paths.begin(), include.paths.end(), [&](const auto& path) {
                return files_.is_here(path, entry.at);
            }))
            return std::nullopt;
        for (auto* paths : {&include.paths, &include.env_files})
            for (auto& path : *paths)
                path = session_.absolute(path, directory);
        include.directory = include.directory.empty()
                                ? directory_of(include.paths.front())
                                : session_.absolute(include.directory, directory);
        return include;
    }

    /// With the variables of its own files below those that are there.
    void load_include(const Include& include, const Location& from, Node& target) {
        const StringMap outer = session_.environment;
        auto outer_extended = std::exchange(extends_.read_files, {});
        StringMap own;
        if (include.env_files.empty())
            add_variables(include.directory + "/.env", from, false, own);
        for (const auto& file : include.env_files)
            add_variables(file, from, true, own);
        session_.environment.merge(own);
        Node included = empty_mapping();
        for (const auto& path : include.paths)
            if (auto loaded = include_file(path, include.directory, from))
                merge_into(included, std::move(*loaded), {});
        if (input_.resolve_paths)
            add_default_contexts(included, include.directory);
        if (input_.resolve_environment)
            take_variables(session_, included);
        merge_into(target, std::move(included), {});
        extends_.read_files = std::move(outer_extended);
        session_.environment = outer;
    }

    /// A file that is included twice is loaded twice, so it is loads that are counted: a chain of
    /// files that each include the next one twice doubles with every link.
    std::optional<Node> include_file(const std::string& path,
                                     const std::string& directory,
                                     const Location& from) {
        if (++includes_ == most_includes + 1)
            session_.reporter.error(from,
                                    "too-many-files",
                                    "more than 200 files are included",
                                    "does a file include another one several times?");
        return includes_ > most_includes ? std::nullopt : load_file(path, directory, from);
    }

    /// Of a file of an include into `own`, where what a later file says counts.
    void add_variables(const std::string& file,
                       const Location& from,
                       bool required,
                       StringMap& own) {
        const std::string* text =
            required ? files_.read(file, from) : files_.read_if_there(file, from);
        if (text == nullptr)
            return;
        for (auto& [name, value] : files_.assignments_of(
                 file, *text, variables_of(session_.environment), variables_of(own), false))
            if (value)
                own[name] = std::move(*value);
    }

    const LoadInput& input_;
    Session session_;
    Files files_;
    Extends extends_;
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

}  // namespace stack
