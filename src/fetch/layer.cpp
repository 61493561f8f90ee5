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

constexpr std::int64_t gibibyte = 1LL << 30U;

std::string mebibytes(std::int64_t bytes) {
    return std::to_string(bytes >> 20U) + " MiB";
}

[[noreturn]] void refuse(const std::string& what) {
    throw Error(std::make_error_code(std::errc::file_too_large),
                what +
                    ": where that is meant, allow it with --max-unpacked SIZE or "
                    "\"max_unpacked\" in registries.json");
}

/// The packed bytes to the tar's, and the tar's to the queue; the tar's digest.
std::string inflate_to(Queue& queue,
                       const Producer& produce,
                       const UnpackLimit& limit,
                       Packed& packed) {
    Sha256 digest;
    std::int64_t in = 0;
    std::int64_t out = 0;
    Inflater inflater([&](std::string_view bytes) {
        out += static_cast<std::int64_t>(bytes.size());
        limit.check(in, out);
        digest.update(bytes);
        if (!queue.push(bytes))
            throw Error("unpacking has stopped");
    });
    packed = produce([&](std::string_view bytes) {
        in += static_cast<std::int64_t>(bytes.size());
        inflater.feed(bytes);
    });
    inflater.finish();
    return "sha256:" + digest.finish();
}

}  // namespace

void UnpackLimit::check(std::int64_t packed, std::int64_t unpacked) const {
    constexpr std::int64_t free_of_suspicion = gibibyte;
    constexpr std::int64_t greatest_ratio = 250;
    if (most <= 0 && unpacked > free_of_suspicion && unpacked / greatest_ratio > packed)
        refuse("it unpacks to more than " + std::to_string(greatest_ratio) +
               " times its size, as a bomb does");
    if (unpacked > bound())
        refuse("it unpacks to more than " + mebibytes(bound()));
}

void UnpackLimit::check_files(std::int64_t bytes) const {
    if (bytes > bound())
        refuse("its files have more than " + mebibytes(bound()) + " with their holes");
}

std::int64_t UnpackLimit::bound() const {
    constexpr std::int64_t usual_most = 100 * gibibyte;
    return most > 0 ? most : usual_most;
}

std::string import_layer(image::Store& store,
                         const Producer& produce,
                         const std::string& expected_diff_id,
                         const UnpackLimit& limit) {
    sys::ScratchDirectory staging = store.begin_layer();
    Queue queue;
    std::string diff_id;
    Packed packed;
    std::thread inflating([&] {
        std::exception_ptr failure;
        try {
            diff_id = inflate_to(queue, produce, limit, packed);
            STACK_FAILPOINT("layer.diffid");
            if (!expected_diff_id.empty() && diff_id != expected_diff_id)
                throw Error(std::make_error_code(std::errc::illegal_byte_sequence),
                            "its content is " + diff_id + " where the image's configuration says " +
                                expected_diff_id);
        } catch (...) {
            failure = std::current_exception();
        }
        queue.end(failure);
    });
    Untarred made;
    std::exception_ptr failure;
    try {
        made = untar([&] { return queue.pop(); },
                     sys::open_directory(staging.path() + "/fs"),
                     {.whiteouts = true, .base = {}},
                     limit);
    } catch (...) {
        failure = std::current_exception();
        queue.close();
    }
    inflating.join();
    if (failure)
        std::rethrow_exception(failure);
    store.publish_layer(std::move(staging),
                        diff_id,
                        {made.size, packed.layer, std::move(made.unsaid)},
                        packed.file);
    return diff_id;
}

}  // namespace stack::fetch
