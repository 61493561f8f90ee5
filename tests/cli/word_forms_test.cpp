// What docker's parser takes, in forms that ours takes.

#include "cli/word_forms.h"

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/context.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

class WordForms : public testing::Test {
  protected:
    WordForms() {
        app_.add_option("-f,--file", file_)->allow_extra_args(false);
        CLI::App* run = app_.add_subcommand("run", "");
        run->set_help_flag("--help");
        run->positionals_at_end(true);
        run->add_option("IMAGE", image_);
        run->add_option("COMMAND", command_);
        run->add_option("-h,--hostname", host_);
        run->add_option("--entrypoint", entrypoint_);
        run->add_option("-e,--env", environment_)->allow_extra_args(false);
        run->add_flag("-i,--interactive", interactive_);
        run->add_flag("-t,--tty", terminal_);
        run->add_flag("-q", quiet_);
        CLI::App* group = app_.add_subcommand("container", "");
        CLI::App* rm = group->add_subcommand("rm", "");
        rm->add_option("CONTAINER", command_);
        rm->add_flag("-f,--force", force_);
    }

    Strings known(const Strings& words) { return in_known_forms(app_, words); }

    void parse(const Strings& words) {
        Strings forms = known(words);
        std::reverse(forms.begin(), forms.end());
        app_.parse(forms);
    }

    CLI::App app_{"", "stack"};
    std::string image_;
    std::string host_;
    std::string entrypoint_ = "unset";
    Strings file_;
    Strings command_;
    Strings environment_;
    bool interactive_ = false;
    bool terminal_ = true;
    bool quiet_ = false;
    bool force_ = false;
};

TEST_F(WordForms, AValueMayStandBehindAnEqualsSign) {
    EXPECT_EQ(known({"-f=a.yaml", "run", "-h=hh", "-e=A=5", "-ith=other", "x"}),
              (Strings{"-fa.yaml", "run", "-hhh", "-eA=5", "-ithother", "x"}));
    EXPECT_EQ(known({"run", "-e=-x"}), (Strings{"run", "-e-x"}));
    EXPECT_EQ(known({"run", "-e=", "x"}), (Strings{"run", "-e=", "x"})) << "as docker's has it";
}

TEST_F(WordForms, AFlagMayBeSetSo) {
    EXPECT_EQ(known({"run", "-i=false", "x"}), (Strings{"run", "--interactive=false", "x"}));
    EXPECT_EQ(known({"run", "-it=false", "x"}), (Strings{"run", "-i", "--tty=false", "x"}));
    EXPECT_EQ(known({"run", "-q=true", "-q=false", "x"}), (Strings{"run", "-q", "x"}));
    EXPECT_EQ(known({"container", "rm", "a", "-f=true"}),
              (Strings{"container", "rm", "a", "--force=true"}));
}

TEST_F(WordForms, AnEmptyValueIsAWord) {
    EXPECT_EQ(known({"run", "--entrypoint=", "x"}), (Strings{"run", "--entrypoint", "", "x"}));
    EXPECT_EQ(known({"run", "--tty=", "x"}), (Strings{"run", "--tty=", "x"}));
}

TEST_F(WordForms, WhatIsNoOptionStays) {
    for (const Strings& words : {
             Strings{"run", "--entrypoint", "-h=x", "-e", "-i=false", "-ite", "-q=false", "x"},
             Strings{"run", "x", "sh", "-e=1", "-i=false"},
             Strings{"run", "--", "-i=false"},
             Strings{"run", "-x=1", "-=", "-", "--nobody=", "x"},
             Strings{"container", "rm", "--", "-f=true"},
             Strings{"nobody", "-z=x", "--tty=false"},
         })
        EXPECT_EQ(known(words), words);
}

TEST_F(WordForms, TheParserTakesThem) {
    parse({"-f=a", "run", "-it=false", "-h=hh", "-e=A=5", "-e=B", "--entrypoint=", "x", "-e=C"});
    EXPECT_EQ(file_, Strings{"a"});
    EXPECT_TRUE(interactive_);
    EXPECT_FALSE(terminal_);
    EXPECT_EQ(host_, "hh");
    EXPECT_EQ(environment_, (Strings{"A=5", "B"}));
    EXPECT_EQ(entrypoint_, "");
    EXPECT_EQ(image_, "x");
    EXPECT_EQ(command_, Strings{"-e=C"});
}

TEST(WordFormsOfCommands, ThoseOfRunAreKnown) {
    CLI::App app;
    Context context;
    add_container_run(*app.add_subcommand("run"), context);
    EXPECT_EQ(in_known_forms(app, {"run", "-m=64m", "-dP=true", "-v=v1:/d", "x", "-m=1"}),
              (Strings{"run", "-m64m", "-d", "--publish-all=true", "-vv1:/d", "x", "-m=1"}));
}

TEST_F(WordForms, ACommandMayDeclareItsOptionsLate) {
    CLI::App* late = app_.add_subcommand("late", "");
    int declared = 0;
    late->preparse_callback([&](std::size_t) {
        ++declared;
        late->add_option("-w,--workdir", host_);
    });
    parse({"late", "-w=/etc"});
    EXPECT_EQ(host_, "/etc");
    EXPECT_EQ(declared, 1);
}

}  // namespace
}  // namespace stack::cli
