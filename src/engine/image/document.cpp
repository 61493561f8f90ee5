#include "engine/image/document.h"

#include <stack/error.h>

#include <set>
#include <vector>

#include <nlohmann/json.hpp>

namespace stack::image {

using Json = nlohmann::json;

Json parse_document(std::string_view text, std::string_view what) {
    constexpr int deepest = 64;
    const std::string name(what);
    std::vector<std::set<std::string>> keys;  // of each object that is open
    const auto watch = [&](int depth, Json::parse_event_t event, const Json& value) {
        if (depth > deepest)
            throw Error(name + " is nested more than " + std::to_string(deepest) + " deep");
        if (event == Json::parse_event_t::object_start)
            keys.emplace_back();
        else if (event == Json::parse_event_t::object_end)
            keys.pop_back();
        else if (event == Json::parse_event_t::key &&
                 !keys.back().insert(value.get<std::string>()).second)
            throw Error(name + " has the key " + value.dump(-1, ' ', true) +
                        " twice: which one counts cannot be said");
        return true;
    };
    return Json::parse(text, watch, false);
}

}  // namespace stack::image
