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
    EXPECT_TRUE(is("type=docker", Kind::image, ""));
}

TEST(BuildOutput, IsAnImageForOthers) {
    EXPECT_EQ(parse_build_output("type=oci,dest=x").kind, Kind::saved_image);
    EXPECT_EQ(parse_build_output("type=docker,dest=x").target, "x");
    EXPECT_EQ(parse_build_output("type=oci").target, "-");
    EXPECT_EQ(parse_build_output("type=oci,tar=false,dest=x").kind, Kind::saved_layout);
    EXPECT_EQ(parse_build_output("tar=false,type=oci,dest=x").kind, Kind::saved_layout);
    const auto pushed = parse_build_output("type=registry,name=a.b/c:1,name=a.b/c:2");
    EXPECT_TRUE(pushed.push);
    EXPECT_EQ(pushed.kind, Kind::image);
    EXPECT_EQ(pushed.names, (Strings{"a.b/c:1", "a.b/c:2"}));
    EXPECT_TRUE(parse_build_output("type=image,push=true").push);
    EXPECT_FALSE(parse_build_output("type=image,push=false").push);
}

TEST(BuildOutput, SaysSomethingOfTheImage) {
    for (const auto* type : {"image", "registry", "oci", "docker"})
        EXPECT_EQ(parse_build_output("type=" + std::string(type) +
                                     ",annotation.A=b,\"annotation-manifest[x/y].c=d,e\"")
                      .annotations,
                  (Strings{"annotation.A=b", "annotation-manifest[x/y].c=d,e"}))
            << type;
}

TEST(BuildOutput, WhatHasNoMeaningIsRefused) {
    for (const auto* text : {"type=local",
                             "type=zip,dest=x",
                             "type=image,dest=x",
                             "type=oci,tar=false",
                             "type=oci,tar=false,dest=-",
                             "type=local,dest=x,push=true",
                             "type=image,push=perhaps",
                             "type=local,dest=x,annotation.a=b",
                             "type=tar,annotation.a=b",
                             "type=image,annotations=b",
                             "to=x"})
        EXPECT_THROW(static_cast<void>(parse_build_output(text)), Exit) << text;
}

}  // namespace
}  // namespace stack::cli
