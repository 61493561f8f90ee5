#include "cli/image_commands.h"

#include <stack/error.h>

#include "base/text.h"
#include "cli/filters.h"
#include "cli/progress.h"
#include "engine/image/reference.h"
#include "sys/prompt.h"
#include "sys/terminal.h"

#include <algorithm>
#include <utility>

#include <fnmatch.h>

namespace stack::cli {
namespace {

using Condition = std::function<bool(const image::Image&)>;

Condition label_condition(const std::string& label, bool wanted) {
    return [label, wanted](const image::Image& image) {
        return has_label(image.config.labels, label) == wanted;
    };
}

Condition name_condition(const std::string& pattern) {
    return [pattern](const image::Image& image) {
        return std::any_of(image.references.begin(), image.references.end(), [&](const auto& name) {
            const std::string text = familiar(name);
            return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0 ||
                   ::fnmatch(pattern.c_str(), repository_and_tag(text).repository.c_str(), 0) == 0;
        });
    };
}

Condition condition_of(const image::Store& store, const std::string& filter) {
    const auto [key, value] = split_once(filter, '=');
    if (key == "label" || key == "label!")
        return label_condition(value, key == "label");
    if (key == "reference")
        return name_condition(value);
    if (key == "dangling") {
        const bool wanted = value != "false" && value != "0";
        return [wanted](const image::Image& image) { return image.references.empty() == wanted; };
    }
    if (key == "until")
        return
            [value = value](const image::Image& image) { return is_until(image.created, value); };
    if (key == "before" || key == "since") {
        const Time limit = require_image(store, value).created;
        const bool before = key == "before";
        return [limit, before](const image::Image& image) {
            return before ? image.created < limit : image.created > limit;
        };
    }
    give_up("--filter knows label, label!, reference, dangling, until, before and since, not \"" +
            filter + "\"");
}

}  // namespace

image::Image require_image(const image::Store& store, const std::string& reference) {
    auto image = store.find(reference);
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

ImageFilter::ImageFilter(const image::Store& store, const Strings& filters) {
    for (const auto& filter : filters)
        conditions_.push_back(condition_of(store, filter));
}

bool ImageFilter::matches(const image::Image& image) const {
    return std::all_of(conditions_.begin(), conditions_.end(), [&](const auto& condition) {
        return condition(image);
    });
}

bool confirmed(const std::string& question) {
    const std::string answer = to_lower(sys::ask_line(question + " [y/N] "));
    if (answer.empty() && !sys::is_terminal(0))
        give_up("this asks before it removes: say -f where nobody can answer");
    return answer.starts_with('y');
}

}  // namespace stack::cli
