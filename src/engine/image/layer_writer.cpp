#include "engine/image/layer_writer.h"

#include "base/digest.h"
#include "base/text.h"
#include "sys/tree.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace stack::image {
namespace {

constexpr std::string_view opaque_attribute = "trusted.overlay.opaque";
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string attribute_of(const sys::Fd& file, const std::string& name) {
    std::array<char, 65536> value{};
    const auto size = ::fgetxattr(file.get(), name.c_str(), value.data(), value.size());
    return size > 0 ? std::string(value.data(), static_cast<std::size_t>(size)) : "";
}

std::vector<std::string> attribute_names(const sys::Fd& file) {
    std::array<char, 65536> names{};
    const auto size = ::flistxattr(file.get(), names.data(), names.size());
    std::vector<std::string> result;
    for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);
         at += result.back().size() + 1)
        result.emplace_back(&names[at]);
    std::sort(result.begin(), result.end());
    return result;
}

/// File capabilities and what programs attach themselves; not what the kernel or a security module
/// keeps there.
bool belongs_to_layer(std::string_view attribute) {
    return attribute == "security.capability" || attribute.starts_with("user.");
}

bool is_whiteout(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

class LayerWriter {
  public:
    explicit LayerWriter(const ByteSink& sink)
        : counted_([this, &sink](std::string_view bytes) {
              digest_.update(bytes);
              sink(bytes);
          }),
          tar_(counted_) {}

    LayerSummary write(const sys::Fd& upper) {
        write_children(upper, "");
        tar_.end();
        summary_.diff_id = "sha256:" + digest_.finish();
        return summary_;
    }

  private:
    static struct stat status_at(const sys::Fd& directory, const std::string& name) {
        struct stat status {};

        sys::check(::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
                   "stat " + name);
        return status;
    }

    void write_children(const sys::Fd& directory, const std::string& prefix) {
        const auto names = sys::names_in(directory);
        for (const auto& name : names) {
            if (is_whiteout(status_at(directory, name)))
                write_whiteout(prefix + ".wh." + name);
        }
        for (const auto& name : names) {
            const auto status = status_at(directory, name);
            if (!is_whiteout(status))
                write_entry(directory, name, prefix + name, status);
        }
    }

    void write_whiteout(const std::string& path) {
        summary_.empty = false;
        TarEntry entry{path, '0'};
        tar_.header(entry);
    }

    static TarEntry entry_for(const std::string& path, const struct stat& status) {
        TarEntry entry{path, '0'};
        entry.mode = status.st_mode & 07777U;
        entry.uid = status.st_uid;
        entry.gid = status.st_gid;
        entry.mtime = status.st_mtim.tv_sec;
        return entry;
    }

    void write_entry(const sys::Fd& directory,
                     const std::string& name,
                     const std::string& path,
                     const struct stat& status) {
        summary_.empty = false;
        TarEntry entry = entry_for(path, status);
        if (!S_ISDIR(status.st_mode) && status.st_nlink > 1 && write_hard_link(entry, status))
            return;
        if (S_ISDIR(status.st_mode)) {
            write_directory(directory, name, std::move(entry));
        } else if (S_ISREG(status.st_mode)) {
            write_file(
                directory, name, std::move(entry), static_cast<std::uint64_t>(status.st_size));
        } else if (S_ISLNK(status.st_mode)) {
            write_symbolic_link(directory, name, std::move(entry));
        } else {
            entry.type = S_ISFIFO(status.st_mode) ? '6' : S_ISBLK(status.st_mode) ? '4' : '3';
            entry.major = ::major(status.st_rdev);
            entry.minor = ::minor(status.st_rdev);
            tar_.header(entry);
        }
    }

    bool write_hard_link(TarEntry entry, const struct stat& status) {
        const auto [first, is_first] = first_names_.try_emplace(status.st_ino, entry.path);
        if (is_first)
            return false;
        entry.type = '1';
        entry.link = first->second;
        tar_.header(entry);
        return true;
    }

    static void add_attributes(const sys::Fd& file, TarEntry& entry) {
        for (const auto& name : attribute_names(file)) {
            if (belongs_to_layer(name))
                entry.attributes.emplace_back(name, attribute_of(file, name));
        }
    }

    void write_directory(const sys::Fd& parent, const std::string& name, TarEntry entry) {
        const sys::Fd directory(sys::check(::openat(parent.get(), name.c_str(), directory_flags),
                                           "open " + entry.path));
        entry.type = '5';
        entry.path += "/";
        add_attributes(directory, entry);
        tar_.header(entry);
        if (!attribute_of(directory, std::string(opaque_attribute)).empty())
            write_whiteout(entry.path + ".wh..wh..opq");
        write_children(directory, entry.path);
    }

    void write_file(const sys::Fd& parent,
                    const std::string& name,
                    TarEntry entry,
                    std::uint64_t size) {
        const sys::Fd file(
            sys::check(::openat(parent.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
                       "open " + entry.path));
        entry.size = size;
        add_attributes(file, entry);
        tar_.header(entry);
        std::array<char, 131072> buffer{};
        for (std::uint64_t left = size; left > 0;) {
            const auto wanted =
                static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
            const auto count =
                sys::check(::read(file.get(), buffer.data(), wanted), "read " + entry.path);
            if (count == 0)
                sys::fail("read " + entry.path + ", which became shorter", EIO);
            tar_.data({buffer.data(), static_cast<std::size_t>(count)});
            left -= static_cast<std::uint64_t>(count);
        }
        tar_.pad(size);
        summary_.size += static_cast<std::int64_t>(size);
    }

    void write_symbolic_link(const sys::Fd& parent, const std::string& name, TarEntry entry) {
        std::array<char, 4097> target{};
        const auto size =
            sys::check(::readlinkat(parent.get(), name.c_str(), target.data(), target.size()),
                       "read the link " + entry.path);
        entry.type = '2';
        entry.link.assign(target.data(), static_cast<std::size_t>(size));
        tar_.header(entry);
    }

    Sha256 digest_;
    ByteSink counted_;
    TarStream tar_;
    LayerSummary summary_;
    std::map<ino_t, std::string> first_names_;  // of files with several names
};

void clean_attributes(const sys::Fd& file) {
    for (const auto& name : attribute_names(file)) {
        if (name.starts_with("trusted.overlay.") && name != opaque_attribute)
            ::fremovexattr(file.get(), name.c_str());
    }
}

}  // namespace

LayerSummary write_layer(const sys::Fd& upper, const ByteSink& sink) {
    return LayerWriter(sink).write(upper);
}

LayerSummary summarize_layer(const sys::Fd& upper) {
    return write_layer(upper, [](std::string_view) {});
}

void clean_upper(const sys::Fd& upper) {
    clean_attributes(upper);
    for (const auto& name : sys::names_in(upper)) {
        struct stat status {};

        sys::check(::fstatat(upper.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
                   "stat " + name);
        if (S_ISSOCK(status.st_mode))
            sys::check(::unlinkat(upper.get(), name.c_str(), 0), "remove the socket " + name);
        if (S_ISDIR(status.st_mode))
            clean_upper(sys::Fd(
                sys::check(::openat(upper.get(), name.c_str(), directory_flags), "open " + name)));
        else if (S_ISREG(status.st_mode))
            clean_attributes(sys::Fd(
                sys::check(::openat(upper.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC),
                           "open " + name)));
    }
}

}  // namespace stack::image
