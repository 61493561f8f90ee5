#include "engine/build/digest_cache.h"

#include "sys/file.h"
#include "sys/lock.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <type_traits>

namespace stack::build {
namespace {

constexpr std::size_t digest_size = 64;
constexpr std::size_t longest_file = 512U << 20U;
/// Files that builds do not look at any more, most of which are gone.
constexpr std::size_t most_unseen = 200'000;

struct Header {
    std::array<char, 8> magic{'d', 'i', 'g', 'e', 's', 't', 's', '1'};
    std::uint64_t count = 0;
    std::uint64_t sum = 0;  // of all that follows
};

/// Tells what was written whole from what a power cut has left of it.
std::uint64_t sum_of(std::string_view bytes) {
    constexpr std::uint64_t prime = 0x9E3779B97F4A7C15;
    constexpr unsigned half = 32;
    std::uint64_t sum = bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const std::size_t part = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), part);
        bytes.remove_prefix(part);
        sum = (sum ^ word) * prime;
        sum ^= sum >> half;
    }
    return sum;
}

template <class Value>
void append(std::string& text, const Value& value) {
    static_assert(std::is_trivially_copyable_v<Value>);
    std::array<char, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    text.append(bytes.data(), bytes.size());
}

std::string read_kept(const std::string& path) {
    if (static_cast<std::size_t>(sys::file_size(path)) > longest_file)
        return {};
    return sys::read_file(path, longest_file).value_or("");
}

/// 0 where it is not what was written.
std::size_t count_of(std::string_view text, std::size_t record_size) {
    Header header;
    const Header expected;
    if (text.size() < sizeof header)
        return 0;
    std::memcpy(&header, text.data(), sizeof header);
    text.remove_prefix(sizeof header);
    const bool whole = header.magic == expected.magic &&
                       header.count <= text.size() / record_size && header.sum == sum_of(text);
    return whole ? header.count : 0;
}

}  // namespace

struct DigestCache::Record {
    FileIdentity identity;
    std::uint64_t path = 0;  // where it begins in the file
    std::uint64_t path_size = 0;
    std::array<char, digest_size> digest{};
};

DigestCache::DigestCache(std::string path, Content content)
    : path_(std::move(path)),
      content_(content),
      text_(read_kept(path_)),
      count_(count_of(text_, sizeof(Record))),
      seen_(count_) {}

FileIdentity DigestCache::known_as(const struct stat& status) const {
    return content_ == Content::stays ? FileIdentity{} : identity_of(status);
}

DigestCache::Record DigestCache::record(std::size_t index) const {
    Record record;
    std::memcpy(&record, &text_[sizeof(Header) + index * sizeof record], sizeof record);
    return record;
}

std::string_view DigestCache::path_of(const Record& record) const {
    return std::string_view(text_).substr(std::min(record.path, std::uint64_t(text_.size())),
                                          record.path_size);
}

/// A listing comes by them in order: it is the one at `first`, if the file is not new.
std::optional<std::size_t> DigestCache::find(std::string_view path, std::size_t first) const {
    if (first < count_ && path_of(record(first)) == path)
        return first;
    std::size_t low = 0;
    std::size_t high = count_;
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        if (comes_before(path_of(record(middle)), path))
            low = middle + 1;
        else
            high = middle;
    }
    if (low < count_ && path_of(record(low)) == path)
        return low;
    return std::nullopt;
}

void DigestCache::fill(std::vector<SourceFile>& files) {
    const std::lock_guard lock(mutex_);
    std::size_t next = 0;
    for (auto& file : files) {
        if (!S_ISREG(file.status.st_mode))
            continue;
        const FileIdentity identity = known_as(file.status);
        if (const auto place = find(file.path, next)) {
            const Record kept = record(*place);
            next = *place + 1;
            seen_[*place] = true;
            if (kept.identity == identity)
                file.digest.assign(kept.digest.data(), kept.digest.size());
        }
        const auto added = file.digest.empty() ? added_.find(file.path) : added_.end();
        if (added != added_.end() && added->second.identity == identity)
            file.digest = added->second.digest;
    }
}

void DigestCache::put(const SourceFile& file, std::time_t since) {
    if (content_ == Content::changes && file.status.st_ctim.tv_sec + 1 >= since)
        return;
    const std::lock_guard lock(mutex_);
    added_[file.path] = {known_as(file.status), file.digest};
}

std::string DigestCache::merged() const {
    const auto seen = std::count(seen_.begin(), seen_.end(), true);
    const bool all = count_ - static_cast<std::size_t>(seen) <= most_unseen;
    std::vector<std::pair<std::string_view, Record>> records;
    records.reserve(count_ + added_.size());
    for (std::size_t i = 0; i < count_; ++i) {
        const Record kept = record(i);
        if ((all || seen_[i]) && added_.count(path_of(kept)) == 0)
            records.emplace_back(path_of(kept), kept);
    }
    const auto old = static_cast<std::ptrdiff_t>(records.size());
    for (const auto& [path, known] : added_) {
        Record added{known.identity, 0, 0, {}};
        known.digest.copy(added.digest.data(), added.digest.size());
        records.emplace_back(path, added);
    }
    std::inplace_merge(
        records.begin(), records.begin() + old, records.end(), [](const auto& a, const auto& b) {
            return comes_before(a.first, b.first);
        });
    std::string body;
    std::string paths;
    for (auto& [path, record] : records) {
        record.path = sizeof(Header) + records.size() * sizeof record + paths.size();
        record.path_size = path.size();
        append(body, record);
        paths += path;
    }
    body += paths;
    Header header;
    header.count = records.size();
    header.sum = sum_of(body);
    std::string text;
    append(text, header);
    return text + body;
}

void DigestCache::save() {
    const std::lock_guard lock(mutex_);
    if (added_.empty()) {
        sys::touch(path_);  // its last use, for those who make room
        return;
    }
    sys::ensure_directory(sys::parent_path(path_), 0700);
    const auto alone = sys::Lock::acquire(path_ + ".lock");  // another build of the same context
    sys::replace_volatile_file(path_, merged());
}

}  // namespace stack::build
