#include "cli/boot_unit.h"

#include "base/text.h"

namespace stack::cli {
namespace {

/// A word of a unit's command line (systemd.service(5), "Command lines"; % and $ mean something).
std::string quoted(const std::string& word) {
    std::string text = replace_all(word, "\\", "\\\\");
    text = replace_all(text, "\"", "\\\"");
    text = replace_all(text, "%", "%%");
    return "\"" + replace_all(text, "$", "$$") + "\"";
}

}  // namespace

std::string boot_unit_name(const Paths& paths) {
    return paths.instance.empty() ? "stack.service" : "stack-" + paths.instance + ".service";
}

std::string boot_unit_text(const Paths& paths, const std::string& program) {
    const std::string root = paths.instance.empty() ? "" : " --root " + quoted(paths.state);
    // What it starts outlives it, and is not systemd's to end.
    return "[Unit]\n"
           "Description=Bring enabled stacks back by their restart policies\n"
           "Wants=network-online.target\n"
           "After=network-online.target local-fs.target\n"
           "RequiresMountsFor=" +
           quoted(paths.state) +
           "\n\n"
           "[Service]\n"
           "Type=oneshot\n"
           "RemainAfterExit=yes\n"
           "KillMode=process\n"
           "Delegate=yes\n"
           "ExecStart=" +
           quoted(program) + root +
           " resume\n\n"
           "[Install]\n"
           "WantedBy=multi-user.target\n";
}

}  // namespace stack::cli
