#include "cli/context.h"

#include <stack/error.h>

#include "sys/process.h"
#include "sys/terminal.h"

namespace stack::cli {

void give_up(const std::string& message) {
    sys::write_err("stack: " + message + "\n");
    throw Exit{1};
}

void warn(const std::string& message) {
    sys::write_err("stack: warning: " + message + "\n");
}

void require_root() {
    if (!sys::may_administer())
        throw Error(std::make_error_code(std::errc::operation_not_permitted),
                    "this command works with namespaces, mounts and networks and must be run as root: "
                    "try `sudo stack …`");
}

}  // namespace stack::cli
