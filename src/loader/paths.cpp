#include "loader/paths.h"

#include "base/text.h"
#include "loader/seccomp.h"

namespace stack::loader {
namespace {

void rewrite(Node* node, const std::string& directory, const std::string& home) {
    if (node != nullptr && node->is_scalar() && !node->value.empty() && !is_remote(node->value))
        node->value = absolute(node->value, directory, home);
}

/// An additional context is a directory, or begins with the scheme of what it is; only layouts are
/// on this machine, too.
std::string context_place(const std::string& text,
                          const std::string& directory,
                          const std::string& home) {
    constexpr std::string_view layout = "oci-layout://";
    if (text.starts_with(layout))
        return std::string(layout) + absolute(text.substr(layout.size()), directory, home);
    if (text.empty() || text.find(':') != std::string::npos || is_remote(text))
        return text;
    return absolute(text, directory, home);
}

/// `type=local,src=DIRECTORY` or `dest=DIRECTORY`.
std::string cache_place(const std::string& text,
                        const std::string& directory,
                        const std::string& home) {
    auto parts = split(text, ',');
    for (auto& part : parts)
        if (const auto [key, place] = split_once(part, '='); key == "src" || key == "dest")
            part = key + "=" + absolute(place, directory, home);
    return join(parts, ",");
}

/// NAME: PLACE, or the items NAME=PLACE.
void rewrite_places(Node* places, const std::string& directory, const std::string& home) {
    if (places == nullptr)
        return;
    for (auto& [key, value] : places->entries)
        if (value.is_scalar())
            value.value = context_place(value.value, directory, home);
    for (auto& item : places->items)
        if (const auto [name, place] = split_once(item.value, '='); !place.empty())
            item.value = name + "=" + context_place(place, directory, home);
}

void rewrite_build(Node& build, const std::string& directory, const std::string& home) {
    if (build.is_scalar()) {
        rewrite(&build, directory, home);
        return;
    }
    rewrite(build.find("context"), directory, home);
    rewrite_places(build.find("additional_contexts"), directory, home);
    rewrite_places(build.find("ssh"), directory, home);
    for (const auto* caches : {"cache_from", "cache_to"})
        if (Node* places = build.find(caches))
            for (auto& item : places->items)
                item.value = cache_place(item.value, directory, home);
}

/// `rootfs:DIRECTORY` is an image that lies on this machine.
void rewrite_image(Node* image, const std::string& directory, const std::string& home) {
    constexpr std::string_view plain_directory = "rootfs:";
    if (image != nullptr && image->is_scalar() && image->value.starts_with(plain_directory))
        image->value = std::string(plain_directory) +
                       absolute(image->value.substr(plain_directory.size()), directory, home);
}

void rewrite_volume(Node& volume, const std::string& directory, const std::string& home) {
    if (volume.is_mapping()) {
        const Node* type = volume.find("type");
        Node* source = volume.find("source");
        if (type != nullptr && type->value == "bind" && source != nullptr && source->is_scalar())
            source->value = absolute(source->value, directory, home);
        if (type != nullptr && type->value == "image")
            rewrite_image(source, directory, home);
        return;
    }
    const char first = volume.value.empty() ? '\0' : volume.value[0];
    const auto colon = volume.value.find(':');
    if (colon != std::string::npos && (first == '.' || first == '~'))
        volume.value =
            absolute(volume.value.substr(0, colon), directory, home) + volume.value.substr(colon);
}

void rewrite_files(Node* list, const std::string& directory, const std::string& home) {
    if (list == nullptr)
        return;
    if (list->is_scalar())
        rewrite(list, directory, home);
    for (auto& item : list->items)
        rewrite(item.is_mapping() ? item.find("path") : &item, directory, home);
}

/// The profile of `seccomp=FILE`.
void rewrite_profile(Node& option, const std::string& directory, const std::string& home) {
    if (const std::string path = profile_path_of(option.value); !path.empty())
        option.value.replace(
            option.value.size() - path.size(), path.size(), absolute(path, directory, home));
}

}  // namespace

bool is_remote(const std::string& path) {
    return path.find("://") != std::string::npos || path.starts_with("git@") ||
           path.starts_with("github.com/");
}

std::string absolute(const std::string& path,
                     const std::string& directory,
                     const std::string& home) {
    std::string whole = path;
    if (path == "~" || path.starts_with("~/"))
        whole = home + path.substr(1);
    else if (!path.starts_with('/'))
        whole = directory + "/" + path;
    std::vector<std::string> parts;
    for (auto& part : split(whole, '/')) {
        if (part == "..") {
            if (!parts.empty())
                parts.pop_back();
        } else if (!part.empty() && part != ".") {
            parts.push_back(std::move(part));
        }
    }
    return "/" + join(parts, "/");
}

void resolve_service_paths(Node& service, const std::string& directory, const std::string& home) {
    rewrite_image(service.find("image"), directory, home);
    if (Node* build = service.find("build"))
        rewrite_build(*build, directory, home);
    if (Node* volumes = service.find("volumes"))
        for (auto& volume : volumes->items)
            rewrite_volume(volume, directory, home);
    if (Node* options = service.find("security_opt"))
        for (auto& option : options->items)
            rewrite_profile(option, directory, home);
    rewrite_files(service.find("env_file"), directory, home);
    rewrite_files(service.find("label_file"), directory, home);
    if (Node* develop = service.find("develop"))
        if (Node* watch = develop->find("watch"))
            for (auto& rule : watch->items)
                rewrite(rule.find("path"), directory, home);
}

void resolve_paths(Node& file, const std::string& directory, const std::string& home) {
    if (Node* services = file.find("services"))
        for (auto& [name, service] : services->entries)
            resolve_service_paths(service, directory, home);
    for (const auto* kind : {"secrets", "configs"})
        if (Node* sources = file.find(kind))
            for (auto& [name, source] : sources->entries)
                rewrite(source.find("file"), directory, home);
    if (Node* volumes = file.find("volumes"))
        for (auto& [name, volume] : volumes->entries)
            if (Node* options = volume.find("driver_opts")) {
                const Node* how = options->find("o");
                if (how != nullptr && how->value.find("bind") != std::string::npos)
                    rewrite(options->find("device"), directory, home);
            }
}

std::string default_secret_target(const std::string& source) {
    return "/run/secrets/" + source;
}

void add_default_contexts(Node& file, const std::string& directory) {
    Node* services = file.find("services");
    if (services == nullptr)
        return;
    for (auto& [name, service] : services->entries) {
        Node* build = service.find("build");
        if (build == nullptr || !build->is_mapping() || build->find("context") != nullptr)
            continue;
        Node context;
        context.at = build->at;
        context.kind = NodeKind::scalar;
        context.value = directory;
        build->entries.push_back({Key{"context", build->at}, std::move(context)});
    }
}

}  // namespace stack::loader
