#include "fetch/layer.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/failpoint.h"
#include "fetch/inflate.h"
#include "fetch/untar.h"
#include "sys/file.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace stack::fetch {
namespace {

/// Pieces on their way from one thread to another, never more than a few megabytes of them.
class Queue {
  public:
    /// Waits for room. False where nobody takes any more.
    bool push(std::string_view bytes) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return size_ < largest || closed_; });
        if (closed_)
            return false;
        size_ += bytes.size();
        pieces_.emplace_back(bytes);
        changed_.notify_all();
        return true;
    }

    void end(std::exception_ptr failure) {
        const std::lock_guard lock(mutex_);
        ended_ = true;
        failure_ = std::move(failure);
        changed_.notify_all();
    }

    /// The next piece, valid until the next call; empty at the end. Throws what the producer threw.
    std::string_view pop() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !pieces_.empty() || ended_; });
        if (pieces_.empty()) {
            if (failure_)
                std::rethrow_exception(failure_);
            return {};
        }
        current_ = std::move(pieces_.front());
        pieces_.pop_front();
        size_ -= current_.size();
        changed_.notify_all();
        return current_;
    }

    /// The taker gives up.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        changed_.notify_all();
    }

  private:
    static constexpr std::size_t largest = 8U << 20U;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> pieces_;
    std::string current_;
    std::size_t size_ = 0;
    bool ended_ = false;
    bool closed_ = false;
    std::exception_ptr failure_;
};

}  // namespace

std::string import_layer(image::Store& store,
                         const Producer& produce,
                         const std::string& expected_diff_id) {
    sys::ScratchDirectory staging = store.begin_layer();
    Queue queue;
    std::string diff_id;
    std::thread unpacker([&] {
        std::exception_ptr failure;
        try {
            Sha256 digest;
            Inflater inflater([&](std::string_view bytes) {
                digest.update(bytes);
                if (!queue.push(bytes))
                    throw Error("unpacking has stopped");
            });
            produce([&](std::string_view bytes) {
                inflater.feed(bytes);
                return true;
            });
            inflater.finish();
            diff_id = "sha256:" + digest.finish();
            STACK_FAILPOINT("layer.diffid");
            if (!expected_diff_id.empty() && diff_id != expected_diff_id)
                throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                            "a layer has the content " + diff_id +
                                " where the image's configuration says " + expected_diff_id);
        } catch (...) {
            failure = std::current_exception();
        }
        queue.end(failure);
    });
    std::int64_t size = 0;
    std::exception_ptr failure;
    try {
        size =
            untar([&] { return queue.pop(); }, sys::open_directory(staging.path() + "/fs"), true);
    } catch (...) {
        failure = std::current_exception();
        queue.close();
    }
    unpacker.join();
    if (failure)
        std::rethrow_exception(failure);
    store.publish_layer(std::move(staging), diff_id, size);
    return diff_id;
}

}  // namespace stack::fetch
