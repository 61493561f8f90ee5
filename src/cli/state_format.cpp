// Records may have more fields with every version, which others skip. What more changes than that
// is another format, and its number is in a file at the root of the state; the first has none.

#include "cli/state_format.h"

#include <stack/error.h>

#include "base/text.h"
#include "sys/file.h"

namespace stack::cli {
namespace {

constexpr int own_format = 1;

}  // namespace

void refuse_later_format(const Paths& paths) {
    const auto text = sys::read_file(paths.state + "/format");
    const int format = text ? parse_number<int>(trim(*text)).value_or(0) : own_format;
    if (format != own_format)
        throw Error(paths.state + " is of format " +
                    (format == 0 ? "unknown" : std::to_string(format)) +
                    ", and this program knows format " + std::to_string(own_format) +
                    ": use the later version of stack that wrote it, or another state by --root "
                    "DIR (what runs goes on running)");
}

}  // namespace stack::cli
