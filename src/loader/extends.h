#pragma once

// `extends`: a service that begins as a copy of another one, of the same file or of one that is
// read for that alone.

#include "loader/files.h"
#include "loader/reader.h"

#include <map>
#include <string>

namespace stack::loader {

/// The services of a file, for those who extend them.
struct Bases {
    Bases(Node& file, std::string in, std::string relative_to)
        : services(file.find("services")), path(std::move(in)), directory(std::move(relative_to)) {
        if (services != nullptr)
            index = index_of(*services);
    }

    Node* find(const std::string& name) const {
        const auto found = index.find(name);
        return found == index.end() ? nullptr : &services->entries[found->second].value;
    }

    Node* services;
    KeyIndex index;
    std::string path;
    std::string directory;
};

/// A file that services extend, read for that alone.
struct ExtendedFile {
    ExtendedFile(Node document, const std::string& path, const std::string& directory)
        : file(std::move(document)), bases(file, path, directory) {}

    ExtendedFile(const ExtendedFile&) = delete;
    ExtendedFile& operator=(const ExtendedFile&) = delete;

    Node file;
    Bases bases;
};

class Extends {
  public:
    Extends(Session& session, Files& files) : session_(session), files_(files) {}

    /// Carries out every `extends` of the file `path`, whose relative paths begin at `directory`.
    void resolve(Node& file, const std::string& path, const std::string& directory);

    /// The files that were read for `extends`, with the variables of that time. An `include` has
    /// variables of its own, so it takes them out, and puts them back when it has ended.
    std::map<std::string, ExtendedFile> read_files;

  private:
    void resolve_service(const Bases& file, Node& service, Strings& chain);
    const Bases* bases_of(const Bases& file, const Node& other);
    void undefined_base(const Node& name, const Bases& source);
    bool may_extend(const std::string& link, const Strings& chain, const Location& at);

    Session& session_;
    Files& files_;
};

}  // namespace stack::loader
