#include "loader/remainder.h"

#include "loader/as_written.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace stack::loader {
namespace {

/// By their place in the file, `*` for any name.
constexpr std::array<std::string_view, 25> unread{
    "/models",
    "/services/*/models",
    "/services/*/cpu_count",
    "/services/*/cpu_percent",
    "/services/*/credential_spec",
    "/services/*/isolation",
    "/services/*/pull_refresh_after",
    "/services/*/use_api_socket",
    "/services/*/healthcheck/test",  // beside one of ours, which is read in its place
    "/services/*/build/provenance",
    "/services/*/build/sbom",
    "/services/*/deploy/endpoint_mode",
    "/services/*/deploy/labels",
    "/services/*/deploy/mode",
    "/services/*/deploy/placement",
    "/services/*/deploy/replicas",  // these are read, and printed where they are written
    "/services/*/deploy/resources/limits/cpus",
    "/services/*/deploy/resources/limits/memory",
    "/services/*/deploy/resources/limits/pids",
    "/services/*/deploy/resources/reservations/memory",
    "/services/*/deploy/resources/reservations/generic_resources",
    "/secrets/*/driver",
    "/secrets/*/driver_opts",
    "/secrets/*/template_driver",
    "/configs/*/template_driver",
};

/// A value that has two names.
struct TwoNames {
    const char* deployed;
    const char* own;
};

constexpr std::array<TwoNames, 5> with_two_names{{
    {"/deploy/replicas", "scale"},
    {"/deploy/resources/limits/cpus", "cpus"},
    {"/deploy/resources/limits/memory", "mem_limit"},
    {"/deploy/resources/limits/pids", "pids_limit"},
    {"/deploy/resources/reservations/memory", "mem_reservation"},
}};

bool has_names(std::string_view place) {
    constexpr std::array<std::string_view, 5> sections{
        "/services", "/networks", "/volumes", "/secrets", "/configs"};
    return std::find(sections.begin(), sections.end(), place) != sections.end();
}

bool is_unread(std::string_view key, std::string_view place) {
    return key.starts_with("x-") || std::find(unread.begin(), unread.end(), place) != unread.end();
}

Json remainder_at(const Node& node, const std::string& place) {
    Json json;
    const bool names = has_names(place);
    for (const auto& [key, value] : node.entries) {
        const std::string inner = place + "/" + (names ? "*" : key.text);
        if (!names && is_unread(key.text, inner))
            json[key.text] = json_of(value);
        else if (Json rest = remainder_at(value, inner); !rest.is_null())
            json[key.text] = std::move(rest);
    }
    return json;
}

void escape(Json& json) {
    if (json.is_string())
        json = escaped(json.get<std::string>());
    else if (json.is_structured())
        for (auto& item : json)
            escape(item);
}

void add(Json& target, const Json& rest, bool only_to_what_is_there) {
    for (const auto& [key, value] : rest.items()) {
        const auto found = target.find(key);
        if (found == target.end()) {
            if (!only_to_what_is_there)
                target[key] = value;
        } else if (found->is_null()) {
            *found = value;
        } else if (found->is_object() && value.is_object()) {
            add(*found, value, false);
        }
    }
}

/// What the file has under `deploy` is printed there, and not as the service's own.
void leave_in_deploy(Json& service) {
    for (const auto& [deployed, own] : with_two_names) {
        const Json::json_pointer place(deployed);
        if (!service.contains(own) || !service.contains(place))
            continue;
        service[place] = service[own];
        service.erase(own);
    }
}

}  // namespace

Json remainder_of(const Node& root) {
    Json json = remainder_at(root, "");
    escape(json);
    return json;
}

void add_remainder(Json& file, const Json& remainder) {
    for (const auto& [key, value] : remainder.items()) {
        if (!has_names("/" + key))
            file[key] = value;
        else if (const auto section = file.find(key); section != file.end())
            add(*section, value, true);
    }
    if (const auto services = file.find("services"); services != file.end())
        for (auto& service : *services)
            leave_in_deploy(service);
}

}  // namespace stack::loader
