// What is read of the documents that images consist of.

#include "engine/image/document.h"

#include <stack/error.h>

#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

TEST(Document, IsWhatItsTextSays) {
    const std::string text = R"({"a":[1,-2,3.5,null,true,"x",{}],"b":{"a":[]}})";
    EXPECT_EQ(parse_document(text, "it"), Json::parse(text));
    for (const auto* other : {"", "{", "[1,]", "{} {}", "{\"a\":1,}", "\"\xff\""})
        EXPECT_TRUE(parse_document(other, "it").is_discarded()) << other;
}

TEST(Document, HasNoKeyTwiceAndAnEnd) {
    EXPECT_NO_THROW(static_cast<void>(parse_document(R"([{"a":1},{"a":{"a":2}}])", "it")));
    EXPECT_THROW(static_cast<void>(parse_document(R"([{"a":1,"b":{},"a":2}])", "it")), Error);
    const auto nested = [](std::size_t deep) {
        return parse_document(std::string(deep, '[') + std::string(deep, ']'), "it");
    };
    EXPECT_NO_THROW(static_cast<void>(nested(64)));
    EXPECT_THROW(static_cast<void>(nested(66)), Error);
    EXPECT_THROW(static_cast<void>(nested(1'000'000)), Error);
}

/// Without an end, were all of them looked at again for each.
TEST(Document, MayHaveManyObjects) {
    constexpr std::size_t many = 300'000;
    std::string list = "[";
    std::string object = "{";
    for (std::size_t i = 0; i < many; ++i) {
        list += "{},";
        object += "\"" + std::to_string(i) + "/tcp\":{},";
    }
    EXPECT_EQ(parse_document(list + "{}]", "it").size(), many + 1);
    EXPECT_EQ(parse_document(object + "\"x\":{}}", "it").size(), many + 1);
}

}  // namespace
}  // namespace stack::image
