#include "engine/image/tar_stream.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace stack::image {
namespace {

constexpr std::size_t block = 512;
constexpr std::size_t name_width = 100;
constexpr std::uint64_t largest_id = 07777777;
constexpr std::uint64_t largest_number = 077777777777;  // size and mtime

/// Puts a number in octal into a field of a header, which ends in NUL. False where it does not fit.
bool put_octal(char* field, std::size_t width, std::uint64_t value) {
    std::string digits;
    for (; value > 0; value >>= 3U)
        digits.insert(digits.begin(), static_cast<char>('0' + (value & 7U)));
    if (digits.size() > width - 1)
        return false;
    digits.insert(0, width - 1 - digits.size(), '0');
    std::memcpy(field, digits.data(), digits.size());
    return true;
}

bool is_ascii(std::string_view text) {
    return std::all_of(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// `LENGTH key=value\n`, where LENGTH counts itself.
std::string pax_record(const std::string& key, const std::string& value) {
    const std::size_t rest = key.size() + value.size() + 3;
    std::size_t length = rest + 1;
    while (rest + std::to_string(length).size() != length)
        length = rest + std::to_string(length).size();
    return std::to_string(length) + " " + key + "=" + value + "\n";
}

std::string pax_records(const TarEntry& entry) {
    std::string records;
    const auto add = [&](const std::string& key, const std::string& value) {
        records += pax_record(key, value);
    };
    if (entry.path.size() > name_width || !is_ascii(entry.path))
        add("path", entry.path);
    if (entry.link.size() > name_width || !is_ascii(entry.link))
        add("linkpath", entry.link);
    if (entry.size > largest_number)
        add("size", std::to_string(entry.size));
    if (entry.uid > largest_id)
        add("uid", std::to_string(entry.uid));
    if (entry.gid > largest_id)
        add("gid", std::to_string(entry.gid));
    if (entry.mtime < 0 || static_cast<std::uint64_t>(entry.mtime) > largest_number)
        add("mtime", std::to_string(entry.mtime));
    for (const auto& [name, value] : entry.attributes)
        add("SCHILY.xattr." + name, value);
    return records;
}

}  // namespace

void TarStream::header(const TarEntry& entry) {
    const std::string extended = pax_records(entry);
    if (!extended.empty()) {
        TarEntry pax{"PaxHeaders.0/" + entry.path.substr(entry.path.rfind('/') + 1, 80), 'x'};
        pax.mode = 0644;
        pax.size = extended.size();
        write_header(pax);
        data(extended);
        pad(extended.size());
    }
    write_header(entry);
}

void TarStream::pad(std::uint64_t size) {
    static constexpr std::array<char, block> zeros{};
    const auto rest = static_cast<std::size_t>(size % block);
    if (rest > 0)
        sink_({zeros.data(), block - rest});
}

void TarStream::end() {
    static constexpr std::array<char, 2 * block> zeros{};
    sink_({zeros.data(), zeros.size()});
}

void TarStream::write_header(const TarEntry& entry) {
    std::array<char, block> header{};
    char* at = header.data();
    std::memcpy(at, entry.path.data(), std::min(entry.path.size(), name_width));
    put_octal(at + 100, 8, entry.mode);
    put_octal(at + 108, 8, std::min(entry.uid, largest_id));
    put_octal(at + 116, 8, std::min(entry.gid, largest_id));
    put_octal(at + 124, 12, std::min(entry.size, largest_number));
    put_octal(
        at + 136,
        12,
        entry.mtime < 0 ? 0 : std::min(static_cast<std::uint64_t>(entry.mtime), largest_number));
    std::memset(at + 148, ' ', 8);
    at[156] = entry.type;
    std::memcpy(at + 157, entry.link.data(), std::min(entry.link.size(), name_width));
    std::memcpy(at + 257,
                "ustar\0"
                "00",
                8);
    put_octal(at + 329, 8, entry.major);
    put_octal(at + 337, 8, entry.minor);
    unsigned int sum = 0;
    for (const char c : header)
        sum += static_cast<unsigned char>(c);
    put_octal(at + 148, 7, sum);
    sink_({header.data(), header.size()});
}

}  // namespace stack::image
