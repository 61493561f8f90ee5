#include "cli/gpu_option.h"

#include <stack/error.h>

#include "base/text.h"
#include "cli/field_list.h"

#include <optional>

#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

/// A number of GPUs, or all of them.
std::optional<nlohmann::json> count_of(const std::string& text) {
    if (text == "all")
        return text;
    const auto number = parse_number<unsigned int>(text);
    return number ? std::optional<nlohmann::json>(*number) : std::nullopt;
}

nlohmann::json pairs_of(const std::string& text) {
    auto pairs = nlohmann::json::object();
    for (const auto& pair : split(text, ',')) {
        const auto [name, value] = split_once(pair, '=');
        pairs[name] = value;
    }
    return pairs;
}

}  // namespace

nlohmann::json parse_gpu_option(const std::string& text) {
    auto request = nlohmann::json::object();
    const auto set = [&](const char* key, nlohmann::json value) {
        if (!request.emplace(key, std::move(value)).second)
            throw Error("--gpus " + text + ": " + key + " is said twice");
    };
    for (const auto& [name, value] : fields_of("--gpus", text)) {
        if (const auto count = count_of(name == "count" ? value : name))
            set("count", *count);
        else if (name == "driver")
            set("driver", value);
        else if (name == "device")
            set("device_ids", split(value, ','));
        else if (name == "capabilities")
            set("capabilities", split(value, ','));
        else if (name == "options")
            set("options", pairs_of(value));
        else
            throw Error("--gpus " + text + ": unknown field " + name +
                        "; there are a number or all, count, device, driver, capabilities and "
                        "options");
    }
    if (!request.contains("count") && !request.contains("device_ids"))
        request["count"] = 1;
    return request;
}

}  // namespace stack::cli
