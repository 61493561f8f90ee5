#include "engine/build/copy_step.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/build/archive.h"
#include "engine/build/cache.h"
#include "engine/build/expand.h"
#include "engine/build/glob.h"
#include "engine/image/fetch.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/process.h"

#include <algorithm>
#include <set>

namespace stack::build {
namespace {

/// The variables of a COPY replaced; fields that hold none are left.
class CopyExpander {
  public:
    CopyExpander(const State& state, const Scope& scope)
        : variables_(variables_of(state)), escape_(scope.escape) {}

    Expected<Copy> run(Copy copy) {
        for (auto* field : {&copy.destination, &copy.chown, &copy.chmod, &copy.checksum})
            replace(*field);
        for (auto& source : copy.sources)
            replace(source);
        for (auto& exclude : copy.excludes)
            replace(exclude);
        for (auto& file : copy.files) {
            if (file.expand)
                replace(file.content, Quotes::kept);
        }
        if (mistake_)
            return tl::unexpected(*mistake_);
        return copy;
    }

  private:
    void replace(std::string& text, Quotes quotes = Quotes::removed) {
        auto result = expand(text, variables_, escape_, quotes);
        if (result)
            text = *std::move(result);
        else
            mistake_ = result.error();
    }

    StringMap variables_;
    char escape_;
    std::optional<Malformed> mistake_;
};

class CopyPreparer {
  public:
    CopyPreparer(const Instruction& instruction, Sources& sources)
        : instruction_(instruction), sources_(sources) {}

    PreparedCopy run(const State& state,
                     const Scope& scope,
                     const Strings& contexts,
                     const Dockerfile& file,
                     std::size_t stage) {
        const auto expanded = CopyExpander(state, scope).run(std::get<Copy>(instruction_.body));
        if (!expanded) {
            complain("bad-variable", expanded.error().message);
            return std::move(result_);
        }
        result_.copy = *expanded;
        const Copy& copy = result_.copy;
        result_.destination = absolute_in(state, copy.destination);
        const bool many = copy.sources.size() + copy.files.size() > 1;
        result_.into_directory = copy.parents || copy.destination.ends_with('/') ||
                                 copy.destination == "." || copy.destination.ends_with("/.");
        if (many && !result_.into_directory)
            complain("bad-destination",
                     "several sources need a directory: the destination `" + copy.destination +
                         "` must end in /");
        if (!copy.chmod.empty() && !changed_mode(copy.chmod, 0, false))
            complain("bad-mode", changed_mode(copy.chmod, 0, false).error().message);
        if (!has_errors(result_.diagnostics) && !copy.sources.empty())
            collect(tree_for(contexts, file, stage));
        if (!has_errors(result_.diagnostics))
            result_.key = key_for(state);
        return std::move(result_);
    }

  private:
    void complain(const char* code, std::string message, std::string hint = {}) {
        result_.diagnostics.push_back({Severity::error,
                                       code,
                                       std::move(message),
                                       instruction_.location,
                                       std::move(hint),
                                       {}});
    }

    const SourceTree& tree_for(const Strings& contexts, const Dockerfile& file, std::size_t stage) {
        const std::string& from = result_.copy.from;
        const auto source = from.empty() ? std::nullopt : find_source(file, contexts, from, stage);
        return source ? sources_.open(*source) : sources_.context();
    }

    void collect(const SourceTree& tree) {
        const auto excludes = IgnoreRules::from_patterns(result_.copy.excludes);
        if (!excludes) {
            complain("bad-pattern", excludes.error().message);
            return;
        }
        for (const auto& source : result_.copy.sources) {
            if (is_fetched(source))
                collect_remote(source, *excludes);
            else if (result_.copy.parents)
                collect_with_parents(tree, source, *excludes);
            else
                collect_source(tree, source, *excludes);
        }
        for (auto& batch : result_.batches)
            if (batch.tree != &sources_.downloads())  // those have theirs
                batch.tree->add_digests(batch.files);
    }

    /// COPY takes files only; and the short form of a repository could be a directory's name.
    [[nodiscard]] bool is_fetched(const std::string& source) const {
        return result_.copy.add && is_remote(source) && !source.starts_with("github.com/");
    }

