#include "engine/image/inherited.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "engine/image/layer_record.h"
#include "sys/file.h"
#include "sys/scratch_directory.h"
#include "sys/tree.h"

#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::image {
namespace {

using Status = struct stat;

constexpr const char* layers_file = "/layers";

std::string layer_directory(const std::string& root, const std::string& diff_id) {
    return layer_path(root, diff_id) + "/fs";
}

/// What can be seen of a path in one lower directory, following no link.
struct Sight {
    std::optional<Status> directory;
    bool hides = false;   // something else is in the way: what lies below cannot be seen
    bool opaque = false;  // a directory on the way hides what lies below it
};

Sight look(const sys::Fd& root, const std::string& path) {
    Sight sight;
    for (std::size_t end = 0; end != std::string::npos;) {
        end = path.find('/', end + 1);
        const std::string reached = path.substr(0, end);
        const sys::Fd found = sys::find_in_root(root, reached, O_PATH | O_NOFOLLOW);
        Status status{};
        if (!found)
            return sight;
        sys::check(::fstat(found.get(), &status), "stat " + reached);
        if (!S_ISDIR(status.st_mode)) {
            sight.hides = true;
            return sight;
        }
        if (end == std::string::npos)
            sight.directory = status;
        else if (sys::is_opaque(sys::open_in_root(root, reached, O_RDONLY | O_DIRECTORY)))
            sight.opaque = true;
    }
    return sight;
}

bool looks_the_same(const Status& one, const Status& other) {
    return one.st_mode == other.st_mode && one.st_uid == other.st_uid && one.st_gid == other.st_gid;
}

/// `a/b` of `a/b/c`, `.` of `a`.
std::string above(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// One layer, and the lower directories of those below it.
class Heir {
  public:
    Heir(const std::string& layer, const Unsaid& unsaid, const Strings& lowers)
        : layer_(sys::open_directory(layer)), unsaid_(unsaid), lowers_(lowers) {}

    /// Makes what is inherited in `directory`, which is empty. False where that is nothing.
    bool inherit(const std::string& directory) {
        for (const auto& path : unsaid_.directories) {
            const Sight own = look(layer_, path);
            const auto below = own.directory && !own.opaque ? look_below(path) : std::nullopt;
            if (below && !looks_the_same(*own.directory, *below))
                looks_.emplace(path, *below);
        }
        if (looks_.empty() && unsaid_.links.empty())
            return false;
        const sys::Fd made = sys::open_directory(directory);
        for (const auto& [path, look] : looks_)
            make_directory(made, path);
        for (const auto& [name, target] : unsaid_.links)
            copy(made, name, target);
        make_look(made, ".");
        return true;
    }

  private:
    /// The first that is there counts, whatever it is.
    [[nodiscard]] std::optional<Status> look_below(const std::string& path) const {
        for (const auto& lower : lowers_) {
            const Sight sight = look(sys::open_directory(lower), path);
            if (sight.directory || sight.hides || sight.opaque)
                return sight.directory;
        }
        return std::nullopt;
    }

    /// As what shows through: the inherited look, or the layer's own.
    void make_look(const sys::Fd& directory, const std::string& path) const {
        const auto inherited = looks_.find(path);
        const auto status = inherited != looks_.end() ? std::optional(inherited->second)
                                                      : look(layer_, path).directory;
        if (!status)
            return;
        sys::check(::fchown(directory.get(), status->st_uid, status->st_gid), "own " + path);
        sys::check(::fchmod(directory.get(), status->st_mode & 07777U), "set the mode of " + path);
        const std::array<timespec, 2> times{status->st_atim, status->st_mtim};
        sys::check(::futimens(directory.get(), times.data()), "set the times of " + path);
    }

    /// With the directories that it lies in. The layer has them all, as directories; else nothing
    /// of it would show.
    sys::Fd make_directory(const sys::Fd& made, const std::string& path) const {
        if (path == ".")
            return sys::duplicate(made);
        const sys::Fd parent = make_directory(made, above(path));
        const std::string name = sys::file_name(path);
        if (::mkdirat(parent.get(), name.c_str(), 0700) < 0 && errno != EEXIST)
            sys::fail("create directory " + path);
        sys::Fd directory(sys::check(
            ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
            "open " + path));
        make_look(directory, path);
        return directory;
    }

    /// A file is copied once, whatever number of links name it: a small layer would fill the disk.
    void copy(const sys::Fd& made, const std::string& path, const std::string& target) {
        const sys::Fd source = find_file(made, target);
        if (!source)
            throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                        "entry \"" + path + "\" is a hard link to \"" + target +
                            "\", which is no file of the layer or of one below it");
        if (!look(layer_, above(path)).directory)
            throw Error("entry \"" + path +
                        "\", a hard link to a file of a layer below, lies behind "
                        "a symbolic link");
        const sys::Fd parent = make_directory(made, above(path));
        Status status{};
        sys::check(::fstat(source.get(), &status), "stat " + target);
        const auto [first, is_new] = copies_.try_emplace({status.st_dev, status.st_ino}, path);
        if (is_new)
            copy_content(source, parent, path);
        else
            link(made, first->second, parent, path);
        make_look(parent, above(path));
    }

    static void copy_content(const sys::Fd& source,
                             const sys::Fd& parent,
                             const std::string& path) {
        const sys::Fd file(sys::check(::openat(parent.get(),
                                               sys::file_name(path).c_str(),
                                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                               0600),
                                      "create " + path));
        sys::copy_file(source, file, path);
    }

    static void link(const sys::Fd& made,
                     const std::string& first,
                     const sys::Fd& parent,
                     const std::string& path) {
        const sys::Fd directory = sys::open_in_root(made, above(first), O_PATH | O_DIRECTORY);
        sys::check(::linkat(directory.get(),
                            sys::file_name(first).c_str(),
                            parent.get(),
                            sys::file_name(path).c_str(),
                            0),
                   "link " + path);
    }

    /// Also one that has just been copied.
    sys::Fd find_file(const sys::Fd& made, const std::string& path) const {
        for (const auto* own : {&made, &layer_})
            if (sys::Fd file = sys::find_file_in_root(*own, path))
                return file;
        for (const auto& lower : lowers_) {
            const sys::Fd root = sys::open_directory(lower);
            if (sys::Fd file = sys::find_file_in_root(root, path))
                return file;
            if (sys::find_in_root(root, path, O_PATH | O_NOFOLLOW))
                return {};  // taken away, or none that could have a second name
        }
        return {};
    }

    sys::Fd layer_;
    const Unsaid& unsaid_;
    const Strings& lowers_;
    std::map<std::string, Status> looks_;  // by path: of directories that look otherwise below
    std::map<std::pair<dev_t, ino_t>, std::string> copies_;  // by what was copied: the first name
};

/// What the topmost of these layers inherits.
void ensure_one(const std::string& root,
                const std::string& chain_id,
                const Strings& diff_ids,
                const Unsaid& unsaid) {
    if (sys::is_directory(inherited_directory(root, chain_id)))
        return;
    const Strings lowers = lower_directories(root, {diff_ids.begin(), std::prev(diff_ids.end())});
    sys::ScratchDirectory staging(root + "/staging");
    sys::ensure_directory(staging.path() + "/fs");
    const std::string layer = layer_directory(root, diff_ids.back());
    if (!Heir(layer, unsaid, lowers).inherit(staging.path() + "/fs"))
        return;
    sys::replace_volatile_file(staging.path() + layers_file, join(diff_ids, "\n"));
    sys::sync_filesystem(staging.path());
    STACK_FAILPOINT("image.inherit");
    sys::ensure_directory(root + "/inherited", 0711);
    if (staging.move_to(sys::parent_path(inherited_directory(root, chain_id))))
        sys::sync_directory(root + "/inherited");
}

}  // namespace

