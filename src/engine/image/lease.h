#pragma once

// What a process works with and no image names yet: <images>/leases/<random>, one diffID a line,
// held flock'ed while its owner lives. The collector keeps what live leases name and removes dead
// ones.

#include "sys/fd.h"

#include <mutex>
#include <set>
#include <string>

namespace stack::image {

class Lease {
  public:
    /// `root` is the store's directory. Nothing is written before the first keep().
    explicit Lease(std::string root) : root_(std::move(root)) {}

    ~Lease();
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// Postcondition: no collector that begins from now on takes these layers. From any thread.
    void keep(const std::set<std::string>& diff_ids);

    /// What live leases name. The caller holds the store's lock exclusively, so that none is being
    /// written.
    [[nodiscard]] static std::set<std::string> kept(const std::string& root);

  private:
    void open();

    std::string root_;
    std::mutex mutex_;
    std::string path_;
    sys::Fd file_;
    std::set<std::string> kept_;
};

/// The lock of a store: shared to write a lease, exclusive to change the index or to collect.
[[nodiscard]] std::string lock_path(const std::string& root);

}  // namespace stack::image
