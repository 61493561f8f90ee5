// --change of commit, import and collect: the instructions of a Dockerfile that only describe.

#include "cli/image_changes.h"

#include "cli/context.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

ImageConfig changed(const std::string& change) {
    ImageConfig config;
    config.environment = {"PATH=/bin", "A=old"};
    config.working_dir = "/app";
    config.command = {"sh"};
    return with_changes(config, {change});
}

TEST(ImageChanges, VariablesAreAsInADockerfile) {
    EXPECT_EQ(changed("ENV A=1 B=\"two words\"").environment,
              (Strings{"PATH=/bin", "A=1", "B=two words"}));
    EXPECT_EQ(changed("env OLD the style").environment,
              (Strings{"PATH=/bin", "A=old", "OLD=the style"}));
    EXPECT_EQ(changed("ENV PATH=$PATH:/more").environment, (Strings{"PATH=/bin:/more", "A=old"}));
}

TEST(ImageChanges, AnInstructionMaySayMoreThanOneThing) {
    EXPECT_EQ(changed("LABEL a=\"x y\" b=2").labels, (StringMap{{"a", "x y"}, {"b", "2"}}));
    EXPECT_EQ(changed("EXPOSE 80 81/udp").exposed_ports, (Strings{"80/tcp", "81/udp"}));
    EXPECT_EQ(changed("VOLUME [\"/a\",\"/b\"]").volumes, (Strings{"/a", "/b"}));
    EXPECT_EQ(changed("VOLUME /a /b").volumes, (Strings{"/a", "/b"}));
    EXPECT_EQ(changed("USER app\nSTOPSIGNAL SIGINT").stop_signal, "SIGINT");
}

TEST(ImageChanges, AWorkingDirectoryBeginsAtTheImages) {
    EXPECT_EQ(changed("WORKDIR sub").working_dir, "/app/sub");
    EXPECT_EQ(changed("WORKDIR /other/").working_dir, "/other");
    EXPECT_EQ(with_changes({}, {"WORKDIR a", "WORKDIR b"}).working_dir, "/a/b");
}

TEST(ImageChanges, CommandsAreWordsOrTheShells) {
    EXPECT_EQ(changed("CMD [\"cat\", \"/x\"]").command, (Strings{"cat", "/x"}));
    EXPECT_EQ(changed("CMD echo hello").command, (Strings{"/bin/sh", "-c", "echo hello"}));
    EXPECT_EQ(changed("ENTRYPOINT [\"cat\"]").command, Strings()) << "it was the old one's";
    EXPECT_EQ(with_changes({}, {"CMD [\"a\"]", "ENTRYPOINT [\"b\"]"}).command, Strings{"a"});
}

TEST(ImageChanges, TriggersAndChecksToo) {
    EXPECT_EQ(changed("ONBUILD RUN make").on_build, Strings{"RUN make"});
    const auto check = changed("HEALTHCHECK --retries=2 CMD true").healthcheck;
    ASSERT_TRUE(check);
    EXPECT_EQ(check->test, (Strings{"CMD-SHELL", "true"}));
    EXPECT_EQ(check->retries, 2);
}

TEST(ImageChanges, WhatIsNoneIsRefusedWithTheInstruction) {
    for (const auto& [change, why] : StringMap{
             {"STOPSIGNAL SIGFOO", "`SIGFOO` is not a signal"},
             {"ENV", "ENV needs a name and a value"},
             {"ENV ", "ENV needs a name and a value"},
             {"WORKDIR", "WORKDIR needs an argument"},
             {"WORKDIR $NONE", "WORKDIR is empty"},
             {"EXPOSE web", "`web` is not a port"},
             {"RUN make", "there are CMD,"},
             {"FROM scratch", "there are CMD,"},
             {"ENVV A=1", "unknown instruction `ENVV`: did you mean `ENV`?"},
             {"", "it is no instruction"},
         }) {
        testing::internal::CaptureStderr();
        EXPECT_THROW(static_cast<void>(changed(change)), Exit) << change;
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_NE(said.find("--change \"" + change + "\": " + why), std::string::npos) << said;
    }
}

}  // namespace
}  // namespace stack::cli
