#pragma once

// A project of files in memory, for tests of the loader.

#include <stack/load.h>

#include <string>

namespace stack::test {

/// Files live in /p. What is not said otherwise: the stack file is /p/compose.yaml, and the
/// environment is empty.
class Project {
  public:
    Project() = default;

    explicit Project(std::string compose) { file("compose.yaml", std::move(compose)); }

    Project& file(const std::string& name, std::string text);
    Project& variable(const std::string& name, const std::string& value);

    [[nodiscard]] LoadResult load() const;
    /// The stack; where there is none the test fails with the diagnostics.
    [[nodiscard]] Stack stack() const;
    /// The diagnostics as a person reads them.
    [[nodiscard]] std::string complaints() const;

    LoadInput input{.files = {"/p/compose.yaml"}, .project_directory = "/p"};

  private:
    StringMap texts_;
};

/// As a person reads them.
[[nodiscard]] std::string printed(const LoadResult& result);

}  // namespace stack::test
