#pragma once

#include <string>
#include <vector>

namespace stack {

/// The strings as execve(2) and its kin take them; they have to outlive the list.
[[nodiscard]] inline std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> list;
    list.reserve(strings.size() + 1);
    for (const auto& text : strings)
        list.push_back(const_cast<char*>(text.c_str()));
    list.push_back(nullptr);
    return list;
}

}  // namespace stack
