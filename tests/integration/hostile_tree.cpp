#include "tests/integration/hostile_tree.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

/// Without what the leak sanitizer says where it may not trace a confined process.
std::ptrdiff_t lines_of(const std::string& text) {
    std::istringstream lines(text);
    std::ptrdiff_t count = 0;
    for (std::string line; std::getline(lines, line);)
        count += line.starts_with("==") ? 0 : 1;
    return count;
}

}  // namespace

Canary::Canary(fs::path place) : place_(std::move(place)) {
    fs::create_directories(place_ / "deep");
    std::ofstream(place_ / "file") << "root:x:0:0::/:/bin/sh\n";
    std::ofstream(place_ / "deep/file") << "alive\n";
    // So that reading it shows: the time of access is renewed where it is not after that of
    // modification (mount(8), relatime).
    const std::array<timespec, 2> times{timespec{1, 0}, timespec{1000, 0}};
    for (const auto* file : {"file", "deep/file"})
        ::utimensat(AT_FDCWD, (place_ / file).c_str(), times.data(), 0);
    before_ = described();
}

void Canary::expect_unchanged() const {
    EXPECT_EQ(described(), before_);
}

std::string Canary::described() const {
    std::string text;
    std::vector<fs::path> paths{place_};
    for (const auto& entry : fs::recursive_directory_iterator(place_))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        struct stat status {};

        ::lstat(path.c_str(), &status);
        text += path.string() + " " + std::to_string(status.st_mode) + " " +
                std::to_string(status.st_uid) + " " + std::to_string(status.st_nlink) + " " +
                std::to_string(status.st_size) + " " + std::to_string(status.st_ctim.tv_sec) + "." +
                std::to_string(status.st_ctim.tv_nsec) +
                (S_ISREG(status.st_mode) ? " read " + std::to_string(status.st_atim.tv_sec) : "") +
                "\n";
    }
    return text;
}

void put_hostile(const fs::path& root,
                 const fs::path& path,
                 const std::string& form,
                 const fs::path& target) {
    if (form == "link") {
        fs::create_symlink(target, path);
    } else if (form == "upward link") {
        fs::create_symlink("../../../../../../../../../../.." + target.string(), path);
    } else if (form == "chain of links") {
        fs::create_symlink(target, root / "first");
        fs::create_symlink("/first", root / "second");
        fs::create_symlink("/second", path);
    } else if (form == "loop") {
        fs::create_symlink("/" + fs::relative(path, root).string(), path);
    } else if (form == "dangling link") {
        fs::create_symlink("/nowhere/at/all", path);
    } else if (form == "pipe") {
        ASSERT_EQ(::mkfifo(path.c_str(), 0666), 0);
    } else if (form == "device") {
        ASSERT_EQ(::mknod(path.c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);  // zeros, no end
    } else if (form == "socket") {
        ASSERT_EQ(::mknod(path.c_str(), S_IFSOCK | 0666, 0), 0);
    } else if (form == "closed") {
        fs::create_directory(path);
        fs::permissions(path, fs::perms::none);
    } else if (form == "hard link") {
        fs::create_hard_link(root / "bin/busybox", path);
    } else if (fs::is_directory(target)) {
        std::ofstream(path) << "a file\n";
    } else {
        fs::create_directory(path);
    }
}

void expect_sense(const Result& result) {
    if (result.status == 0)
        return;
    EXPECT_FALSE(result.err.empty());
    EXPECT_EQ(result.err.find("ERROR: AddressSanitizer"), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("runtime error"), std::string::npos) << result.err;
    EXPECT_LE(lines_of(result.err), 6) << result.err;
}

}  // namespace stack::test
