#pragma once

#include <memory>
#include <utility>

namespace stack {

/// A value that does not change and that its copies share: copied as a pointer, compared as a T.
template <class T>
class Shared {
  public:
    Shared() {
        static const auto empty = std::make_shared<const T>();
        value_ = empty;
    }

    // Never moved from, only copied: there is none without a value.
    Shared(const Shared&) = default;
    Shared& operator=(const Shared&) = default;
    ~Shared() = default;

    Shared(T value) : value_(std::make_shared<const T>(std::move(value))) {}

    /// A part of what `owner` holds, which lives while any copy of this does.
    template <class Owner>
    Shared(std::shared_ptr<Owner> owner, const T& part) : value_(std::move(owner), &part) {}

    [[nodiscard]] const T& operator*() const noexcept { return *value_; }

    [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

    operator const T&() const noexcept { return *value_; }

    bool operator==(const Shared& other) const {
        return value_ == other.value_ || *value_ == *other.value_;
    }

  private:
    std::shared_ptr<const T> value_;
};

}  // namespace stack
