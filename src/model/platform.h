#pragma once

// os[/architecture[/variant]] or architecture, as images and stack files have it.

#include <string>

namespace stack::model {

/// An architecture in the words of images: uname(2)'s are understood, others are left as they are.
[[nodiscard]] std::string architecture_of(const std::string& word);

/// Whether what is for `own` serves who wants `wanted`; what either does not say makes no
/// difference. uname(2)'s words for architectures are understood.
[[nodiscard]] bool fits_platform(const std::string& own, const std::string& wanted);

}  // namespace stack::model
