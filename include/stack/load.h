#pragma once

// From stack files to a Stack, or to located complaints. Pure: everything that is read comes
// through `LoadInput`.

#include <stack/diagnostics.h>
#include <stack/model.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stack {

/// A file that is larger is refused, so nobody needs to read more of it.
inline constexpr std::size_t largest_file = 16U << 20U;

/// Reads a whole file; nullopt when there is none. Throws stack::Error for any other refusal.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;

struct LoadInput {
    Strings files;                  // absolute paths, in order of -f; "-" is read under that name
    std::string project_directory;  // absolute
    std::string
        project_name;  // from -p or COMPOSE_PROJECT_NAME; empty: the file's, else the directory's
    StringMap environment;   // of the process, with .env and --env-file already below it
    Strings profiles;        // active; "*" for all
    Strings named_services;  // their profiles are active, too
    ReadFile read_file;
    bool interpolate = true;  // off: what is written, instead of the stack
    bool normalize = true;
    bool check_consistency = true;  // that what is referred to exists, and nothing contradicts
    bool all_resources = false;     // keep networks, volumes, secrets and configs that nothing uses
    bool resolve_paths = true;
    bool resolve_environment = true;  // read env_file and pass-through variables
    bool remainder = false;           // keep what no Stack holds, for printing
    bool lint = false;                // warn of what the rules of lint.h find, too
    Strings lint_only;                // these rules; empty: all
    Strings lint_without;             // not these
};

/// A variable that the files use: ${NAME:?}, ${NAME:-default}, ${NAME:+alternate}.
struct Variable {
    std::string name;
    bool required = false;
    std::string default_value;
    std::string alternate;

    bool operator==(const Variable&) const = default;
};

/// The files as one, with every ${…} as it is written.
struct WrittenFile {
    std::string yaml;
    std::string json;
};

struct LoadResult {
    std::optional<Stack> stack;                  // nullopt exactly when `diagnostics` has an error
    WrittenFile written;                         // only where `interpolate` is off: then, no stack
    std::vector<Variable> variables;             // likewise
    std::string remainder;                       // only where it is asked for: for to_yaml()
    Diagnostics diagnostics;                     // warnings, too
    std::map<std::string, std::string> sources;  // text of each file read, for quoting lines
};

/// Loads, merges, interpolates, validates and normalizes (order of steps: the Compose reference
/// implementation's).
[[nodiscard]] LoadResult load(const LoadInput& input);

/// The environment that interpolation sees: `process` above the variables of `env_files` (later
/// files win). Problems in the files are appended to `diagnostics`.
[[nodiscard]] StringMap merge_environment(const StringMap& process,
                                          const Strings& env_files,
                                          const ReadFile& read_file,
                                          Diagnostics& diagnostics);

/// The canonical stack file: loads again to the same Stack. `remainder`: that of its LoadResult.
[[nodiscard]] std::string to_yaml(const Stack& stack, const std::string& remainder = {});
[[nodiscard]] std::string to_json_text(const Stack& stack, const std::string& remainder = {});
[[nodiscard]] std::string to_json_text(const std::vector<Variable>& variables);

/// The JSON Schema of stack files (schemas/stack.schema.json), for editors.
[[nodiscard]] std::string_view schema();

}  // namespace stack
