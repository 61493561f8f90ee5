#pragma once

// index.json of the store (OCI image-layout): which manifests there are, and what they are called.

#include <stack/observed.h>

#include <cstdint>
#include <string>
#include <vector>

namespace stack::image {

struct IndexEntry {
    std::string digest;  // of the manifest
    std::int64_t size = 0;
    std::string media_type;
    std::string reference;      // canonical; empty: the image has no name
    std::string source_digest;  // for built images: what it was built from
    std::string remote_digest;  // what the registry calls it: the manifest's or its index's digest
    Time named{};               // when it was given the reference last; {}: unknown
};

class Index {
  public:
    /// Throws stack::Error where the file is damaged: taken for empty, it would have the collector
    /// take everything.
    [[nodiscard]] static Index read(const std::string& root);
    void write(const std::string& root) const;

    [[nodiscard]] const std::vector<IndexEntry>& entries() const { return entries_; }

    /// nullptr where nothing has this name.
    [[nodiscard]] const IndexEntry* find(const std::string& reference) const;

    /// Postcondition: `entry.reference` names this manifest. The one that had the name stays, if
    /// need be without any.
    void name(IndexEntry entry);
    /// Postcondition: the manifest is here, with the names that it had: without any, where it is new.
    void keep(IndexEntry entry);
    /// Postcondition: nothing has this name; the manifest stays, if need be without any.
    void take_name(const std::string& reference);
    void forget(const std::string& digest);

  private:
    std::vector<IndexEntry> entries_;
};

}  // namespace stack::image
