#include "engine/build/key_agent.h"

#include <stack/error.h>

#include "sys/file.h"
#include "sys/poll.h"
#include "sys/process.h"
#include "sys/tree.h"
#include "tests/build/workshop.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::build {
namespace {

void make_key(const std::string& file, const std::string& passphrase) {
    ASSERT_EQ(sys::run_and_capture("/usr/bin/ssh-keygen",
                                   {"ssh-keygen",
                                    "-q",
                                    "-t",
                                    "ed25519",
                                    "-C",
                                    "the key of a test",
                                    "-N",
                                    passphrase,
                                    "-f",
                                    file})
                  .first,
              0);
}

class Keys : public ::testing::Test {
  protected:
    Keys() {
        std::string name = "/tmp/stack-key-test-XXXXXX";
        place_ = ::mkdtemp(name.data());
    }

    ~Keys() override { sys::remove_tree(place_); }

    /// What an agent at the socket says that it has.
    [[nodiscard]] std::string listed() const {
        return sys::run_and_capture(
                   "/bin/sh",
                   {"sh", "-c", "SSH_AUTH_SOCK=" + place_ + "/agent ssh-add -l 2> /dev/null"})
            .second;
    }

    std::string place_;
};

TEST_F(Keys, AreInAnAgentWhileItLives) {
    make_key(place_ + "/key", "");
    {
        const KeyAgent agent(place_ + "/agent", {place_ + "/key"});
        EXPECT_NE(listed().find("the key of a test"), std::string::npos) << listed();
    }
    for (int i = 0; i < 100 && sys::exists(place_ + "/agent"); ++i)
        sys::pause(std::chrono::milliseconds(20));
    EXPECT_EQ(listed(), "");
    EXPECT_FALSE(sys::exists(place_ + "/agent")) << "it takes its socket away";
}

TEST_F(Keys, ThatCannotBeUsedAreNamed) {
    make_key(place_ + "/locked", "a passphrase");
    for (const auto* name : {"/locked", "/none"}) {
        try {
            const KeyAgent agent(place_ + name + ".agent", {place_ + name});
            FAIL() << name;
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(place_ + name + " cannot be used"),
                      std::string::npos)
                << error.what();
        }
    }
}

TEST_F(Keys, ReachAStep) {
    ASSERT_EQ(::geteuid(), 0U) << "this test runs as root";
    make_key(place_ + "/key", "");
    BuildBed shop;
    shop.options.ssh = {"default=" + place_ + "/key"};
    const auto built = shop.build(
        "FROM busybox\nRUN --mount=type=ssh [ -S $SSH_AUTH_SOCK ] && echo yes > /seen\n");
    ASSERT_NE(built.image_id, "") << built.failure;
    EXPECT_EQ(shop.read("seen"), "yes\n");
    shop.options.ssh = {"default=" + place_ + "/none"};
    const auto refused = shop.build("FROM busybox\nRUN --mount=type=ssh true\n");
    ASSERT_EQ(refused.diagnostics.size(), 1U);
    EXPECT_EQ(refused.diagnostics[0].message,
              "the ssh agent `default` is " + place_ + "/none, where nothing is");
}

}  // namespace
}  // namespace stack::build
