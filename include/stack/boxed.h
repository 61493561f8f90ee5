#pragma once

#include <memory>
#include <utility>

namespace stack {

/// A value that lies on the heap: copied and compared as a T, but moved, and held among smaller
/// ones (in a variant), as a pointer. Moved from, it is only to be assigned to or destroyed.
template <class T>
class Boxed {
  public:
    Boxed() : value_(std::make_unique<T>()) {}

    Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}

    Boxed(const Boxed& other) : value_(std::make_unique<T>(*other)) {}

    Boxed(Boxed&&) noexcept = default;

    Boxed& operator=(const Boxed& other) {
        value_ = std::make_unique<T>(*other);
        return *this;
    }

    Boxed& operator=(Boxed&&) noexcept = default;
    ~Boxed() = default;

    [[nodiscard]] T& operator*() noexcept { return *value_; }

    [[nodiscard]] const T& operator*() const noexcept { return *value_; }

    [[nodiscard]] T* operator->() noexcept { return value_.get(); }

    [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

    bool operator==(const Boxed& other) const { return **this == *other; }

  private:
    std::unique_ptr<T> value_;
};

/// An optional value that lies on the heap: where there is none it takes the room of a pointer.
template <class T>
class BoxedOptional {
  public:
    BoxedOptional() = default;

    BoxedOptional(T value) : value_(std::make_unique<T>(std::move(value))) {}

    BoxedOptional(const BoxedOptional& other)
        : value_(other ? std::make_unique<T>(*other) : nullptr) {}

    BoxedOptional(BoxedOptional&&) noexcept = default;

    BoxedOptional& operator=(const BoxedOptional& other) { return *this = BoxedOptional(other); }

    BoxedOptional& operator=(BoxedOptional&&) noexcept = default;
    ~BoxedOptional() = default;

    explicit operator bool() const noexcept { return value_ != nullptr; }

    [[nodiscard]] T& operator*() noexcept { return *value_; }

    [[nodiscard]] const T& operator*() const noexcept { return *value_; }

    [[nodiscard]] T* operator->() noexcept { return value_.get(); }

    [[nodiscard]] const T* operator->() const noexcept { return value_.get(); }

    T& emplace() { return *(value_ = std::make_unique<T>()); }

    void reset() noexcept { value_.reset(); }

    bool operator==(const BoxedOptional& other) const {
        return value_ && other.value_ ? *value_ == *other.value_ : !value_ == !other.value_;
    }

  private:
    std::unique_ptr<T> value_;
};

}  // namespace stack
