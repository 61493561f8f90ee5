// The bytes of layers as packers make them, and as nobody should (security.md 2M, 42 and 46 to 49).

#include <stack/error.h>

#include "base/random.h"
#include "engine/image/tar_stream.h"
#include "fetch/deflate.h"
#include "fetch/import.h"
#include "fetch/inflate.h"
#include "fetch/layer.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>

#include <gtest/gtest.h>
#include <zstd.h>

namespace stack::fetch {
namespace {

std::string gzipped(const std::string& content) {
    std::string packed;
    Deflater deflater([&](std::string_view bytes) { packed += bytes; });
    deflater.feed(content);
    deflater.finish();
    return packed;
}

std::string zstd(const std::string& content) {
    std::string packed(ZSTD_compressBound(content.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), content.data(), content.size(), 3));
    return packed;
}

/// Fed with so many bytes at a time.
std::string inflated(std::string_view packed, std::size_t step = 1000) {
    std::string content;
    Inflater inflater([&](std::string_view bytes) { content += bytes; });
    for (; !packed.empty(); packed.remove_prefix(std::min(step, packed.size())))
        inflater.feed(packed.substr(0, step));
    inflater.finish();
    return content;
}

std::string some_content() {
    std::string content;
    for (int i = 0; i < 2000; ++i)
        content += std::to_string(i * i) + "\n";
    return content;
}

TEST(LayerBytes, FollowEachOtherInMembersAndFrames) {
    const std::string content = some_content();
    const std::string skipped("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
    for (const std::size_t step : {1U, 7U, 1000U, 100'000U}) {
        EXPECT_EQ(inflated(gzipped(content) + gzipped("") + gzipped(content), step),
                  content + content);
        EXPECT_EQ(inflated(skipped + zstd(content) + skipped + zstd(content), step),
                  content + content);
        EXPECT_EQ(inflated(content, step), content);
        EXPECT_EQ(inflated("", step), "");
    }
}

TEST(LayerBytes, EndWhereTheyShould) {
    const std::string content = some_content();
    constexpr std::size_t enough_to_tell_what_it_is = 4;
    for (const auto& packed : {gzipped(content), zstd(content)}) {
        for (std::size_t size = enough_to_tell_what_it_is; size < packed.size(); size += 13)
            EXPECT_THROW(inflated(packed.substr(0, size)), Error) << size;
        EXPECT_THROW(inflated(packed.substr(0, packed.size() - 1)), Error);
        EXPECT_THROW(inflated(packed + "and garbage behind it"), Error);
    }
    std::string damaged = gzipped(content);
    damaged[damaged.size() - 8] ^= 1;  // of the checksum
    EXPECT_THROW(inflated(damaged), Error);
}

TEST(LayerBytes, MayBecomeMoreOnlyWithinMeasure) {
    constexpr std::int64_t mebi = 1LL << 20U;
    constexpr std::int64_t gibi = 1LL << 30U;
    EXPECT_NO_THROW(UnpackLimit{}.check(1, gibi));
    EXPECT_THROW(UnpackLimit{}.check(mebi, 2 * gibi), Error) << "a bomb";
    EXPECT_NO_THROW(UnpackLimit{}.check(gibi, 99 * gibi));
    EXPECT_THROW(UnpackLimit{}.check(gibi, 101 * gibi), Error);
    EXPECT_NO_THROW(UnpackLimit{200 * gibi}.check(mebi, 150 * gibi)) << "the owner has said so";
    EXPECT_THROW(UnpackLimit{mebi}.check(mebi, 2 * mebi), Error);
}

class LayerEntries : public testing::Test {
  protected:
    LayerEntries() { sys::ensure_directory(root_); }

    ~LayerEntries() override { sys::remove_tree(root_); }

    /// The sentence with which it is refused; "" where it is taken.
    std::string unpack(const std::function<void(image::TarStream&)>& fill,
                       const UnpackLimit& limit = {}) {
        std::string bytes;
        const image::ByteSink sink = [&](std::string_view piece) { bytes += piece; };
        image::TarStream tar(sink);
        fill(tar);
        tar.end();
        try {
            fetch::unpack(sys::memory_file("layer", bytes),
                          sys::open_directory(root_),
                          {.whiteouts = true, .base = {}},
                          limit);
            return "";
        } catch (const Error& error) {
            return error.what();
        }
    }

    std::string root_ = testing::TempDir() + "stack-entries-" + random_hex(8);
};

TEST_F(LayerEntries, MayHideWhatIsBelowAHundredThousandTimes) {
    EXPECT_EQ(unpack([](image::TarStream& tar) {
                  for (int i = 0; i < 100'000; ++i)
                      tar.header({.path = "d/.wh..wh..opq", .mode = 0644});
                  tar.header({.path = "d/file", .mode = 0644});
              }),
              "");
    EXPECT_EQ(sys::list_directory(root_ + "/d"), std::vector<std::string>{"file"});
}

TEST_F(LayerEntries, HaveNoAttributeThatNoFileCanHave) {
    for (const std::size_t size : {0U, 1U, 65537U, 1U << 21U}) {
        const std::string said = unpack([&](image::TarStream& tar) {
            tar.header(
                {.path = "file", .mode = 0644, .attributes = {{"user.x", std::string(size, 'x')}}});
        });
        if (size < 2) {
            EXPECT_EQ(said, "") << size;
        }
    }
    EXPECT_NE(unpack([](image::TarStream& tar) {
                  tar.header({.path = std::string(100U << 20U, 'n'), .mode = 0644});
              }),
              "")
        << "a name of 100 MiB";
}

/// A record of a pax header: its length, which counts itself, then a key and a value.
std::string pax_record(const std::string& key, const std::string& value) {
    const std::string content = " " + key + "=" + value + "\n";
    std::size_t length = content.size();
    while (std::to_string(length).size() + content.size() != length)
        length = std::to_string(length).size() + content.size();
    return std::to_string(length) + content;
}

/// A file of so many bytes, of which the archive has five (the first of GNU's sparse formats).
void add_sparse_file(image::TarStream& tar, const std::string& path, std::int64_t size) {
    const std::string records = pax_record("GNU.sparse.size", std::to_string(size)) +
                                pax_record("GNU.sparse.numblocks", "1") +
                                pax_record("GNU.sparse.offset", "0") +
                                pax_record("GNU.sparse.numbytes", "5");
    const auto add = [&](const image::TarEntry& entry, const std::string& content) {
        tar.header(entry);
        tar.data(content);
        tar.pad(content.size());
    };
    add({.path = "pax", .type = 'x', .mode = 0644, .size = records.size()}, records);
    add({.path = path, .mode = 0644, .size = 5}, "hello");
}

TEST_F(LayerEntries, HaveNoHolesBeyondMeasure) {
    constexpr std::int64_t tebi = 1LL << 40U;
    constexpr std::int64_t largest = 9223372036854775807;
    const auto said_of = [&](std::int64_t size, const UnpackLimit& limit = {}) {
        return unpack(
            [&](image::TarStream& tar) {
                add_sparse_file(tar, "one", size);
                add_sparse_file(tar, "two", size);
            },
            limit);
    };
    EXPECT_EQ(said_of(1 << 20), "");
    EXPECT_EQ(sys::file_size(root_ + "/one"), 1 << 20);
    EXPECT_EQ(sys::read_file(root_ + "/one").value_or("").substr(0, 6), std::string("hello\0", 6));
    for (const std::int64_t size : {tebi, largest})
        EXPECT_NE(said_of(size).find("more than 102400 MiB with their holes"), std::string::npos)
            << size;
    EXPECT_EQ(said_of(tebi, {2 * tebi}), "") << "the owner has said so";
    EXPECT_NE(said_of(tebi, {2 * tebi - 1}), "") << "both together";
}

}  // namespace
}  // namespace stack::fetch
