#include "fetch/layout_target.h"

#include "sys/file.h"
#include "sys/tree.h"

#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

const std::string blobs = "blobs/sha256/";

class TarTarget final : public LayoutTarget {
  public:
    explicit TarTarget(const sys::Fd& file)
        : sink_([&file](std::string_view bytes) { sys::write_all(file, bytes); }), tar_(sink_) {
        for (const auto* name : {"blobs/", "blobs/sha256/"})
            tar_.header({.path = name, .type = '5', .mode = 0755});
    }

    void put(const std::string& name, std::string_view bytes) override {
        tar_.header({.path = name, .mode = 0644, .size = bytes.size()});
        tar_.data(bytes);
        tar_.pad(bytes.size());
    }

    void put_blob(const std::string& hex, const sys::Fd& file, std::int64_t size) override {
        if (!written_.insert(hex).second)
            return;
        tar_.header({.path = blobs + hex, .mode = 0644, .size = static_cast<std::uint64_t>(size)});
        sys::read_each(file, [&](std::string_view bytes) { tar_.data(bytes); });
        tar_.pad(static_cast<std::uint64_t>(size));
    }

    void settle() override {}  // whoever named the file has it durable at its end

    void finish() override { tar_.end(); }

    [[nodiscard]] std::string index() const override { return {}; }

  private:
    image::ByteSink sink_;
    image::TarStream tar_;
    std::set<std::string> written_;
};

class DirectoryTarget final : public LayoutTarget {
  public:
    explicit DirectoryTarget(const sys::Fd& directory)
        : root_(directory), blobs_(sys::ensure_directory_in_root(directory, "blobs/sha256")) {}

    void put(const std::string& name, std::string_view bytes) override {
        write(root_, name, [&](const sys::Fd& to) { sys::write_all(to, bytes); });
    }

    void put_blob(const std::string& hex, const sys::Fd& file, std::int64_t size) override {
        struct stat status {};

        if (::fstatat(blobs_.get(), hex.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && status.st_size == size)
            return;
        write(blobs_, hex, [&](const sys::Fd& to) { sys::copy_rest(file, to, "blob " + hex); });
    }

    void settle() override { sys::check(::syncfs(root_.get()), "sync the image layout"); }

    void finish() override { settle(); }

    [[nodiscard]] std::string index() const override {
        constexpr std::size_t longest = 4U << 20U;
        return sys::read_in_root(root_, "index.json", longest).value_or("");
    }

  private:
    /// A reader sees the old file or the new one.
    template <class Write>
    static void write(const sys::Fd& directory, const std::string& name, const Write& write) {
        const std::string temporary = "." + name + ".new";
        ::unlinkat(directory.get(), temporary.c_str(), 0);
        const sys::Fd to(sys::check(::openat(directory.get(),
                                             temporary.c_str(),
                                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                             0644),
                                    "create " + name));
        write(to);
        sys::check(::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()),
                   "rename " + name);
    }

    const sys::Fd& root_;
    sys::Fd blobs_;
};

}  // namespace

std::unique_ptr<LayoutTarget> make_target(const sys::Fd& target) {
    struct stat status {};

    sys::check(::fstat(target.get(), &status), "stat the target");
    if (S_ISDIR(status.st_mode))
        return std::make_unique<DirectoryTarget>(target);
    return std::make_unique<TarTarget>(target);
}

}  // namespace stack::fetch
