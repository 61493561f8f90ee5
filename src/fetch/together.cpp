#include "fetch/together.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace stack::fetch {

void work_together(std::size_t count,
                   std::size_t workers,
                   const std::function<void(std::size_t, std::size_t)>& work,
                   const std::function<void()>& stop) {
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    const auto run = [&](std::size_t worker) {
        for (std::size_t index = 0; (index = next++) < count;) {
            try {
                work(worker, index);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure)
                    failure = std::current_exception();
                next = count;
                if (stop)
                    stop();
            }
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t worker = 0; worker < std::min(workers, count); ++worker)
        threads.emplace_back(run, worker);
    for (auto& thread : threads)
        thread.join();
    if (failure)
        std::rethrow_exception(failure);
}

}  // namespace stack::fetch
