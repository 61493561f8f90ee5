#pragma once

// A store in a directory of its own, with images and layers that are made as tests need them.

#include "engine/image/store.h"

#include <string>

#include <gtest/gtest.h>

namespace stack::image {

class StoreTest : public testing::Test {
  protected:
    StoreTest();
    ~StoreTest() override;

    /// A layer with one file of this content; its diffID.
    static std::string add_layer(Store& store, const std::string& content);
    /// The same with packed bytes.
    static std::string add_packed_layer(Store& store, const std::string& content);
    /// An image of these layers under this name; its id.
    static std::string add_image(Store& store, const std::string& name, const Strings& layers);

    /// What nothing uses.
    static InUse nothing() { return {}; }

    /// Names in a directory of the store.
    [[nodiscard]] Strings in(const std::string& directory) const;

    Paths paths_;
};

}  // namespace stack::image
