#include "sys/umask.h"

#include <optional>

#include <sys/stat.h>

namespace stack::sys {
namespace {

std::optional<mode_t>& given() {
    static std::optional<mode_t> mask;
    return mask;
}

}  // namespace

void settle_umask() {
    constexpr mode_t usual = 022;
    given() = ::umask(usual);
}

CallersUmask::CallersUmask() : before_(::umask(given().value_or(0))) {
    if (!given())
        ::umask(before_);
}

CallersUmask::~CallersUmask() {
    ::umask(before_);
}

}  // namespace stack::sys
