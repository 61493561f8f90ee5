#include "cli/annotation.h"

#include "base/text.h"
#include "cli/context.h"
#include "model/platform.h"

#include <algorithm>

namespace stack::cli {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
    give_up("--annotation " + text + ": " + why);
}

void check_type(const std::string& type, const std::string& text) {
    if (type == "index" || type == "index-descriptor" || type == "manifest-descriptor")
        refuse(text,
               "an image of one platform has no index, so nothing can be said of it or in it; "
               "manifest: says it of the image");
    if (type != "manifest")
        refuse(text, "there is no `" + type + "`: manifest says it of the image");
}

/// What stands before the name: `manifest`, `manifest[linux/amd64]`.
void check_place(const std::string& place, const std::string& text, const std::string& platform) {
    const auto [types, rest] = split_once(place, '[');
    for (const auto& type : split(types, ','))
        check_type(type, text);
    if (types == place)
        return;
    if (!rest.ends_with(']'))
        refuse(text, "the platform has no end: manifest[linux/amd64]:NAME=VALUE");
    const std::string wanted = rest.substr(0, rest.size() - 1);
    if (!model::fits_platform(platform, wanted))
        refuse(text, "the image is for " + platform + ", not for " + wanted);
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
        if (has_place)
            check_place(left.substr(0, colon), text, platform);
        const std::string name = has_place ? left.substr(colon + 1) : left;
        if (name.empty() || left == text)
            refuse(text, "it wants [manifest:]NAME=VALUE");
        annotations[name] = value;
    }
    return annotations;
}

}  // namespace stack::cli
