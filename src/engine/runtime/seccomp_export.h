#pragma once

#include <string>

namespace stack::runtime {

/// Throws stack::Error where `result` is an error of libseccomp's (a negative errno), met in
/// `what`.
void check_filter(int result, const char* what);

/// A filter that was put together with libseccomp (scmp_filter_ctx), as struct sock_filter[].
[[nodiscard]] std::string exported_filter(void* filter);

}  // namespace stack::runtime
