#include "engine/build/outline.h"

#include <gtest/gtest.h>

namespace stack::build {
namespace {

constexpr const char* dockerfile =
    "# syntax=docker/dockerfile:1\n"
    "# BASE what it stands on\n"
    "ARG BASE=box:$TAG\n"
    "ARG UNUSED=1\n"
    "\n"
    "# tools what is needed\n"
    "# to build it\n"
    "FROM $BASE AS tools\n"
    "# VERSION of the tools\n"
    "ARG VERSION=1 MINOR=$VERSION.2\n"
    "ARG TARGETARCH\n"
    "RUN --mount=type=secret,id=key --mount=type=cache,target=/c$VERSION make\n"
    "FROM tools AS other\n"
    "ARG OTHER\n"
    "FROM scratch AS app\n"
    "COPY --from=tools /a /\n"
    "ARG VERSION=7\n"
    "ARG GIVEN\n"
    "RUN --mount=type=ssh --mount=type=secret,id=key,required=true true\n"
    "FROM --platform=linux/arm64 app\n";

BuildInputs inputs(const std::string& target) {
    Build build;
    build.context = "/";
    build.dockerfile_inline = dockerfile;
    build.target = target;
    build.args["GIVEN"] = "g";
    return read_inputs(build, {});
}

TEST(Outline, NamesTheStages) {
    EXPECT_EQ(targets_of(inputs("")),
              (std::vector<Target>{{"tools", "what is needed", "$BASE", "", 8, false},
                                   {"other", "", "tools", "", 13, false},
                                   {"app", "", "scratch", "", 15, false},
                                   {"", "", "app", "linux/arm64", 20, true}}));
}

TEST(Outline, NamesWhatTheTargetCanBeGiven) {
    const Outline outline = outline_of(inputs("app"));
    EXPECT_EQ(outline.target.name, "app");
    EXPECT_EQ(outline.arguments,
              (std::vector<Parameter>{{"BASE", "what it stands on", "box:", 3},
                                      {"VERSION", "of the tools", "1", 10},
                                      {"MINOR", "", "1.2", 10},
                                      {"GIVEN", "", "g", 18}}));
    EXPECT_EQ(outline.secrets, (std::vector<Wish>{{"key", true, 12}}));
    EXPECT_EQ(outline.agents, (std::vector<Wish>{{"default", false, 19}}));
    EXPECT_EQ(outline.caches, (std::vector<Wish>{{"/c1", false, 12}}));
}

TEST(Outline, LeavesOutWhatTheTargetDoesNotNeed) {
    const Outline outline = outline_of(inputs("tools"));
    EXPECT_EQ(outline.arguments.size(), 3U);
    EXPECT_TRUE(outline.agents.empty());
    EXPECT_EQ(outline.secrets, (std::vector<Wish>{{"key", false, 12}}));
}

}  // namespace
}  // namespace stack::build
