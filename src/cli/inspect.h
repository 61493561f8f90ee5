#pragma once

// A container in full, in the shape of `docker inspect`, which scripts read.

#include <stack/observed.h>

#include "engine/runtime/runtime.h"

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

[[nodiscard]] nlohmann::json inspect_json(const runtime::ContainerRecord& record,
                                          const ObservedContainer& seen,
                                          const std::string& log_path);

}  // namespace stack::cli
