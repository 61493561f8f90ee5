#pragma once

// What happens, as values: product output. The CLI renders them as rows, lines or JSON.

#include <cstdint>
#include <functional>
#include <string>

namespace stack {

enum class EventStatus { working, done, warning, error };

/// One step of progress on one object, in docker compose's vocabulary.
struct Event {
    std::string
        id;  // "Container shop-web-1", "Network shop_default", "Image nginx:1", "Volume shop_data"
    EventStatus status = EventStatus::working;
    std::string text;          // "Creating", "Started", "Pulling", "Healthy" …
    std::string detail;        // an error's sentence; a build's output line; a layer's short digest
    std::string parent;        // for a layer, its image's id; otherwise empty
    std::int64_t current = 0;  // bytes, where there is something to count
    std::int64_t total = 0;

    bool operator==(const Event&) const = default;
};

using EventSink = std::function<void(const Event&)>;

}  // namespace stack
