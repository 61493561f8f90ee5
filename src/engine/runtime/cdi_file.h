#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace stack::runtime {

/// A file of JSON, as its name says, or else of YAML. Throws stack::Error, which names it.
[[nodiscard]] nlohmann::json read_cdi_file(const std::string& path);

}  // namespace stack::runtime
