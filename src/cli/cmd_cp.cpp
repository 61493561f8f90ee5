// cp: files between a container and this machine. A tar stream in between, written from the one
// side's descriptors and unpacked below the other's by the fetch worker: no path of a container
// meets a system call that takes one, and no byte of a container is parsed in this process.

#include <stack/error.h>

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/copy_rules.h"
#include "cli/here.h"
#include "cli/local_runtime.h"
#include "cli/target.h"
#include "cli/unpack.h"
#include "engine/image/fetch.h"
#include "engine/image/tar_writer.h"
#include "sys/file.h"
#include "sys/terminal.h"
#include "sys/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::cli {
namespace {

struct Options {
    Target target;
    std::string source;
    std::string destination;
    bool archive = false;
    bool follow = false;
    bool all = false;
    bool quiet = false;
};

/// A path as it is found from a root: a container's, or this machine's.
struct Place {
    const sys::Fd& root;
    std::string path;
    std::string shown;
    const runtime::Users* users;
};

PathKind kind_of(const sys::Fd& file) {
    struct stat status {};

    if (!file)
        return PathKind::none;
    sys::check(::fstat(file.get(), &status), "look at a file");
    if (S_ISDIR(status.st_mode))
        return PathKind::directory;
    const bool is_file = S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
    return is_file ? PathKind::file : PathKind::special;
}

/// The path with the links of its last component followed; of what is not there, as far as it goes.
std::string follow_last(const Place& place) {
    constexpr int most = 40;  // as the kernel has it
    std::string path = place.path;
    for (int i = 0; i < most; ++i) {
        const SplitPath split = split_path(path);
        const sys::Fd parent = sys::find_in_root(place.root, split.parent, O_PATH | O_DIRECTORY);
        if (!parent || split.last.empty())
            return path;
        const auto target = sys::find_link_target(parent, split.last);
        if (!target)
            return path;
        path = (target->starts_with('/') ? *target : split.parent + "/" + *target) +
               (split.is_directory ? "/" : "");
    }
    throw stack::Error(std::make_error_code(std::errc::too_many_symbolic_link_levels),
                       place.shown + ": too many symbolic links");
}

[[noreturn]] void refuse_missing(const Place& place) {
    throw stack::Error(std::make_error_code(std::errc::no_such_file_or_directory),
                       place.shown + ": no such file or directory");
}

/// What is copied: an entry of a directory, or all of it.
struct Source {
    sys::Fd directory;
    std::string entry;  // empty: the content of the directory
    std::string name;   // of the copy
    PathKind kind = PathKind::none;
};

Source open_source(const Place& place, bool follow) {
    const SplitPath typed = split_path(place.path);
    Source source;
    source.name = typed.last;
    // A slash behind a link asks for the directory behind it.
    const std::string path = follow || typed.is_directory ? follow_last(place) : place.path;
    const SplitPath split = split_path(path);
    source.directory = sys::find_in_root(place.root, split.parent, O_PATH | O_DIRECTORY);
    if (!source.directory)
        refuse_missing(place);
    if (split.last.empty()) {
        source.kind = PathKind::directory;
        return source;
    }
    source.entry = split.last;
    source.kind = kind_of(sys::find_entry(source.directory, source.entry));
    if (source.kind == PathKind::none)
        refuse_missing(place);
    if (typed.is_directory && source.kind != PathKind::directory)
        throw stack::Error(std::make_error_code(std::errc::not_a_directory),
                           place.shown + ": not a directory");
    return source;
}

void write_source(const Source& source,
                  const std::string& name,
                  const image::ByteSink& sink,
                  const image::TarOptions& options) {
    image::TarWriter tar(sink, options);
    if (source.entry.empty() && name.empty())
        tar.add_content(source.directory, "");
    else if (source.entry.empty())
        tar.add(source.directory, ".", name);
    else
        tar.add(source.directory, source.entry, name);
    tar.finish();
    if (const int left = tar.devices_left_out(); left > 0 && !tar.is_empty())
        warn(std::to_string(left) + (left == 1 ? " device was" : " devices were") +
             " left out: they would be this machine's");
    if (tar.is_empty() && !source.entry.empty())
        throw stack::Error(std::make_error_code(std::errc::invalid_argument),
                           "cannot copy " + source.entry + ": it is a device or a socket");
}

/// Where it goes, and who unpacks it there.
class Destination {
  public:
    Destination(const Place& place, const Source& source) : place_(place) {
        const std::string path = follow_last(place);
        target_ = copy_target(
            source.kind, source.name, kind_of(sys::find_in_root(place.root, path, O_PATH)), path);
        directory_ = sys::find_in_root(place.root, target_.directory, O_PATH | O_DIRECTORY);
        if (!directory_)
            refuse_missing({place.root, target_.directory, place.shown, place.users});
    }

    [[nodiscard]] const std::string& name() const { return target_.name; }

    /// Below the container's root, whose links are followed as its processes would; a directory of
    /// this machine keeps everything in it.
    [[nodiscard]] image::Fetch unpack(const sys::Fd& archive, bool in_container) const {
        return in_container ? image::start_merge(
                                  archive, place_.root, target_.directory, place_.users->space)
                            : image::start_merge(archive, directory_, "");
    }

  private:
    const Place& place_;
    CopyTarget target_;
    sys::Fd directory_;
};

class Copier {
  public:
    Copier(const Options& options, const Place& from, const Place& to, bool to_container)
        : options_(options), from_(from), to_(to), to_container_(to_container) {}

