#pragma once

// Which containers --filter means: docker's keys.

#include <stack/observed.h>

#include "cli/filters.h"

#include <optional>
#include <vector>

namespace stack::cli {

class ContainerFilter {
  public:
    /// The keys it knows, for --help.
    static constexpr const char* keys =
        "name, id, status, health, exited, ancestor, label, label!, network, volume, publish, "
        "expose, before, since, until";

    /// `all` has those that before= and since= may name. Gives up where a filter has no meaning.
    ContainerFilter(const Strings& filters, const std::vector<ObservedContainer>& all);

    [[nodiscard]] bool matches(const ObservedContainer& container) const;

    /// Whether it asks after those that do not run.
    [[nodiscard]] bool wants_all() const;

  private:
    [[nodiscard]] bool holds(const ObservedContainer& container,
                             const std::string& key,
                             const std::string& value) const;
    [[nodiscard]] Time creation_of(const std::string& name) const;

    Filters filters_;
    std::vector<ObservedContainer> all_;
};

}  // namespace stack::cli
