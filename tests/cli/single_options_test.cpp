#include "cli/single_options.h"

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <set>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

std::vector<std::string> names_of(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options()) {
        for (const auto& name : option->get_snames())
            names.push_back("-" + name);
        for (const auto& name : option->get_lnames())
            names.push_back("--" + name);
    }
    return names;
}

TEST(DeclareApart, AddsBehindWhatIsThere) {
    CLI::App app;
    app.set_help_flag();
    bool first = false;
    bool second = false;
    app.add_flag("--first", first);
    declare_apart(app, [&] { app.add_flag("-s,--second", second); });
    EXPECT_EQ(names_of(app), (std::vector<std::string>{"--first", "-s", "--second"}));
    app.parse("-s --first", false);
    EXPECT_TRUE(first && second);
}

/// Those of one command, whose CLI11 compares few of them.
TEST(SingleOptions, HaveANameEach) {
    for (auto* const add : {add_container_run, add_container_create}) {
        CLI::App app;
        Context context;
        add(app, context);
        const auto names = names_of(app);
        EXPECT_GT(names.size(), 100U);
        EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
    }
}

}  // namespace
}  // namespace stack::cli
