#pragma once

// Which layer a step gave the last time: <state>/build/cache/<key>.json.
//
// A key says all that a step's result depends on: its command, environment, user, directory, the
// layers below it and the content of what it reads; not times, secrets, proxies or the content of
// cache mounts (images.md 3.5).

#include <stack/paths.h>

#include "base/digest.h"
#include "sys/lock.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace stack::build {

/// Collects what a step depends on; each part has a name, so that parts cannot be mistaken for one
/// another.
class CacheKey {
  public:
    explicit CacheKey(std::string_view kind) { add("kind", kind); }

    CacheKey& add(std::string_view name, std::string_view value);
    CacheKey& add(std::string_view name, const std::vector<std::string>& values);

    /// 64 hexadecimal digits; once.
    [[nodiscard]] std::string finish() { return digest_.finish(); }

  private:
    Sha256 digest_;
};

/// What the cache knows of one step.
struct CachedStep {
    std::string key;
    std::string layer;      // "" where it wrote nothing
    std::int64_t used = 0;  // seconds since 1970

    bool operator==(const CachedStep&) const = default;
};

class StepCache {
  public:
    explicit StepCache(const Paths& paths) : directory_(paths.state + "/build/cache") {}

    /// The diffID that the step gave ("" where it wrote nothing); nullopt where it is not known.
    [[nodiscard]] std::optional<std::string> find(const std::string& key) const;
    /// For who runs the step: as long as it is held, nobody else gets it. nullopt where somebody
    /// runs it now, here or in another process; find() may know more when that is over.
    [[nodiscard]] std::optional<sys::PartLock> claim(const std::string& key) const;
    /// Every diffID that a step gave.
    [[nodiscard]] std::set<std::string> layers() const;
    [[nodiscard]] std::vector<CachedStep> steps() const;
    /// True once an hour: looking at every step costs more than a build that finds all of them.
    [[nodiscard]] bool may_look_after_itself() const;
    /// Postcondition: find() does not know these.
    void forget(const std::vector<std::string>& keys) const;
    /// Postcondition: find() knows nothing.
    void clear() const;
    /// Postcondition: find(key) gives `diff_id`. The oldest records go where there are too many.
    void record(const std::string& key, const std::string& diff_id) const;

  private:
    [[nodiscard]] std::optional<std::string> read(const std::string& name) const;
    void prune() const;

    std::string directory_;
};

}  // namespace stack::build
