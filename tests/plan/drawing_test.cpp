// A plan's drawings.

#include <stack/plan.h>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

PlannedAction planned(Action action, std::string resource, std::string reason) {
    PlannedAction planned;
    planned.action = std::move(action);
    planned.resource = std::move(resource);
    planned.reason = std::move(reason);
    return planned;
}

/// One goes, whatever comes of its stop, and another is made.
Plan small() {
    Plan plan;
    plan.actions.push_back(planned(StopContainer{}, "container/a", "scaled \"down\""));
    plan.actions.push_back(planned(RemoveContainer{}, "container/a", "scaled down"));
    plan.actions.back().after = {0};
    plan.actions.back().tolerates = {0};
    plan.actions.push_back(planned(UpdateContainer{}, "container/b", "limits changed"));
    plan.actions.back().changes = {{"environment.A", "<1>", "2\n#"}};
    return plan;
}

TEST(Drawing, ForGraphviz) {
    EXPECT_EQ(to_dot(small()),
              R"(digraph plan {
  rankdir=LR;
  node [shape=box];
  n0 [label="stop container/a\lscaled \"down\"\l"];
  n1 [label="remove container/a\lscaled down\l"];
  n0 -> n1 [style=dashed];
  n2 [label="update container/b\llimits changed\lenvironment.A: <1> -> 2 #\l"];
}
)");
}

TEST(Drawing, ForMermaid) {
    EXPECT_EQ(to_mermaid(small()),
              R"(flowchart LR
  n0["stop container/a<br/>scaled #quot;down#quot;"]
  n1["remove container/a<br/>scaled down"]
  n0 -.-> n1
  n2["update container/b<br/>limits changed<br/>environment.A: #lt;1> -> 2 #35;"]
)");
}

TEST(Drawing, HasABoxForEachActionToTheRightOfWhatItWaitsFor) {
    const std::string svg = to_svg(small());
    const auto has = [&](const std::string& text) {
        EXPECT_NE(svg.find(text), std::string::npos) << text << "\n" << svg;
    };
    has("<rect x=\"20\" y=\"20\"");  // the two that wait for nothing, one below the other
    has("<rect x=\"20\" y=\"82\"");
    has("<rect x=\"300\" y=\"20\"");  // behind the wider of those, and the gap
    has("<path class=\"failure\" d=\"M168 41C234 41 234 41 300 41\"");
    has(">environment.A: &lt;1&gt; -&gt; 2 #</text>");
}

TEST(Drawing, SaysThatThereIsNothingToDo) {
    EXPECT_NE(to_svg(Plan()).find(">nothing to do</text>"), std::string::npos);
}

}  // namespace
}  // namespace stack::test
