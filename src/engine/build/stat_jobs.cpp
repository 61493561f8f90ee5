#include "engine/build/stat_jobs.h"

#include <stack/error.h>

#include "sys/tree.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fcntl.h>

namespace stack::build {
namespace {

/// Below that, a thread takes longer to start than it would save.
constexpr std::size_t most_files_alone = 512;
/// More wait for nothing, and hold their directories open.
constexpr std::size_t most_waiting = 16;
constexpr unsigned most_threads = 4;

void look_at(StatJob::File& file, const StatJob& job) {
    const auto path = [&] { return job.path.empty() ? file.name : job.path + "/" + file.name; };
    const auto changed = [&] {
        return Error("`" + path() + "` changed while it was read: build again");
    };
    const int directory = job.directory->get();
    if (::fstatat(directory, file.name.c_str(), &file.status, AT_SYMLINK_NOFOLLOW) < 0)
        sys::fail("stat " + path());
    // What is mounted there is of another type for as long as that lasts.
    if (S_ISDIR(file.status.st_mode) || S_ISSOCK(file.status.st_mode))
        throw changed();
    if (!S_ISLNK(file.status.st_mode))
        return;
    auto target = sys::find_link_target(*job.directory, file.name);
    if (!target)
        throw changed();
    file.link = *std::move(target);
}

}  // namespace

StatJobs::~StatJobs() {
    {
        const std::lock_guard lock(mutex_);
        stops_ = true;
        waiting_.clear();
    }
    wake_.notify_all();
    for (auto& helper : helpers_)
        helper.join();
}

void StatJobs::start_helpers() {
    const unsigned threads = std::min(std::thread::hardware_concurrency(), most_threads);
    try {
        while (helpers_.size() + 1 < threads)
            helpers_.emplace_back([this] { help(); });
    } catch (const std::system_error&) {
        // There may be no more threads: who gives the jobs does them.
    }
}

void StatJobs::help() {
    std::unique_lock lock(mutex_);
    while (!stops_) {
        if (!do_one(lock))
            wake_.wait(lock);
    }
}

/// False where none waits.
bool StatJobs::do_one(std::unique_lock<std::mutex>& lock) {
    if (waiting_.empty())
        return false;
    StatJob job = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_files_ -= job.files.size();
    ++running_;
    lock.unlock();
    std::exception_ptr failure;
    try {
        for (auto& file : job.files)
            look_at(file, job);
    } catch (...) {
        failure = std::current_exception();  // for the thread that gave the job
    }
    job.directory.reset();
    lock.lock();
    --running_;
    if (failure)
        failure_ = failure;
    done_.push_back(std::move(job));
    if (waiting_.empty() && running_ == 0)
        wake_.notify_all();
    return true;
}

std::vector<StatJob> StatJobs::take_done() {
    if (failure_)
        std::rethrow_exception(failure_);
    return std::exchange(done_, {});
}

std::vector<StatJob> StatJobs::give(StatJob job) {
    std::unique_lock lock(mutex_);
    waiting_files_ += job.files.size();
    waiting_.push_back(std::move(job));
    if (helpers_.empty() && waiting_files_ > most_files_alone)
        start_helpers();
    if (waiting_.size() > most_waiting)
        do_one(lock);
    else if (!helpers_.empty())
        wake_.notify_one();
    return take_done();
}

std::vector<StatJob> StatJobs::finish() {
    std::unique_lock lock(mutex_);
    while (do_one(lock)) {
    }
    wake_.wait(lock, [this] { return running_ == 0; });
    return take_done();
}

}  // namespace stack::build
