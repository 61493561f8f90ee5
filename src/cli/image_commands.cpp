#include "cli/image_commands.h"

#include <stack/error.h>

#include "base/text.h"
#include "cli/progress.h"
#include "engine/image/reference.h"
#include "sys/prompt.h"
#include "sys/terminal.h"

#include <algorithm>
#include <utility>

#include <fnmatch.h>

namespace stack::cli {
namespace {

bool has_name(const image::Image& image, const std::string& pattern) {
    return std::any_of(image.references.begin(), image.references.end(), [&](const auto& name) {
        const std::string text = familiar(name);
        return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0 ||
               ::fnmatch(pattern.c_str(), repository_and_tag(text).repository.c_str(), 0) == 0;
    });
}

}  // namespace

std::optional<image::Image> find_image(const image::Store& store, const std::string& reference) {
    if (auto image = store.find(reference))
        return image;
    const std::string digits = reference.starts_with("sha256:") ? reference.substr(7) : reference;
    if (digits.empty() || digits.find_first_not_of("0123456789abcdef") != std::string::npos)
        return std::nullopt;
    std::optional<image::Image> found;
    for (auto& image : store.list())
        if (image.id.starts_with("sha256:" + digits)) {
            if (found && found->id != image.id)
                give_up("more than one image has an id that begins with " + digits +
                        ": give more of it (see `stack image ls --no-trunc`)");
            found = std::move(image);
        }
    return found;
}

image::Image require_image(const image::Store& store, const std::string& reference) {
    auto image = find_image(store, reference);
    if (!image)
        give_up("no such image: " + reference + " (see `stack image ls`)");
    return std::move(*image);
}

std::string familiar(const std::string& canonical) {
    const auto reference = image::parse_reference(canonical);
    return reference ? image::familiar(*reference) : canonical;
}

RepositoryAndTag repository_and_tag(const std::string& name) {
    auto reference = image::parse_reference(name);
    if (!reference)
        return {name, ""};
    if (reference->domain == image::debootstrap_domain)
        return {reference->domain, reference->path};
    std::string tag = std::exchange(reference->tag, "");
    reference->digest.clear();
    return {image::familiar(*reference), std::move(tag)};
}

std::string id_text(const std::string& id, bool whole) {
    constexpr std::size_t short_id = 12;
    return whole ? id : id.substr(id.find(':') + 1, short_id);
}

int show_fetch(const Context& context,
               image::Fetch fetch,
               const std::string& id,
               const std::string& doing,
               const std::string& done,
               std::string& result) {
    const auto progress = make_progress(context.globals, doing);
    try {
        result = image::finish(fetch, [&](const Event& event) { progress->show(event); });
        progress->show({.id = id, .status = EventStatus::done, .text = done});
        progress->finish();
        return 0;
    } catch (const Error& error) {
        progress->show(
            {.id = id, .status = EventStatus::error, .text = "Error", .detail = error.what()});
        progress->finish();
        return 1;
    }
}

ImageFilter::ImageFilter(const image::Store& store, const Strings& filters)
    : filters_(filters, {"label", "label!", "reference", "dangling", "until", "before", "since"}) {
    for (const auto& filter : filters)
        if (const auto [key, value] = split_once(filter, '='); key == "before" || key == "since")
            limits_[value] = require_image(store, value).created;
}

bool ImageFilter::matches(const image::Image& image) const {
    return filters_.hold([&](const std::string& key, const std::string& value) {
        if (key == "label" || key == "label!")
            return has_label(image.config.labels, value) == (key == "label");
        if (key == "reference")
            return has_name(image, value);
        if (key == "dangling")
            return image.references.empty() == truth_of(key, value);
        if (key == "until")
            return is_until(image.created, value);
        const Time limit = limits_.at(value);
        return key == "before" ? image.created < limit : image.created > limit;
    });
}

bool confirmed(const std::string& question) {
    const std::string answer = to_lower(sys::ask_line(question + " [y/N] "));
    if (answer.empty() && !sys::is_terminal(0))
        give_up("this asks before it removes: say -f where nobody can answer");
    return answer.starts_with('y');
}

}  // namespace stack::cli
