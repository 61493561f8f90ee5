#include "engine/build/digest_cache.h"

#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::build {
namespace {

constexpr std::time_t changed = 1000;
constexpr std::time_t long_after = changed + 2;

SourceFile file_at(const std::string& path, const std::string& digest = "") {
    SourceFile file;
    file.path = path;
    file.status.st_mode = S_IFREG;
    file.status.st_dev = 1;
    file.status.st_ino = 2;
    file.status.st_size = 3;
    file.status.st_mtim = {4, 5};
    file.status.st_ctim = {changed, 6};
    file.digest = digest;
    return file;
}

std::string digest_of(char c) {
    return std::string(64, c);
}

class KeptDigests : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_NE(::mkdtemp(place.data()), nullptr); }

    void TearDown() override { sys::remove_tree(place); }

    [[nodiscard]] std::string path() const { return place + "/digests"; }

    [[nodiscard]] DigestCache open() const { return DigestCache(path()); }

    void keep(const std::vector<SourceFile>& files, std::time_t read = long_after) const {
        DigestCache cache(path());
        for (const auto& file : files)
            cache.put(file, read);
        cache.save();
    }

    [[nodiscard]] std::string found(SourceFile file) const {
        std::vector<SourceFile> files{std::move(file)};
        DigestCache(path()).fill(files);
        return files.front().digest;
    }

    std::string place = "/tmp/stack-digests-XXXXXX";
};

TEST_F(KeptDigests, KnowsAFileThatIsAsItWas) {
    keep({file_at("a", digest_of('a'))});
    EXPECT_EQ(found(file_at("a")), digest_of('a'));
    EXPECT_EQ(found(file_at("b")), "");
}

TEST_F(KeptDigests, DoesNotKnowOneThatDiffersInAnything) {
    keep({file_at("a", digest_of('a'))});
    const std::vector<std::function<void(struct stat&)>> changes{
        [](auto& status) { ++status.st_dev; },
        [](auto& status) { ++status.st_ino; },
        [](auto& status) { ++status.st_size; },
        [](auto& status) { ++status.st_mtim.tv_sec; },
        [](auto& status) { ++status.st_mtim.tv_nsec; },
        [](auto& status) { ++status.st_ctim.tv_sec; },
        [](auto& status) { ++status.st_ctim.tv_nsec; },
        [](auto& status) { status.st_mode = S_IFLNK; },
    };
    for (const auto& change : changes) {
        SourceFile file = file_at("a");
        change(file.status);
        EXPECT_EQ(found(file), "") << &change - changes.data();
    }
}

TEST_F(KeptDigests, DoesNotKeepWhatHadJustChangedWhenItWasRead) {
    keep({file_at("a", digest_of('a'))}, changed + 1);
    EXPECT_EQ(found(file_at("a")), "");
}

TEST_F(KeptDigests, KnowsFilesOfLayersByTheirPaths) {
    DigestCache cache(path(), DigestCache::Content::stays);
    cache.put(file_at("a", digest_of('a')), changed);
    cache.save();
    std::vector<SourceFile> files{file_at("a")};
    ++files.front().status.st_ino;
    DigestCache(path(), DigestCache::Content::stays).fill(files);
    EXPECT_EQ(files.front().digest, digest_of('a'));
}

TEST_F(KeptDigests, FindsOldFilesAmongNewOnes) {
    const std::vector<std::string> in_order{"a", "a/b", "a/b/c", "a/bc", "a-b", "aa", "\xC3\xA4"};
    for (std::size_t i = 1; i < in_order.size(); ++i)
        EXPECT_TRUE(comes_before(in_order[i - 1], in_order[i])) << in_order[i];
    for (const auto& newcomer : in_order) {
        sys::remove_file(path());
        std::vector<SourceFile> old;
        for (const auto& name : in_order)
            if (name != newcomer)
                old.push_back(file_at(name, digest_of(name.back())));
        keep(old);
        std::vector<SourceFile> files;
        for (const auto& name : in_order)
            files.push_back(file_at(name));
        open().fill(files);
        for (const auto& file : files)
            EXPECT_EQ(file.digest, file.path == newcomer ? "" : digest_of(file.path.back()))
                << newcomer << " " << file.path;
        keep({file_at(newcomer, digest_of(newcomer.back()))});
        for (const auto& name : in_order)
            EXPECT_EQ(found(file_at(name)), digest_of(name.back())) << newcomer << " " << name;
    }
}

TEST_F(KeptDigests, KeepsTheNewDigestOfAFileThatChanged) {
    keep({file_at("a", digest_of('a')), file_at("b", digest_of('b'))});
    SourceFile newer = file_at("a", digest_of('c'));
    ++newer.status.st_ino;
    DigestCache cache = open();
    cache.put(newer, long_after);
    newer.digest.clear();
    std::vector<SourceFile> files{newer};
    cache.fill(files);
    EXPECT_EQ(files.front().digest, digest_of('c')) << "another step of the same build";
    cache.save();
    EXPECT_EQ(found(newer), digest_of('c'));
    EXPECT_EQ(found(file_at("a")), "");
    EXPECT_EQ(found(file_at("b")), digest_of('b'));
}

TEST_F(KeptDigests, DoesNotTrustADamagedFile) {
    keep({file_at("a", digest_of('a')), file_at("b", digest_of('b'))});
    const std::string whole = *sys::read_file(path());
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string damaged = whole;
        damaged[i] ^= 1;
        sys::replace_volatile_file(path(), damaged);
        EXPECT_EQ(found(file_at("a")), "") << i;
        sys::replace_volatile_file(path(), whole.substr(0, i));
        EXPECT_EQ(found(file_at("a")), "") << i;
    }
}

}  // namespace
}  // namespace stack::build