Strings chain_ids(const Strings& diff_ids) {
    Strings chains;
    for (const auto& diff_id : diff_ids)
        chains.push_back(chains.empty() ? diff_id
                                        : "sha256:" + sha256_hex(chains.back() + " " + diff_id));
    return chains;
}

std::string inherited_directory(const std::string& root, const std::string& chain_id) {
    return root + "/inherited/" + chain_id.substr(chain_id.find(':') + 1) + "/fs";
}

void ensure_inherited(const std::string& root, const Strings& diff_ids) {
    const Strings chains = chain_ids(diff_ids);
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
        const Unsaid unsaid = read_layer(root, diff_ids[i]).unsaid;
        const bool has_looks = i > 0 && !unsaid.directories.empty();  // below the first is nothing
        if (!has_looks && unsaid.links.empty())
            continue;
        const auto end = diff_ids.begin() + static_cast<std::ptrdiff_t>(i + 1);
        ensure_one(root, chains[i], {diff_ids.begin(), end}, unsaid);
    }
}

Strings layers_of_inherited(const std::string& root, const std::string& name) {
    const auto text = sys::read_file(root + "/inherited/" + name + layers_file);
    return text ? split(*text, '\n') : Strings();
}

Strings lower_directories(const std::string& root, const Strings& diff_ids) {
    const Strings chains = chain_ids(diff_ids);
    Strings lowers;
    std::set<std::string> seen;
    for (std::size_t i = diff_ids.size(); i-- > 0;) {
        if (const std::string inherited = inherited_directory(root, chains[i]);
            sys::is_directory(inherited))
            lowers.push_back(inherited);
        if (seen.insert(diff_ids[i]).second)
            lowers.push_back(layer_directory(root, diff_ids[i]));
    }
    return lowers;
}

}  // namespace stack::image
