// What is said of a command line that nobody understands.

#include "cli/usage.h"

#include "cli/cli11.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

class Usage : public testing::Test {
  protected:
    Usage() {
        app_.require_subcommand(0, 1);
        CLI::App* up = app_.add_subcommand("up", "");
        up->add_option("SERVICE", services_, "");
        up->add_flag("--detach", detach_, "");
        up->add_option("--timeout", timeout_, "");
        CLI::App* image = app_.add_subcommand("image", "");
        image->require_subcommand(1);
        app_.add_subcommand("build", "")->add_option("SERVICE", services_, "");
        image->add_subcommand("ls", "");
        image->add_subcommand("rm", "")->add_option("IMAGE", services_, "")->required();
    }

    std::string complaint(std::vector<std::string> words) {
        std::reverse(words.begin(), words.end());
        try {
            app_.parse(words);
        } catch (const CLI::ParseError& error) {
            return usage_complaint(app_, error);
        }
        return "";
    }

    CLI::App app_{"", "stack"};
    std::vector<std::string> services_;
    int timeout_ = 0;
    bool detach_ = false;
};

TEST_F(Usage, AnUnknownOptionIsNamedWithItsNeighbour) {
    EXPECT_EQ(complaint({"up", "--detatch"}),
              "stack up: unknown option --detatch; did you mean --detach? (see `stack up --help`)");
    EXPECT_EQ(complaint({"up", "--xyz=3"}),
              "stack up: unknown option --xyz (see `stack up --help`)");
}

TEST_F(Usage, AnUnknownCommandToo) {
    EXPECT_EQ(complaint({"upp"}),
              "stack: unknown command upp; did you mean up? (see `stack --help`)");
    EXPECT_EQ(complaint({"image", "list"}),
              "stack image: unknown command list (see `stack image --help`)");
}

TEST_F(Usage, AWordOfDockersIsSaidWithItsPlaceHere) {
    EXPECT_EQ(complaint({"rmi", "busybox"}),
              "stack: unknown command rmi; it is `stack image rm` here (see `stack --help`)");
    EXPECT_EQ(complaint({"compose", "up"}),
              "stack: unknown command compose; leave that word away: `stack up`, `stack ps` … (see "
              "`stack --help`)");
    EXPECT_EQ(complaint({"build", "-t", "mine", "."}),
              "stack build: unknown option -t; an image without a stack file is built by `stack "
              "image build` (see `stack build --help`)");
    EXPECT_EQ(complaint({"image", "rmi"}),
              "stack image: unknown command rmi; did you mean rm? (see `stack image --help`)");
}

TEST_F(Usage, AGroupAloneSaysWhatIsInIt) {
    EXPECT_EQ(complaint({"image"}),
              "stack image: which command? There are ls, rm (see `stack image --help`)");
}

TEST_F(Usage, AWordTooManyIsNamed) {
    EXPECT_EQ(complaint({"image", "ls", "x"}),
              "stack image ls: there is no place for the argument \"x\" (see `stack image ls "
              "--help`)");
}

TEST_F(Usage, WhatIsMissingOrIsNoNumberIsSaidByTheParser) {
    EXPECT_EQ(complaint({"image", "rm"}),
              "stack image rm: IMAGE is required (see `stack image rm --help`)");
    EXPECT_NE(complaint({"up", "--timeout", "soon"}).find("stack up: "), std::string::npos);
}

}  // namespace
}  // namespace stack::cli