    void run() const {
        const Source source = open_source(from_, options_.follow);
        const Destination destination(to_, source);
        unpack([&](const sys::Fd& archive) { return destination.unpack(archive, to_container_); },
               [&](const image::ByteSink& archive) {
                   write_source(source, destination.name(), archive, options());
               });
    }

  private:
    /// A device that a container made is no way around what holds it; users of a container's own
    /// have none.
    [[nodiscard]] image::TarOptions options() const {
        return {.owner = owner(),
                .devices = to_container_ && !to_.users->space,
                .first_user = from_.users->first};
    }

    /// Whoever is at home where it goes, unless the owner is to be kept.
    [[nodiscard]] std::optional<image::Owner> owner() const {
        if (options_.archive)
            return std::nullopt;
        return to_container_ ? image::Owner{} : image::Owner{::geteuid(), ::getegid()};
    }

    const Options& options_;
    const Place& from_;
    const Place& to_;
    bool to_container_;
};

void write_archive(const Place& from, bool follow) {
    if (sys::is_terminal(STDOUT_FILENO))
        give_up("a tar archive is of no use on a terminal: redirect it into a file or a pipe");
    const Source source = open_source(from, follow);
    write_source(source, source.name, sys::write_out, {.first_user = from.users->first});
}

/// A tar archive says itself what its entries are called and whose they are.
void read_archive(const Place& to) {
    const sys::Fd directory = sys::find_in_root(to.root, to.path, O_PATH);
    if (kind_of(directory) != PathKind::directory)
        give_up("the destination " + to.shown + " must be a directory that exists, where a tar " +
                "archive is unpacked");
    image::Fetch worker =
        image::start_merge(sys::standard_input(), to.root, to.path, to.users->space);
    image::finish_unpack(worker);
}

void copy_one(const Context& context,
              const Options& options,
              const ObservedContainer& container,
              const CopyEnd& from,
              const CopyEnd& to) {
    LocalRuntime runtime(context.paths);
    const runtime::View view = runtime->view(container.id);
    const sys::Fd machine = sys::open_directory("/");
    const bool to_container = to.container.has_value();
    const CopyEnd& inside = to_container ? to : from;
    const CopyEnd& outside = to_container ? from : to;
    const runtime::Users hosts;
    const Place in{
        view.root(), "/" + inside.path, *inside.container + ":" + inside.path, &view.users()};
    const Place out{machine,
                    outside.path.starts_with('/') || outside.path == "-"
                        ? outside.path
                        : here(".") + "/" + outside.path,
                    outside.path,
                    &hosts};
    if (outside.path == "-" && to_container)
        read_archive(in);
    else if (outside.path == "-")
        write_archive(in, options.follow);
    else if (to_container)
        Copier(options, out, in, true).run();
    else
        Copier(options, in, out, false).run();
}

/// A service is all of its containers.
std::vector<ObservedContainer> replicas(const Context& context, const Options& options) {
    auto all = find_targets(context, {Naming::service, {options.target.name}, options.all});
    if (all.empty())
        all.push_back(find_target(context, options.target));  // says that there is none
    return all;
}

void run(const Context& context, Options& options) {
    require_root();
    const CopyEnd from = parse_copy_end(options.source);
    const CopyEnd to = parse_copy_end(options.destination);
    const char* noun = options.target.naming == Naming::service ? "SERVICE" : "CONTAINER";
    if (from.container && to.container)
        give_up("copying between containers is not supported: copy to a local path first");
    if (!from.container && !to.container)
        give_up(std::string("one of the two must be in a container: ") + noun + ":PATH");
    options.target.name = from.container ? *from.container : *to.container;
    if (options.all && from.container)
        give_up("--all copies to every container of a service, not from them");
    const auto containers =
        from.container || options.target.naming == Naming::container || options.target.index != 0
            ? std::vector{find_target(context, options.target)}
            : replicas(context, options);
    if (containers.size() > 1 && from.path == "-")
        give_up("a tar archive on standard input goes into one container, and service \"" +
                options.target.name + "\" has " + std::to_string(containers.size()) +
                ": name it with --index");
    for (const auto& container : containers)
        copy_one(context, options, container, from, to);
}

void declare(CLI::App& app, Context& context, Naming naming) {
    const auto options = std::make_shared<Options>();
    options->target.naming = naming;
    const std::string noun = naming == Naming::service ? "SERVICE" : "CONTAINER";
    app.add_option("SOURCE",
                   options->source,
                   noun +
                       ":PATH or a local path; - is a tar archive on standard input. DIRECTORY/. "
                       "is what is in it")
        ->required();
    app.add_option("DESTINATION",
                   options->destination,
                   "Likewise; - is a tar archive on standard output. In a directory that exists, "
                   "the copy keeps its name; otherwise this is its name")
        ->required();
    app.add_flag("-a,--archive",
                 options->archive,
                 "Keep owners; otherwise: root's, or yours, and a program that ran as its owner "
                 "does not run as the new one");
    app.add_flag(
        "-L,--follow-link", options->follow, "Copy what a link SOURCE leads to, not the link");
    app.add_flag("-q,--quiet", options->quiet, "Accepted for compatibility: nothing is said");
    if (naming == Naming::service) {
        app.add_option("--index",
                       options->target.index,
                       "Which of the service's containers (default: to every one, from the first)");
        app.add_flag("--all", options->all, "To the containers of `run`, too");
    }
    app.callback([&context, options] { run(context, *options); });
}

}  // namespace

void add_cp(CLI::App& app, Context& context) {
    declare(app, context, Naming::service);
}

void add_container_cp(CLI::App& app, Context& context) {
    declare(app, context, Naming::container);
}

}  // namespace stack::cli
