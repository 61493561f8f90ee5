#include "tests/build/workshop.h"

#include "base/random.h"
#include "base/text.h"
#include "engine/build/cache.h"
#include "engine/build/new_layer.h"
#include "engine/image/layer_writer.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/netlink.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <array>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

/// The test program leaves the host's network and mount namespace once, before the first build.
void enter_own_namespaces() {
    static const bool entered = [] {
        ::setenv("STACK_LIBEXEC", STACK_BINARY_DIR, 1);
        sys::check(::unshare(CLONE_NEWNET | CLONE_NEWNS), "make namespaces for the test");
        sys::check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr),
                   "make mounts private");
        sys::RouteSocket links;
        links.set_up(links.find_link("lo")->index);
        return true;
    }();
    static_cast<void>(entered);
}

void write_executable(const sys::Fd& directory, const std::string& name, std::string_view content) {
    const sys::Fd file = sys::open_in_root(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    sys::write_all(file, content);
    sys::check(::fchmod(file.get(), 0755), "set the mode of " + name);
}

/// Every bed's base is the same one, whenever it was made: a layer's digest covers its times.
void set_all_times(const std::string& directory) {
    constexpr std::array<timespec, 2> times{timespec{1'700'000'000, 0}, timespec{1'700'000'000, 0}};
    const auto set = [&](const std::string& path) {
        sys::check(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW),
                   "set the times of " + path);
    };
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory))
        set(entry.path());
    set(directory);
}

}  // namespace

BuildBed::BuildBed() : root_("/var/tmp/stack-build-test-" + random_hex(8)) {
    enter_own_namespaces();
    paths = paths_for(root_ + "/instance");
    sys::ensure_directory(context());
    options.context = context();
    options.network = "none";
    make_busybox();
}

BuildBed::~BuildBed() {
    sys::remove_tree(root_);
}

void BuildBed::make_busybox() const {
    image::Store store(paths);
    sys::ScratchDirectory staging = store.begin_layer();
    std::string diff_id;
    {
        const sys::Fd top = sys::open_directory(staging.path() + "/fs");
        for (const auto* name :
             {"bin", "etc", "tmp", "root", "usr/bin", "proc", "sys", "dev", "var"})
            static_cast<void>(sys::ensure_directory_in_root(top, name));
        write_executable(top, "bin/busybox", *sys::read_file("/bin/busybox"));
        for (const auto* name : {"sh",   "cat",    "echo", "ls", "mkdir", "rm",    "touch", "id",
                                 "env",  "pwd",    "cp",   "mv", "ln",    "chmod", "chown", "test",
                                 "true", "mkfifo", "stat", "wc", "false", "grep"})
            ::symlinkat("busybox", top.get(), (std::string("bin/") + name).c_str());
        write_executable(
            top, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:500:600::/:/bin/sh\n");
        write_executable(top, "etc/group", "root:x:0:\nstaff:x:601:\n");
        set_all_times(staging.path() + "/fs");
        const auto summary = image::summarize_layer(top);
        diff_id = summary.diff_id;
        store.publish_layer(std::move(staging), diff_id, {summary.size, {}});
    }
    ImageConfig config;
    config.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    config.command = {"sh"};
    config.architecture = "amd64";
    image::NewImage image;
    image.config_json =
        image::make_config("", config, {diff_id}, R"([{"created_by":"ADD busybox"}])", {});
    image.references = {"docker.io/library/busybox:latest"};
    store.put(image);
}

void BuildBed::write(const std::string& path,
                     const std::string& content,
                     std::uint32_t mode) const {
    const std::string place = context() + "/" + path;
    sys::ensure_directory(sys::parent_path(place));
    const sys::Fd file = sys::open_file(place, O_WRONLY | O_CREAT | O_TRUNC, mode);
    sys::write_all(file, content);
    sys::check(::fchmod(file.get(), mode), "set the mode of " + place);
}

BuildResult BuildBed::build(const std::string& dockerfile) {
    if (options.context == context())
        write("Dockerfile", dockerfile);
    BuildRequest request;
    request.name = "web";
    request.tag = "app";
    request.build = options;
    request.environment = environment;
    request.annotations = annotations;
    request.no_cache = no_cache;
    request.find_in_use = [this] {
        image::InUse in_use;
        in_use.layers = StepCache(paths).layers();
        return in_use;
    };
    events_.clear();
    auto result =
        build_image(paths, request, [this](const Event& event) { events_.push_back(event); });
    if (result.image_id.empty())
        result.failure = to_text(result.diagnostics, nullptr, nullptr) + result.failure;
    return result;
}

Strings BuildBed::steps() const {
    Strings rows;
    for (const auto& event : events_) {
        if (!event.parent.empty() && event.text != "Running")
            rows.push_back(event.text + event.id.substr(event.id.find(']') + 1));
    }
    return rows;
}

std::string BuildBed::output() const {
    std::string text;
    for (const auto& event : events_) {
        if (!event.parent.empty() && event.text == "Running" && !event.detail.empty())
            text += event.detail + "\n";
    }
    return text;
}

image::Image BuildBed::image(const std::string& reference) const {
    return image::Store(paths).find(reference).value();
}

sys::Fd BuildBed::open_image() const {
    return sys::merged_view(lowers_for(image::Store(paths), image().layers));
}

std::optional<std::string> BuildBed::read(const std::string& path) const {
    return sys::read_in_root(open_image(), path, 1U << 20U);
}

std::string BuildBed::attributes(const std::string& path) const {
    const sys::Fd root = open_image();
    const sys::Fd file = sys::find_in_root(root, path, O_PATH | O_NOFOLLOW);

    struct stat status {};

    if (!file || ::fstat(file.get(), &status) < 0)
        return {};
    std::array<char, 64> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%04o %u:%u",
                  status.st_mode & 07777U,
                  status.st_uid,
                  status.st_gid);
    return text.data();
}

}  // namespace stack::build
