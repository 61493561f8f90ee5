#pragma once

#include <stack/paths.h>

namespace stack::cli {

/// Throws where the state is of a format that only a later program knows: it must be neither
/// misread nor written to.
void refuse_later_format(const Paths& paths);

}  // namespace stack::cli
