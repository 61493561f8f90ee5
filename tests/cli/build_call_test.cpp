// --call of image build: its words.

#include "cli/build_call.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

using Method = BuildCall::Method;

TEST(BuildCall, IsAMethodAndAFormat) {
    EXPECT_EQ(parse_build_call(""), (BuildCall{Method::build, false}));
    EXPECT_EQ(parse_build_call("build"), (BuildCall{Method::build, false}));
    EXPECT_EQ(parse_build_call("lint"), (BuildCall{Method::check, false}));
    EXPECT_EQ(parse_build_call("check,format=json"), (BuildCall{Method::check, true}));
    EXPECT_EQ(parse_build_call("outline,format=json"), (BuildCall{Method::outline, true}));
    EXPECT_EQ(parse_build_call("targets,format=text"), (BuildCall{Method::targets, false}));
    for (const auto* wrong : {"run", "outline,json", "targets,format=yaml"})
        EXPECT_THROW(static_cast<void>(parse_build_call(wrong)), Exit) << wrong;
}

}  // namespace
}  // namespace stack::cli
