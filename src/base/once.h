#pragma once

// Values that are made once, by the first who asks for them, while the others wait.

#include <future>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace stack {

/// From several threads at once.
template <class Value>
class Once {
  public:
    /// The value of `key`; `make` makes it where nobody has asked before. Where that throws, all
    /// who ask get what it threw.
    template <class Make>
    const Value& get(const std::string& key, Make make) {
        std::packaged_task<Value()> task(std::move(make));
        std::unique_lock lock(mutex_);
        const auto [place, is_first] = values_.try_emplace(key);
        if (is_first)
            place->second = task.get_future().share();
        const std::shared_future<Value> value = place->second;
        lock.unlock();
        if (is_first)
            task();
        return value.get();
    }

    /// Calls `each` with every key and the value that was made. Nobody may be making one meanwhile.
    template <class Each>
    void for_each(Each each) const {
        for (const auto& [key, value] : values_)
            each(key, value.get());
    }

  private:
    std::mutex mutex_;
    std::map<std::string, std::shared_future<Value>> values_;
};

}  // namespace stack
