#include "cli/annotation.h"

#include "base/text.h"
#include "cli/context.h"
#include "model/platform.h"

#include <algorithm>

namespace stack::cli {
namespace {

constexpr std::string_view field_prefix = "annotation";

/// `written`: the option and its text.
[[noreturn]] void refuse(const std::string& written, const std::string& why) {
    give_up(written + ": " + why);
}

void check_type(const std::string& type, const std::string& written) {
    if (type == "index" || type == "index-descriptor" || type == "manifest-descriptor")
        refuse(written,
               "an image of one platform has no index, so nothing can be said of it or in it; "
               "`manifest` says it of the image");
    if (type != "manifest")
        refuse(written, "there is no `" + type + "`: manifest says it of the image");
}

/// `manifest`, `manifest[linux/amd64]`.
void check_place(const std::string& place,
                 const std::string& written,
                 const std::string& platform) {
    const auto [types, rest] = split_once(place, '[');
    for (const auto& type : split(types, ','))
        check_type(type, written);
    if (types == place)
        return;
    if (!rest.ends_with(']'))
        refuse(written, "the platform has no end: manifest[linux/amd64]");
    const std::string wanted = rest.substr(0, rest.size() - 1);
    if (!model::fits_platform(platform, wanted))
        refuse(written, "the image is for " + platform + ", not for " + wanted);
}

}  // namespace

StringMap annotations_of(const Strings& texts, const std::string& platform) {
    StringMap annotations;
    for (const auto& text : texts) {
        const auto [left, value] = split_once(text, '=');
        // A name may have a colon in it where what stands before that cannot be a type.
        const auto colon = left.find(':');
        const bool has_place = colon != std::string::npos &&
                               left.find_first_of("./") > std::min(colon, left.find('['));
        const std::string written = "--annotation " + text;
        if (has_place)
            check_place(left.substr(0, colon), written, platform);
        const std::string name = has_place ? left.substr(colon + 1) : left;
        if (name.empty() || left == text)
            refuse(written, "it wants [manifest:]NAME=VALUE");
        annotations[name] = value;
    }
    return annotations;
}

bool is_annotation_field(std::string_view field) {
    constexpr std::string_view next = ".-[";  // after the word
    return field.starts_with(field_prefix) && field.size() > field_prefix.size() &&
           next.find(field[field_prefix.size()]) != std::string_view::npos;
}

void add_annotation_fields(const Strings& fields,
                           const std::string& platform,
                           StringMap& annotations) {
    for (const auto& field : fields) {
        const std::string written = "--output " + field;
        const auto [left, value] = split_once(field.substr(field_prefix.size()), '=');
        // The name is behind the first dot, or behind the platform, which may have dots in it.
        const auto platform_end = left.find_first_of(".[") == left.find('[') ? left.find("].") : 0;
        const auto dot = left.find('.', std::min(platform_end, left.size()));
        const std::string name = dot < left.size() ? left.substr(dot + 1) : "";
        if (name.empty() || field.find('=') == std::string::npos)
            refuse(written, "it wants annotation.NAME=VALUE");
        const std::string place = left.substr(0, dot);
        check_place(
            place.starts_with('-') ? place.substr(1) : "manifest" + place, written, platform);
        const auto [known, is_new] = annotations.try_emplace(name, value);
        if (!is_new && known->second != value)
            refuse(written, "it is `" + known->second + "` elsewhere, and there is one image");
    }
}

}  // namespace stack::cli
