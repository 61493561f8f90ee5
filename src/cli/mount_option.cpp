#include "cli/mount_option.h"

#include <stack/error.h>

#include "base/text.h"
#include "cli/field_list.h"

#include <map>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

class Parser {
  public:
    explicit Parser(const std::string& text) : text_(text) {}

    MountOption parse() {
        for (const auto& [name, value] : fields_of("--mount", text_))
            add(name, value);
        Json& mount = result_.mount;
        if (!mount.contains("type"))
            mount["type"] = "volume";
        if (!mount.contains("target"))
            refuse("target=PATH is missing");
        check_kinds();
        if (mount["type"] == "bind" && !mount["bind"].contains("create_host_path"))
            mount["bind"]["create_host_path"] = false;
        return std::move(result_);
    }

  private:
    [[noreturn]] void refuse(const std::string& sentence) const {
        throw Error("--mount " + text_ + ": " + sentence);
    }

    [[nodiscard]] bool is_true(const std::string& name, const std::string& value) const {
        if (value == "true" || value == "1")
            return true;
        if (value != "false" && value != "0")
            refuse(name + " is true or false, not \"" + value + "\"");
        return false;
    }

    void add(const std::string& name, const std::string& value) {
        static const std::map<std::string, std::string> texts{
            {"type", "/type"},
            {"source", "/source"},
            {"src", "/source"},
            {"target", "/target"},
            {"dst", "/target"},
            {"destination", "/target"},
            {"bind-propagation", "/bind/propagation"},
            {"bind-recursive", "/bind/recursive"},
            {"volume-subpath", "/volume/subpath"},
            {"image-subpath", "/image/subpath"},
            {"tmpfs-size", "/tmpfs/size"},
            {"tmpfs-mode", "/tmpfs/mode"}};
        static const std::map<std::string, std::string> switches{
            {"readonly", "/read_only"},
            {"ro", "/read_only"},
            {"volume-nocopy", "/volume/nocopy"},
            {"bind-create-src", "/bind/create_host_path"}};
        if (const auto text = texts.find(name); text != texts.end())
            result_.mount[Json::json_pointer(text->second)] = value;
        else if (const auto found = switches.find(name); found != switches.end())
            result_.mount[Json::json_pointer(found->second)] = is_true(name, value);
        else if (name == "bind-nonrecursive")
            result_.mount["bind"]["recursive"] = is_true(name, value) ? "disabled" : "enabled";
        else if (name.starts_with("volume-"))
            add_to_volume(name, value);
        else if (name != "consistency")  // of Docker Desktop
            refuse_unknown(name);
    }

    void add_to_volume(const std::string& name, const std::string& value) {
        has_volume_ = true;
        const auto [key, text] = split_once(value, '=');
        if (name == "volume-opt")
            result_.volume["driver_opts"][key] = text;
        else if (name == "volume-label")
            result_.volume["labels"][key] = text;
        else if (name == "volume-driver")
            result_.volume["driver"] = value;
        else
            refuse_unknown(name);
    }

    [[noreturn]] void refuse_unknown(const std::string& name) const {
        refuse("unknown field " + name +
               "; there are type, source, target, readonly, bind-propagation, bind-recursive, "
               "bind-create-src, volume-nocopy, volume-subpath, volume-driver, volume-opt, "
               "volume-label, image-subpath, tmpfs-size and tmpfs-mode");
    }

    /// What is said of a volume is no use to a bind.
    void check_kinds() const {
        const std::string type = result_.mount["type"];
        const bool is_named = !result_.mount.value("source", "").empty();
        for (const auto* kind : {"bind", "volume", "image", "tmpfs"})
            if (result_.mount.contains(kind) && type != kind)
                refuse(std::string("the ") + kind + "- fields are of type=" + kind +
                       ", not of type=" + type);
        if (has_volume_ && (type != "volume" || !is_named))
            refuse(
                "a driver, its options and labels are of a volume with a name: type=volume and "
                "source=NAME are missing");
    }

    std::string text_;
    bool has_volume_ = false;
    MountOption result_;
};

}  // namespace

MountOption parse_mount_option(const std::string& text) {
    return Parser(text).parse();
}

}  // namespace stack::cli
