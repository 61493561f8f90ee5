// --output of image build: its words.

#include "cli/build_output.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

using Kind = BuildOutput::Kind;

TEST(BuildOutput, IsADirectoryAnArchiveOrTheStore) {
    const auto is = [](const std::string& text, Kind kind, const std::string& target) {
        const auto output = parse_build_output(text);
        return output.kind == kind && output.target == target;
    };
    EXPECT_TRUE(is("out", Kind::directory, "out"));
    EXPECT_TRUE(is("-", Kind::archive, "-"));
    EXPECT_TRUE(is("type=local,dest=out", Kind::directory, "out"));
    EXPECT_TRUE(is("type=tar,dest=out.tar", Kind::archive, "out.tar"));
    EXPECT_TRUE(is("type=tar", Kind::archive, "-"));
    EXPECT_TRUE(is("type=image", Kind::image, ""));
}

TEST(BuildOutput, WhatHasNoMeaningIsRefused) {
    for (const auto* text : {"type=local", "type=oci,dest=x", "type=docker,dest=x", "to=x"})
        EXPECT_THROW(static_cast<void>(parse_build_output(text)), Exit) << text;
}

}  // namespace
}  // namespace stack::cli
