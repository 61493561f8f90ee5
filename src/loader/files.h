#pragma once

// The files of one load: each is read once and parsed once.

#include <stack/load.h>

#include "loader/budget.h"
#include "loader/dotenv.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace stack::loader {

/// What the steps of one load share.
struct Session {
    explicit Session(const LoadInput& of);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] std::string home() const;
    /// `path` as a file in `directory` means it.
    [[nodiscard]] std::string absolute(const std::string& path, const std::string& directory) const;

    const LoadInput& input;
    StringMap environment;  // what ${…} sees; that of an `include` holds its own files, too
    /// Of secrets and configs of included files that name a variable, by kind and key: it may be
    /// one of the include's own files.
    std::map<std::pair<std::string, std::string>, std::string> contents;
    LoadResult result;
    Reporter reporter;
    Budget budget;
};

/// Asked for only where there is something to complain of: to find it takes long in a large file.
using FindLocation = std::function<Location()>;

class Files {
  public:
    explicit Files(Session& session) : session_(session) {}

    /// The text of a file; nullptr where there is none. `from` is what names it.
    const std::string* read_if_there(const std::string& path, const FindLocation& from);
    const std::string* read_if_there(const std::string& path, const Location& from);
    /// Complains where there is none.
    const std::string* read(const std::string& path, const Location& from);
    /// Whether `path`, as a file names another one, is on this machine; complains where it is not.
    bool is_here(const std::string& path, const Location& from);
    /// The documents of a file that was read, as they are written.
    const std::vector<Node>& documents_of(const std::string& path);
    /// With their variables put in; paths are made absolute later, because includes come first.
    std::vector<Node> values_of(const std::string& path);
    /// What a file of variables says (dotenv.h).
    std::vector<Assignment> assignments_of(const std::string& file,
                                           const std::string& text,
                                           const Variables& above,
                                           const Variables& below,
                                           bool raw);
    /// The beginning of a file that was read.
    [[nodiscard]] Place start_of(const std::string& path) const;

  private:
    Session& session_;
    std::map<std::string, std::vector<Node>> parsed_;
    std::set<std::string> used_;
    std::set<std::string> warned_;  // variables that are not set
};

/// The text of a file; nullopt where there is none. Complains of one that cannot be read, which is
/// as if it were empty.
[[nodiscard]] std::optional<std::string> read_or_complain(const ReadFile& read_file,
                                                          const std::string& path,
                                                          const FindLocation& from,
                                                          Reporter& reporter);

/// Looks a name up in `environment`, which must outlive the result.
[[nodiscard]] Variables variables_of(const StringMap& environment);

[[nodiscard]] std::string directory_of(const std::string& file);

}  // namespace stack::loader
