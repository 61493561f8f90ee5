#pragma once

// An instance of its own in a temporary directory, with a busybox image in its store and a build
// context to fill. Needs root; steps that use a network do so in a network namespace of the test's.

#include <stack/events.h>
#include <stack/paths.h>

#include "engine/build/build.h"
#include "engine/image/store.h"
#include "sys/fd.h"

#include <optional>
#include <string>
#include <vector>

namespace stack::build {

class BuildBed {
  public:
    BuildBed();
    ~BuildBed();
    BuildBed(const BuildBed&) = delete;
    BuildBed& operator=(const BuildBed&) = delete;

    /// Writes a file of the context; directories on the way are made.
    void write(const std::string& path,
               const std::string& content,
               std::uint32_t mode = 0644) const;

    [[nodiscard]] std::string context() const { return root_ + "/context"; }

    [[nodiscard]] std::string root() const { return root_; }

    /// Builds `dockerfile` as `app`, or what another context has. Events are kept.
    BuildResult build(const std::string& dockerfile);

    /// Rows of the last build: "CACHED RUN make", "Done COPY . ." …
    [[nodiscard]] Strings steps() const;
    /// What the last build's steps printed.
    [[nodiscard]] std::string output() const;

    [[nodiscard]] image::Image image(const std::string& reference = "app") const;
    /// A file of the image; nullopt where it is not there.
    [[nodiscard]] std::optional<std::string> read(const std::string& path) const;
    /// `mode uid:gid` of a file of the image, such as `0755 0:0`; empty where it is not there.
    [[nodiscard]] std::string attributes(const std::string& path) const;

    Build options;  // beside context and Dockerfile
    StringMap environment;
    StringMap annotations;
    bool no_cache = false;
    Paths paths;

  private:
    void make_busybox() const;
    [[nodiscard]] sys::Fd open_image() const;

    std::string root_;
    std::vector<Event> events_;
};

}  // namespace stack::build