    void collect_remote(const std::string& source, const IgnoreRules& excludes) {
        RemotePlace place = parse_remote(source);
        const std::string& checksum = result_.copy.checksum;
        if (place.kind == RemotePlace::Kind::git) {
            place.keep_git_dir = place.keep_git_dir || result_.copy.keep_git_dir;
            const auto& repository = sources_.repository(place);
            if (!repository.commit.starts_with(checksum))
                complain("bad-checksum",
                         source + " is at the commit " + repository.commit + ", not " + checksum +
                             " as --checksum says");
            else
                add_batch(repository.tree, "", excludes);
            return;
        }
        SourceFile file = sources_.download(place.url, checksum);
        CopyBatch batch;
        batch.tree = &sources_.downloads();
        batch.name = file_name_of(place.url);
        batch.archive =
            result_.copy.unpack.value_or(false) && sources_.holds_archive(batch.tree->open(file));
        result_.modified.push_back(std::to_string(file.status.st_mtim.tv_sec));
        batch.files.push_back(std::move(file));
        result_.batches.push_back(std::move(batch));
    }

    void collect_source(const SourceTree& tree,
                        const std::string& source,
                        const IgnoreRules& excludes) {
        const auto paths = tree.match(source);
        if (paths.empty() && !has_wildcards(source))
            complain_missing(source);
        if (paths.size() > 1)
            result_.into_directory = true;
        for (const auto& path : paths)
            add_batch(tree, path, excludes);
    }

    void complain_missing(const std::string& source) {
        const bool from_context = result_.copy.from.empty();
        complain("no-source",
                 "`" + source + "` is not in " +
                     (from_context ? "the build context" : "`" + result_.copy.from + "`"),
                 from_context ? "or .dockerignore excludes it" : "");
    }

    void add_batch(const SourceTree& tree, const std::string& path, const IgnoreRules& excludes) {
        CopyBatch batch;
        batch.tree = &tree;
        batch.name = sys::file_name("/" + path);
        batch.files = tree.list(path, excludes);
        if (batch.files.empty())
            return;
        batch.directory = S_ISDIR(batch.files.front().status.st_mode);
        const bool may_unpack = result_.copy.add && result_.copy.unpack.value_or(true);
        batch.archive = may_unpack && S_ISREG(batch.files.front().status.st_mode) &&
                        sources_.holds_archive(tree.open(batch.files.front()));
        result_.batches.push_back(std::move(batch));
    }

    /// --parents: what matches keeps its path, from the pivot `/./` on, and the directories on the
    /// way with it.
    void collect_with_parents(const SourceTree& tree,
                              const std::string& source,
                              const IgnoreRules& excludes) {
        const auto pivot = source.find("/./");
        const std::string base =
            pivot == std::string::npos ? "" : clean_path(source.substr(0, pivot));
        const std::string pattern =
            clean_path(pivot == std::string::npos ? source : source.substr(pivot + 3));
        const auto glob = Glob::compile(pattern, GlobStyle::wildcard);
        if (!glob) {
            complain("bad-pattern",
                     "the source pattern `" + source + "` is wrong: " + glob.error().message);
            return;
        }
        const bool literal = !has_wildcards(base) && !has_wildcards(pattern);
        bool found = false;
        for (const auto& path : tree.match(base)) {
            CopyBatch batch{&tree, {}, true, false, selected(tree.list(path, excludes), *glob)};
            found = found || !batch.files.empty();
            result_.batches.push_back(std::move(batch));
        }
        if (!found && literal)
            complain_missing(source);
    }

    static std::vector<SourceFile> selected(std::vector<SourceFile> all, const Glob& glob) {
        std::set<std::string_view> wanted;
        for (const auto& file : all) {
            if (!glob.matches_at_or_above(file.name()))
                continue;
            for (auto path = file.name(); !path.empty(); path = parent_name(path))
                wanted.insert(path);
        }
        std::vector<SourceFile> chosen;
        for (const auto& file : all)
            if (wanted.count(file.name()) > 0)
                chosen.push_back(file);
        return chosen;
    }

