#include "engine/image/tar_writer.h"

#include <stack/error.h>

#include "sys/tree.h"
#include "sys/tree_walk.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace stack::image {
namespace {

constexpr std::string_view file_capabilities = "security.capability";
constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct stat status_at(const sys::Fd& directory, const std::string& name) {
    struct stat status {};

    sys::check(::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW),
               "stat " + name);
    return status;
}

bool is_whiteout(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

/// File capabilities and what programs attach themselves; not what the kernel or a security module
/// keeps there.
bool belongs_to_file(std::string_view attribute) {
    return attribute == file_capabilities || attribute.starts_with("user.");
}

bool is_opaque(const sys::Attributes& attributes) {
    return std::any_of(attributes.begin(), attributes.end(), [](const auto& attribute) {
        return attribute.first == sys::opaque_attribute;
    });
}

void describe(TarEntry& entry, const struct stat& status) {
    entry.mode = status.st_mode & 07777U;
    entry.uid = status.st_uid;
    entry.gid = status.st_gid;
    entry.mtime = status.st_mtim.tv_sec;
}

void keep_attributes(TarEntry& entry, sys::Attributes all) {
    std::erase_if(all, [](const auto& one) { return !belongs_to_file(one.first); });
    entry.attributes = std::move(all);
}

}  // namespace

struct TarWriter::Names {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> by_inode;
};

TarWriter::TarWriter(ByteSink sink, TarOptions options)
    : sink_(std::move(sink)),
      options_(std::move(options)),
      collect_([this](std::string_view bytes) { put(bytes); }),
      stream_(collect_),
      first_names_(std::make_unique<Names>()) {}

TarWriter::~TarWriter() = default;

void TarWriter::add_content(const sys::Fd& directory, const std::string& prefix) {
    sys::TreeWalk walk(directory);
    std::string path = prefix;
    add_whiteouts(walk, path);
    for (;;) {
        if (const auto name = walk.next()) {
            const struct stat status = status_at(walk.here(), *name);
            if ((options_.whiteouts && is_whiteout(status)) ||
                add_file(walk.here(), *name, status, path + *name))
                continue;
            walk.enter(*name);
            path += *name + "/";
            if (path.size() > longest_path)
                throw Error(std::make_error_code(std::errc::filename_too_long),
                            path.substr(0, 100) + "…: deeper than can be unpacked again");
            add_directory(walk.here(), path);
            add_whiteouts(walk, path);
        } else if (walk.at_top()) {
            return;
        } else {
            path.resize(path.size() - walk.leave().size() - 1);
        }
    }
}

void TarWriter::add(const sys::Fd& directory, const std::string& name, const std::string& path) {
    if (add_file(directory, name, status_at(directory, name), path))
        return;
    const sys::Fd inner(
        sys::check(::openat(directory.get(), name.c_str(), directory_flags), "open " + path));
    add_directory(inner, path + "/");
    add_content(inner, path + "/");
}

bool TarWriter::add_file(const sys::Fd& directory,
                         const std::string& name,
                         struct stat status,
                         const std::string& path) {
    if (S_ISDIR(status.st_mode))
        return false;
    TarEntry entry{path};
    sys::Fd file;
    if (S_ISREG(status.st_mode)) {
        file = sys::open_regular_file(directory, name);
        sys::check(::fstat(file.get(), &status), "stat " + path);
    }
    describe(entry, status);
    const bool is_device = S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode);
    if (S_ISSOCK(status.st_mode) || (is_device && !options_.devices)) {
        devices_left_out_ += is_device ? 1 : 0;
        return true;  // before a link to it is thought of
    }
    if (status.st_nlink > 1 && add_hard_link(entry, status.st_dev, status.st_ino))
        return true;
    if (file) {
        entry.size = static_cast<std::uint64_t>(status.st_size);
        add_content_of(file, std::move(entry));
    } else if (S_ISLNK(status.st_mode)) {
        entry.type = '2';
        entry.link = sys::find_link_target(directory, name).value_or("");
        write(std::move(entry));
    } else {
        entry.type = S_ISFIFO(status.st_mode) ? '6' : S_ISBLK(status.st_mode) ? '4' : '3';
        entry.major = ::major(status.st_rdev);
        entry.minor = ::minor(status.st_rdev);
        write(entry);
    }
    return true;
}

void TarWriter::finish() {
    stream_.end();
    sink_(waiting_);
    waiting_.clear();
}

void TarWriter::add_whiteouts(sys::TreeWalk& walk, const std::string& prefix) {
    if (!options_.whiteouts)
        return;
    for (const auto& name : walk.names())
        if (is_whiteout(status_at(walk.here(), name)))
            write(TarEntry{prefix + ".wh." + name});
}

bool TarWriter::add_hard_link(const TarEntry& entry, std::uint64_t device, std::uint64_t inode) {
    const auto [first, is_first] = first_names_->by_inode.try_emplace({device, inode}, entry.path);
    if (is_first)
        return false;
    TarEntry link = entry;
    link.type = '1';
    link.link = first->second;
    write(link);
    return true;
}

void TarWriter::add_directory(const sys::Fd& directory, const std::string& path) {
    struct stat status {};

    sys::check(::fstat(directory.get(), &status), "stat " + path);
    TarEntry entry{path, '5'};
    describe(entry, status);
    auto attributes = sys::attributes_of(directory);
    const bool opaque = options_.whiteouts && is_opaque(attributes);
    keep_attributes(entry, std::move(attributes));
    write(std::move(entry));
    if (opaque)
        write(TarEntry{path + ".wh..wh..opq"});
}

void TarWriter::add_content_of(const sys::Fd& file, TarEntry entry) {
    keep_attributes(entry, sys::attributes_of(file));
    write(entry);
    std::array<char, 131072> buffer;  // not cleared: most files are smaller than one of its pages
    for (std::uint64_t left = entry.size; left > 0;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
        auto count = sys::check(::read(file.get(), buffer.data(), wanted), "read " + entry.path);
        if (count == 0) {  // it has become shorter: its size has been said
            buffer.fill(0);
            count = static_cast<ssize_t>(wanted);
        }
        put({buffer.data(), static_cast<std::size_t>(count)});
        left -= static_cast<std::uint64_t>(count);
    }
    stream_.pad(entry.size);
    size_ += static_cast<std::int64_t>(entry.size);
}

void TarWriter::own(TarEntry& entry, const Owner& owner) const {
    if (entry.type != '5' && entry.uid != owner.uid) {
        entry.mode &= ~static_cast<std::uint32_t>(S_ISUID);
        std::erase_if(entry.attributes,
                      [](const auto& one) { return one.first == file_capabilities; });
    }
    if (entry.type != '5' && entry.gid != owner.gid)
        entry.mode &= ~static_cast<std::uint32_t>(S_ISGID);
    entry.uid = owner.uid;
    entry.gid = owner.gid;
}

void TarWriter::write(TarEntry entry) {
    empty_ = false;
    entry.uid -= entry.uid < options_.first_user ? 0 : options_.first_user;
    entry.gid -= entry.gid < options_.first_user ? 0 : options_.first_user;
    if (options_.owner)
        own(entry, *options_.owner);
    stream_.header(entry);
}

/// A header is small, a write is not cheap.
void TarWriter::put(std::string_view bytes) {
    constexpr std::size_t enough = 131072;
    waiting_ += bytes;
    if (waiting_.size() < enough)
        return;
    sink_(waiting_);
    waiting_.clear();
}

}  // namespace stack::image
