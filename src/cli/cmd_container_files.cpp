// diff, export, commit: what a container has made of its image.

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/image_changes.h"
#include "cli/local_runtime.h"
#include "cli/style.h"
#include "cli/target.h"
#include "engine/image/layer_writer.h"
#include "engine/image/reference.h"
#include "engine/image/store.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/terminal.h"
#include "sys/tree.h"
#include "sys/tree_walk.h"
#include "sys/umask.h"

#include <algorithm>
#include <set>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace stack::cli {
namespace {

runtime::ContainerRecord require_record(const Context& context, const Target& target) {
    require_root();
    const auto container = find_target(context, target);
    auto record = LocalRuntime(context.paths).get().find(container.id);
    if (!record)
        give_up("container " + container.name + " is being removed");
    return std::move(*record);
}

/// The writable layer; made where the container never ran.
std::string upper_of(const Context& context, const runtime::ContainerRecord& record) {
    std::string upper = LocalRuntime(context.paths).get().upper_directory(record.id);
    sys::ensure_directory(upper);
    return upper;
}

// --- diff ---

bool is_whiteout(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

/// The directories of the image that lie below those a walk comes to, as far as there are any.
class LowerTree {
  public:
    explicit LowerTree(const sys::Fd& top) : way_(top) {}

    [[nodiscard]] bool has(const std::string& name) const {
        return missing_ == 0 && sys::find_entry(way_.here(), name);
    }

    [[nodiscard]] std::vector<std::string> names() const {
        return missing_ == 0 ? sys::names_in(way_.here()) : std::vector<std::string>();
    }

    void enter(const std::string& name) {
        if (missing_ > 0 || !way_.try_enter(name))
            ++missing_;
    }

    void leave() {
        if (missing_ > 0)
            --missing_;
        else
            way_.leave();
    }

  private:
    sys::Descent way_;
    std::size_t missing_ = 0;  // levels that it lacks
};

/// The writable layer against the image below it: A added, C changed, D deleted, one path a line.
class Difference {
  public:
    /// `ours`: places where something of ours is mounted while it runs. What hangs there is no work
    /// of the container's.
    explicit Difference(std::set<std::string> ours) : ours_(std::move(ours)) {}

    std::string of(const sys::Fd& upper, const sys::Fd& lower) {
        sys::TreeWalk walk(upper);
        LowerTree below(lower);
        std::string prefix = "/";
        std::vector<Said> said;  // of the directories on the way
        for (;;) {
            if (const auto name = walk.next()) {
                const auto before = text_.size();
                const bool is_below = below.has(*name);
                if (!compare_entry(walk.here(), *name, prefix + *name, is_below))
                    continue;
                said.push_back({before, text_.size(), is_below});
                walk.enter(*name);
                below.enter(*name);
                prefix += *name + "/";
                continue;
            }
            add_hidden(walk, below, prefix);
            if (walk.at_top())
                return std::move(text_);
            if (said.back().is_below && text_.size() == said.back().after && !walk.names().empty())
                text_.resize(said.back().before);  // nothing but ours is in it
            said.pop_back();
            prefix.resize(prefix.size() - walk.leave().size() - 1);
            below.leave();
        }
    }

  private:
    struct Said {
        std::size_t before = 0;
        std::size_t after = 0;
        bool is_below = false;
    };

    /// Says what has become of an entry; whether it is a directory to look into.
    bool compare_entry(const sys::Fd& upper,
                       const std::string& name,
                       const std::string& path,
                       bool is_below) {
        struct stat status {};

        sys::check(::fstatat(upper.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
                   "stat " + path);
        if (is_whiteout(status)) {
            say('D', path);
            return false;
        }
        if (ours_.contains(path))
            return false;
        say(is_below ? 'C' : 'A', path);
        return S_ISDIR(status.st_mode);
    }

    /// What an opaque directory hides.
    void add_hidden(sys::TreeWalk& upper, const LowerTree& lower, const std::string& prefix) {
        const auto attributes = sys::attributes_of(upper.here());
        const bool opaque =
            std::any_of(attributes.begin(), attributes.end(), [](const auto& attribute) {
                return attribute.first == sys::opaque_attribute;
            });
        if (!opaque)
            return;
        for (const auto& name : lower.names())
            if (!std::binary_search(upper.names().begin(), upper.names().end(), name))
                say('D', prefix + name);
    }

    void say(char what, const std::string& path) {
        text_ += what;
        text_ += " " + printable(path) + "\n";
    }

    std::set<std::string> ours_;
    std::string text_;
};

/// What a container finds mounted, and the directories on the way there where they were empty.
std::set<std::string> mount_points(const runtime::ContainerRecord& record) {
    std::set<std::string> points{
        "/dev", "/proc", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};
    for (const auto& mount : record.mounts)
        points.insert(mount.target);
    return points;
}

void diff(const Context& context, const Target& target) {
    const auto record = require_record(context, target);
    const sys::Fd upper = sys::open_directory(upper_of(context, record));
    const sys::Fd lower = sys::merged_view(record.image.lowers);
    sys::write_out(Difference(mount_points(record)).of(upper, lower));
}

// --- export ---

sys::Fd open_export(const std::string& file) {
    const sys::CallersUmask callers;
    return sys::open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);
}

void export_tar(const Context& context, const Target& target, const std::string& file) {
    if (file.empty() && sys::is_terminal(1))
        give_up("a tar archive is of no use on a terminal: redirect it, or name a file with -o");
    const auto record = require_record(context, target);
    Strings layers{upper_of(context, record)};
    layers.insert(layers.end(), record.image.lowers.begin(), record.image.lowers.end());
    const sys::Fd root = sys::merged_view(layers);
    const sys::Fd output = file.empty() ? sys::Fd() : open_export(file);
    image::TarWriter tar([&](std::string_view bytes) {
        if (output)
            sys::write_all(output, bytes);
        else
            sys::write_out(bytes);
    });
    tar.add_content(root, "");
    tar.finish();
}

// --- commit ---

struct CommitOptions {
    Target target;
    std::string reference;
    std::string author;
    std::string message;
    Strings changes;
    bool pause = true;
};

/// The writable layer as a layer of the store: its diffID, or "" where nothing has changed.
std::string publish_upper(image::Store& store,
                          const Context& context,
                          const runtime::ContainerRecord& record,
                          bool pause) {
    sys::ScratchDirectory staging = store.begin_layer();
    const sys::Fd layer = sys::open_directory(staging.path() + "/fs");
    {
        LocalRuntime runtime(context.paths);
        const runtime::Stillness still =
            pause ? runtime->hold_still(record.id) : runtime::Stillness();
        STACK_FAILPOINT("container.commit");
        sys::copy_tree(sys::open_directory(upper_of(context, record)), layer);
    }
    image::clean_upper(layer);
    const auto summary = image::summarize_layer(layer);
    if (summary.empty)
        return {};
    store.publish_layer(std::move(staging), summary.diff_id, {summary.size, {}});
    return summary.diff_id;
}

std::string history_of(const std::string& base, const CommitOptions& options, bool empty) {
    using Json = nlohmann::json;
    const Json config = Json::parse(base, nullptr, false);
    Json history = config.is_object() ? config.value("history", Json::array()) : Json::array();
    Json entry = {{"created_by", "stack container commit"}, {"comment", options.message}};
    if (!options.author.empty())
        entry["author"] = options.author;
    if (empty)
        entry["empty_layer"] = true;
    history.push_back(std::move(entry));
    return history.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What the new image is derived from, with its own author.
std::string with_author(const std::string& base, const std::string& author) {
    using Json = nlohmann::json;
    Json config = Json::parse(base, nullptr, false);
    if (author.empty() || !config.is_object())
        return base;
    config["author"] = author;
    return config.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// What the new image says of itself: the old one's word, with what the container was told.
ImageConfig config_for(const runtime::ContainerRecord& record, const CommitOptions& options) {
    ImageConfig config = record.image.config;
    const Service& service = record.spec.service;
    for (const auto& [name, value] : service.environment) {
        std::erase_if(config.environment, [&, key = name + "="](const std::string& entry) {
            return entry.starts_with(key);
        });
        if (value)
            config.environment.push_back(name + "=" + *value);
    }
    if (service.entrypoint)
        config.entrypoint = *service.entrypoint;
    if (service.entrypoint || service.command)
        config.command = service.command.value_or(Strings());
    if (!service.user.empty())
        config.user = service.user;
    if (!service.working_dir.empty())
        config.working_dir = service.working_dir;
    for (const auto& [name, value] : service.labels)
        config.labels[name] = value;
    return with_changes(std::move(config), options.changes);
}

void commit(const Context& context, const CommitOptions& options) {
    const auto record = require_record(context, options.target);
    image::NewImage made;
    if (!options.reference.empty()) {
        const auto reference = image::require_reference(options.reference);
        if (!image::is_name(reference))
            give_up(options.reference +
                    " is a digest's: only an image's content can give it that name");
        made.references = {image::canonical(reference)};
    }
    const ImageConfig config = config_for(record, options);
    image::Store store(context.paths);
    const auto base = store.find(record.image.id);
    if (!base)
        give_up("the image of container " + record.spec.name + " is not in the store any more");
    Strings layers = base->layers;
    const std::string added = publish_upper(store, context, record, options.pause);
    if (!added.empty())
        layers.push_back(added);
    made.config_json = image::make_config(with_author(base->config_json, options.author),
                                          config,
                                          layers,
                                          history_of(base->config_json, options, added.empty()),
                                          std::chrono::system_clock::now());
    sys::write_out(store.put(made).id + "\n");
}

void declare_export(CLI::App& app, Context& context, Naming naming) {
    const auto target = std::make_shared<Target>();
    const auto file = std::make_shared<std::string>();
    target->naming = naming;
    declare_target(app, *target);
    app.add_option("-o,--output", *file, "Write to this file (default: standard output)");
    app.callback([&context, target, file] { export_tar(context, *target, *file); });
}

void declare_commit(CLI::App& app, Context& context, Naming naming) {
    const auto options = std::make_shared<CommitOptions>();
    options->target.naming = naming;
    declare_target(app, options->target);
    app.add_option("IMAGE", options->reference, "The name it gets");
    app.add_option("-a,--author", options->author, "Who made it");
    app.add_option("-m,--message", options->message, "What it is for");
    app.add_option("-c,--change",
                   options->changes,
                   "What it says of itself, as in a Dockerfile: 'CMD [\"sh\"]' (repeatable)")
        ->allow_extra_args(false);
    app.add_flag("-p,--pause", options->pause, "Freeze the container meanwhile (default true)");
    app.callback([&context, options] { commit(context, *options); });
}

}  // namespace

void add_container_diff(CLI::App& app, Context& context) {
    const auto target = std::make_shared<Target>();
    target->naming = Naming::container;
    declare_target(app, *target);
    app.callback([&context, target] { diff(context, *target); });
}

void add_export(CLI::App& app, Context& context) {
    declare_export(app, context, Naming::service);
}

void add_container_export(CLI::App& app, Context& context) {
    declare_export(app, context, Naming::container);
}

void add_commit(CLI::App& app, Context& context) {
    declare_commit(app, context, Naming::service);
}

void add_container_commit(CLI::App& app, Context& context) {
    declare_commit(app, context, Naming::container);
}

}  // namespace stack::cli
