#include "model/cdi.h"

#include <algorithm>

namespace stack {
namespace {

constexpr const char* gpu_kind = "nvidia.com/gpu";

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Letters, digits and some marks, which do not come first or last.
bool is_word(std::string_view text, std::string_view marks, bool may_begin_with_digit) {
    const auto is_plain = [](char c) { return is_letter(c) || is_digit(c); };
    return !text.empty() && (may_begin_with_digit || is_letter(text.front())) &&
           is_plain(text.front()) && is_plain(text.back()) &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_plain(c) || marks.find(c) != std::string_view::npos;
           });
}

bool wants_gpu(const DeviceRequest& request) {
    const Strings& wanted = request.capabilities;
    return std::find(wanted.begin(), wanted.end(), "gpu") != wanted.end();
}

}  // namespace

bool is_cdi_name(std::string_view text) {
    const auto slash = text.find('/');
    const auto equals = text.find('=');
    if (slash == std::string_view::npos || equals == std::string_view::npos || equals < slash)
        return false;
    return is_word(text.substr(0, slash), "_-.", false) &&
           is_word(text.substr(slash + 1, equals - slash - 1), "_-.", false) &&
           is_word(text.substr(equals + 1), "_-.:", true);
}

Expected<Strings> cdi_names_for(const DeviceRequest& request) {
    if (request.driver == "cdi") {
        for (const auto& name : request.device_ids)
            if (!is_cdi_name(name))
                return malformed(
                    "`device_ids` of driver cdi are names as in nvidia.com/gpu=0, and \"" + name +
                    "\" is none");
        if (request.device_ids.empty())
            return malformed("driver cdi needs `device_ids`, as in nvidia.com/gpu=0");
        return request.device_ids;
    }
    if (request.driver != "nvidia" && !(request.driver.empty() && wants_gpu(request)))
        return malformed(
            request.driver.empty()
                ? "devices are found for the capability gpu, or for a driver"
                : "there is no driver \"" + request.driver +
                      "\", but nvidia, and cdi for the names of other vendors' devices");
    constexpr int most = 1024;
    if (request.count.value_or(0) > most)
        return malformed("`count` of devices is at most " + std::to_string(most));
    const std::string prefix = std::string(gpu_kind) + "=";
    Strings names;
    for (const auto& id : request.device_ids)
        names.push_back(is_cdi_name(id) ? id : prefix + id);
    if (request.device_ids.empty() && request.count.value_or(-1) < 0)
        names.push_back(prefix + "all");
    for (int i = 0; i < request.count.value_or(0); ++i)
        names.push_back(prefix + std::to_string(i));
    return names;
}

}  // namespace stack
