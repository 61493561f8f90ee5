#pragma once

// The status of many files, asked for on several processors: of a large context that is nearly all
// there is to do where it is unchanged.

#include "sys/fd.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

namespace stack::build {

struct StatJob {
    struct File {
        std::size_t place = 0;  // in the listing
        std::string name{};
        mode_t type = 0;  // as the directory has it

        struct stat status {};  // of the file itself, be it a link

        std::string link{};  // target of a symbolic link
    };

    std::string path;                          // of the directory, for people
    std::shared_ptr<const sys::Fd> directory;  // of the walk, and of the jobs that are not done
    std::vector<File> files{};
};

/// Given out by one thread, which works on them, too.
class StatJobs {
  public:
    StatJobs() = default;
    ~StatJobs();
    StatJobs(const StatJobs&) = delete;
    StatJobs& operator=(const StatJobs&) = delete;

    /// Returns jobs that are done, these or others. Throws what went wrong with any of them.
    [[nodiscard]] std::vector<StatJob> give(StatJob job);
    /// Returns the rest of them, when all are done.
    [[nodiscard]] std::vector<StatJob> finish();

  private:
    void help();
    bool do_one(std::unique_lock<std::mutex>& lock);
    void start_helpers();
    std::vector<StatJob> take_done();

    std::mutex mutex_;
    std::condition_variable wake_;  // jobs, or that there will be none; and that the last is done
    std::deque<StatJob> waiting_;
    std::size_t waiting_files_ = 0;
    std::size_t running_ = 0;
    std::vector<StatJob> done_;
    std::exception_ptr failure_;
    bool stops_ = false;
    std::vector<std::thread> helpers_;
};

}  // namespace stack::build