    static std::string_view parent_name(std::string_view path) {
        const auto slash = path.rfind('/');
        return slash == std::string_view::npos ? "" : path.substr(0, slash);
    }

    [[nodiscard]] std::string key_for(const State& state) const {
        const Copy& copy = result_.copy;
        CacheKey key(copy.add ? "add" : "copy");
        const bool has_names = copy.chown.find_first_not_of("0123456789:") != std::string::npos;
        if (!copy.link || has_names)  // which the base says who they are
            key.add("layers", state.layers);
        key.add("destination", result_.destination)
            .add("into", result_.into_directory ? "directory" : "")
            .add("chown", copy.chown)
            .add("chmod", copy.chmod)
            .add("link", copy.link ? "link" : "")
            .add("modified", result_.modified);
        for (const auto& batch : result_.batches)
            key.add(batch.archive ? "archive" : "name", batch.directory ? "" : batch.name)
                .add("content", content_digest(batch.files));
        for (const auto& file : copy.files)
            key.add("file", file.name).add("content", file.content);
        return key.finish();
    }

    const Instruction& instruction_;
    Sources& sources_;
    PreparedCopy result_;
};

/// The archive is read by the fetch worker's program: hostile bytes never meet this process.
void unpack(const CopyBatch& batch,
            const std::string& destination,
            const std::optional<Owner>& owner,
            TreeWriter& writer) {
    const std::string all =
        owner ? std::to_string(owner->uid) + ":" + std::to_string(owner->gid) : "";
    auto worker = image::start_add(
        batch.tree->open(batch.files.front()), writer.ensure_directory(destination), all);
    try {
        image::finish_unpack(worker);
    } catch (const Error& error) {
        throw Error(error.code(), "unpacking `" + batch.name + "` failed: " + error.what());
    }
}

Destination place_for(const PreparedCopy& prepared,
                      const std::string& name,
                      const TreeWriter& writer) {
    const bool into = prepared.into_directory || writer.is_directory(prepared.destination);
    return {into ? prepared.destination + "/" + name : prepared.destination, !into};
}

}  // namespace

PreparedCopy prepare_copy(const Instruction& instruction,
                          const State& state,
                          const Scope& scope,
                          const Strings& contexts,
                          const Dockerfile& file,
                          std::size_t stage,
                          Sources& sources) {
    return CopyPreparer(instruction, sources).run(state, scope, contexts, file, stage);
}

void write_copy(const PreparedCopy& prepared, const NewLayer& layer) {
    const Copy& copy = prepared.copy;
    const sys::Fd root = copy.link ? sys::open_directory(layer.upper()) : layer.open_root();
    WriteOptions options;
    options.mode = copy.chmod;
    if (!copy.chown.empty() && copy.link && !layer.lowers().empty())
        options.owner = find_owner(sys::merged_view(layer.lowers()), copy.chown);
    else if (!copy.chown.empty())
        options.owner = find_owner(root, copy.chown);
    TreeWriter writer(root, options);
    for (const auto& batch : prepared.batches) {
        if (batch.archive)
            unpack(batch, prepared.destination, options.owner, writer);
        else
            writer.write(*batch.tree,
                         batch.files,
                         batch.directory ? Destination{prepared.destination}
                                         : place_for(prepared, batch.name, writer));
    }
    for (const auto& file : copy.files)
        writer.write_text(place_for(prepared, file.name, writer), file.content, 0644);
}

std::string copy_history(const PreparedCopy& prepared) {
    const Copy& copy = prepared.copy;
    std::string text = copy.add ? "ADD" : "COPY";
    if (copy.parents)
        text += " --parents";
    if (!copy.chown.empty())
        text += " --chown=" + copy.chown;
    if (!copy.chmod.empty())
        text += " --chmod=" + copy.chmod;
    for (const auto& source : copy.sources)
        text += " " + source;
    for (const auto& file : copy.files)
        text += " <<" + file.name;
    return text + " " + copy.destination + " # buildkit";
}

}  // namespace stack::build
