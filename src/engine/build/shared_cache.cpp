#include "engine/build/shared_cache.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/build/stages.h"
#include "engine/build/state.h"
#include "engine/image/fetch.h"
#include "engine/image/reference.h"
#include "sys/file.h"
#include "sys/tree.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <nlohmann/json.hpp>

namespace stack::build {
namespace {

using nlohmann::json;

constexpr const char* field = "stack.build.cache.v0";

std::string canonical_reference(const std::string& text) {
    const auto reference = image::parse_reference(text);
    if (!reference)
        throw Error("`" + text + "`, where a cache is, cannot be the name of an image: " +
                    reference.error().message);
    return image::canonical(*reference);
}

bool is_key(std::string_view text) {
    return is_digest("sha256:" + std::string(text));
}

/// What a cache in a directory is called in the store.
std::string name_of_directory(const std::string& directory) {
    return canonical_reference("localhost/build-cache:" + sha256_hex(directory).substr(0, 12));
}

std::string image_in(const Paths& paths, const CachePlace& from, const EventSink& sink) {
    if (from.kind == CachePlace::Kind::registry) {
        auto pull = image::start_pull(paths, from.name, {});
        return image::finish(pull, sink);
    }
    image::ImportRequest request;
    request.source = "oci:" + from.name;
    request.reference = name_of_directory(from.name);
    auto import = image::start_import(paths, request);
    return image::finish(import, sink);
}

std::string cache_config(const StepLayers& steps) {
    std::set<std::string> layers;
    for (const auto& [key, layer] : steps)
        if (!layer.empty())
            layers.insert(layer);
    return image::make_config(with_steps("{}", steps),
                              scratch_state(machine_platform()).config,
                              {layers.begin(), layers.end()},
                              "[]",
                              std::chrono::system_clock::now());
}

}  // namespace

Expected<CachePlace> parse_cache_place(std::string_view text) {
    CachePlace place;
    if (text.find('=') == std::string_view::npos) {
        place.name = text;
        return place;
    }
    std::string type = "registry";
    for (const auto& part : split(text, ',')) {
        const auto [key, value] = split_once(part, '=');
        if (key == "type")
            type = value;
        else if (key == "ref" || key == "src" || key == "dest")
            place.name = value;
        else if (key == "mode")
            place.all_steps = value == "max";
    }
    if (type != "registry" && type != "local" && type != "inline")
        return malformed("a cache of the type `" + type +
                         "` is not known: registry, local and inline are");
    if (type != "registry")
        place.kind = type == "local" ? CachePlace::Kind::local : CachePlace::Kind::in_image;
    if (place.name.empty() && type != "inline")
        return malformed("the cache `" + std::string(text) + "` has no place: " +
                         (type == "local" ? "src= or dest= names it" : "ref= names it"));
    return place;
}

std::string with_steps(const std::string& text, const StepLayers& steps) {
    json config = json::parse(text.empty() ? "{}" : text, nullptr, false);
    if (!config.is_object() || (steps.empty() && !config.contains(field)))
        return text;
    if (steps.empty())
        config.erase(field);
    else
        config[field] = steps;
    return config.dump(-1, ' ', false, json::error_handler_t::replace);
}

StepLayers steps_in(const std::string& text) {
    const json config = json::parse(text, nullptr, false);
    StepLayers steps;
    if (!config.is_object() || !config.contains(field) || !config[field].is_object())
        return steps;
    for (const auto& [key, layer] : config[field].items())
        if (is_key(key) && layer.is_string() &&
            (layer == "" || is_digest(layer.get<std::string>())))
            steps[key] = layer.get<std::string>();
    return steps;
}

std::vector<CachePlace> SharedCaches::places(const Strings& texts) const {
    std::vector<CachePlace> found;
    for (const auto& text : texts) {
        const auto place = parse_cache_place(text);
        if (place)
            found.push_back(*place);
        else
            skip(text, place.error().message);
    }
    return found;
}

void SharedCaches::skip(const std::string& name, const std::string& why) const {
    Event event;
    event.id = "Cache " + name;
    event.status = EventStatus::warning;
    event.text = "Skipped";
    event.detail = why;
    sink_(event);
}

StepLayers SharedCaches::fetch() const {
    StepLayers all;
    for (const auto& place : places(build_.cache_from)) {
        try {
            all.merge(fetch_from(place));
        } catch (const Error& error) {
            skip(place.name, error.what());
        }
    }
    return all;
}

/// A cache speaks of the layers that it brings, not of whatever else this machine may have.
StepLayers SharedCaches::fetch_from(const CachePlace& place) const {
    const auto image = store_.find(image_in(paths_, place, sink_));
    if (!image)
        throw Error("the cache was fetched and is not in the store");
    store_.hold(image->layers);
    const std::set<std::string> brought(image->layers.begin(), image->layers.end());
    StepLayers steps = steps_in(image->config_json);
    std::erase_if(steps, [&](const auto& step) {
        const auto& layer = step.second;
        return !layer.empty() && !(brought.contains(layer) && store_.has_layer(layer));
    });
    return steps;
}

void SharedCaches::send(const StepLayers& all, const StepLayers& of_image) const {
    for (const auto& place : places(build_.cache_to))
        if (place.kind != CachePlace::Kind::in_image)
            send_to(place, place.all_steps ? all : of_image);
}

void SharedCaches::send_to(const CachePlace& place, const StepLayers& steps) const {
    const bool is_local = place.kind == CachePlace::Kind::local;
    image::NewImage image;
    image.config_json = cache_config(steps);
    image.references = {is_local ? name_of_directory(place.name) : canonical_reference(place.name)};
    store_.put(image);
    if (is_local)
        sys::ensure_directory(place.name, 0755);
    auto worker = is_local
                      ? image::start_save(paths_, image.references, sys::open_directory(place.name))
                      : image::start_push(paths_, place.name);
    static_cast<void>(image::finish(worker, sink_));
}

bool SharedCaches::has_inline() const {
    return std::any_of(build_.cache_to.begin(), build_.cache_to.end(), [](const std::string& text) {
        const auto place = parse_cache_place(text);
        return place && place->kind == CachePlace::Kind::in_image;
    });
}

}  // namespace stack::build
