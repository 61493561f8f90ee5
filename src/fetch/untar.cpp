#include "fetch/untar.h"

#include <stack/error.h>

#include "base/failpoint.h"

#include <array>
#include <memory>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

constexpr std::size_t block = 512;

struct Source {
    const NextPiece& next;
    std::exception_ptr thrown{};  // an exception must not cross libarchive's frames
    std::size_t in_block = 0;     // bytes of the last, unfinished block
    bool inside_entry = false;
    UnpackLimit limit = {};
    Filters filters = Filters::none;

    /// What filters of libarchive have made of it so far.
    void check_limit(archive* reader) const {
        if (filters != Filters::none)
            limit.check(archive_filter_bytes(reader, -1), archive_filter_bytes(reader, 0));
    }

    /// At the end: what is missing of the last block, where that is padding alone. Some programs
    /// (umoci) end a layer behind the last file's last byte; a file that is cut short stays so.
    std::string_view padding() {
        static constexpr std::array<char, block> zeros{};
        if (inside_entry || in_block == 0)
            return {};
        return {zeros.data(), block - std::exchange(in_block, 0)};
    }
};

la_ssize_t read_piece(archive* reader, void* context, const void** bytes) {
    auto& source = *static_cast<Source*>(context);
    try {
        std::string_view piece = source.next();
        source.in_block = (source.in_block + piece.size()) % block;
        if (piece.empty())
            piece = source.padding();
        *bytes = piece.data();
        return static_cast<la_ssize_t>(piece.size());
    } catch (...) {
        source.thrown = std::current_exception();
        archive_set_error(reader, EIO, "the source failed");
        return -1;
    }
}

[[noreturn]] void refuse(archive* reader, const Source& source) {
    if (source.thrown)
        std::rethrow_exception(source.thrown);
    const char* text = archive_error_string(reader);
    throw Error(
        std::make_error_code(std::errc::illegal_byte_sequence),
        std::string("the archive is damaged: ") + (text == nullptr ? "unknown reason" : text));
}

/// A warning (a name that is no text in this locale) is success: the raw name is what counts.
bool succeeded(int result) {
    return result == ARCHIVE_OK || result == ARCHIVE_WARN;
}

std::string text_of(const char* text) {
    return text == nullptr ? "" : text;
}

/// Cut to what fits, another number would be root's.
std::uint32_t id_of(la_int64_t number, const std::string& path) {
    constexpr la_int64_t nobody = 0xffffffff;  // to chown(2), none is given
    if (number < 0 || number >= nobody)
        throw Error("entry \"" + path + "\" belongs to user or group " + std::to_string(number) +
                    ", which there cannot be");
    return static_cast<std::uint32_t>(number);
}

Entry entry_of(archive_entry* header) {
    Entry entry;
    entry.path = text_of(archive_entry_pathname(header));
    if (const char* target = archive_entry_hardlink(header); target != nullptr) {
        entry.hard_link = true;
        entry.link = target;
    } else {
        entry.link = text_of(archive_entry_symlink(header));
    }
    entry.mode = archive_entry_mode(header);
    entry.uid = id_of(archive_entry_uid(header), entry.path);
    entry.gid = id_of(archive_entry_gid(header), entry.path);
    entry.device = archive_entry_rdev(header);
    entry.modified = {archive_entry_mtime(header), archive_entry_mtime_nsec(header)};
    archive_entry_xattr_reset(header);
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(header, &name, &value, &size) == ARCHIVE_OK)
        entry.attributes.emplace_back(name, std::string(static_cast<const char*>(value), size));
    return entry;
}

void write_at(const sys::Fd& file,
              std::string_view bytes,
              std::int64_t offset,
              const std::string& path) {
    while (!bytes.empty()) {
        STACK_FAILPOINT("layer.write");
        const auto count =
            sys::check(::pwrite(file.get(), bytes.data(), bytes.size(), offset), "write " + path);
        bytes.remove_prefix(static_cast<std::size_t>(count));
        offset += count;
    }
}

/// Holes of a sparse file stay holes.
void copy_content(archive* reader,
                  Source& source,
                  const sys::Fd& file,
                  std::int64_t size,
                  const std::string& path) {
    for (;;) {
        const void* bytes = nullptr;
        std::size_t count = 0;
        la_int64_t offset = 0;
        const int result = archive_read_data_block(reader, &bytes, &count, &offset);
        if (result == ARCHIVE_EOF)
            break;
        if (!succeeded(result))
            refuse(reader, source);
        source.check_limit(reader);
        write_at(file, std::string_view(static_cast<const char*>(bytes), count), offset, path);
        source.inside_entry = offset + static_cast<la_int64_t>(count) < size;
    }
    sys::check(::ftruncate(file.get(), size), "set the size of " + path);
}

using Reader = std::unique_ptr<archive, int (*)(archive*)>;

Reader make_reader() {
    Reader reader(archive_read_new(), archive_read_free);
    archive_read_support_format_tar(reader.get());
    archive_read_set_options(reader.get(), "hdrcharset=BINARY");
    return reader;
}

/// A filter that libarchive was built without would be run as a program found on PATH: it says so
/// with a warning, and is not wanted then.
void take_packed(const Reader& reader) {
    for (const auto support : {archive_read_support_filter_bzip2, archive_read_support_filter_xz})
        if (const Reader other = make_reader(); support(other.get()) == ARCHIVE_OK)
            support(reader.get());
}

}  // namespace

bool begins_as_tar(const NextPiece& next) {
    const Reader reader = make_reader();
    take_packed(reader);
    Source source{next};
    archive_entry* header = nullptr;
    return archive_read_open(reader.get(), &source, nullptr, read_piece, nullptr) == ARCHIVE_OK &&
           succeeded(archive_read_next_header(reader.get(), &header));
}

Untarred untar(const NextPiece& next,
               const sys::Fd& root,
               const WriteRules& rules,
               const UnpackLimit& limit,
               Filters filters) {
    const Reader reader = make_reader();
    archive_read_support_format_empty(reader.get());
    if (filters != Filters::none)
        take_packed(reader);
    Source source{.next = next, .limit = limit, .filters = filters};
    if (archive_read_open(reader.get(), &source, nullptr, read_piece, nullptr) != ARCHIVE_OK)
        refuse(reader.get(), source);
    TreeWriter writer(root, rules);
    for (std::size_t count = 0;; ++count) {
        // Each may cost a file of the disk, and a directory's time is kept to the end.
        constexpr std::size_t most_entries = 4'000'000;
        if (count == most_entries)
            throw Error(std::make_error_code(std::errc::file_too_large),
                        "the archive has more than " + std::to_string(most_entries) +
                            " entries: no image is meant so");
        archive_entry* header = nullptr;
        const int result = archive_read_next_header(reader.get(), &header);
        if (result == ARCHIVE_EOF)
            break;
        if (!succeeded(result))
            refuse(reader.get(), source);
        const Entry entry = entry_of(header);
        if (const sys::Fd file = writer.begin(entry)) {
            const std::int64_t size = archive_entry_size(header);
            writer.add_size(size);
            limit.check_files(writer.size());
            source.inside_entry = size > 0;
            copy_content(reader.get(), source, file, size, entry.path);
            source.inside_entry = false;
            writer.finish_file(entry, file);
        }
    }
    writer.finish();
    while (!next().empty()) {  // padding belongs to the digest
    }
    return {writer.size(), writer.unsaid()};
}

}  // namespace stack::fetch
