// --dry-run of the verbs on images, volumes, networks and containers: nothing changes.

#include "tests/integration/world.h"

#include <map>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class DryRun : public testing::Test {
  protected:
    void SetUp() override { import_busybox(stack_); }

    void TearDown() override {
        static_cast<void>(stack_.run({"volume", "rm", "-f", "data"}));
        static_cast<void>(stack_.run({"network", "prune", "-f"}));
        expect_nothing_left(stack_);
    }

    [[nodiscard]] Result dry(std::vector<std::string> words) const {
        words.insert(words.begin(), "--dry-run");
        return stack_.run(std::move(words));
    }

    StackProgram stack_;
};

TEST_F(DryRun, SaysWhatItWouldDoAndDoesNothing) {
    stack_.must({"volume", "create", "data"});
    stack_.must({"network", "create", "mine"});

    struct Case {
        std::vector<std::string> words;
        std::string says;
    };

    for (const auto& [words, says] : {
             Case{{"volume", "create", "more"}, "#0 create volume/more: asked for\n"},
             Case{{"volume", "rm", "data"}, "#0 remove volume/data: asked for\n"},
             Case{{"volume", "prune", "-a"}, "#0 remove volume/data: asked for\n"},
             Case{{"network", "create", "other"}, "#0 create network/other: asked for\n"},
             Case{{"network", "rm", "mine"}, "#0 remove network/mine: asked for\n"},
             Case{{"network", "prune"}, "#0 remove network/mine: asked for\n"},
             Case{{"image", "tag", "busybox", "box"}, "tag image/busybox as box\n"},
             Case{{"image", "rm", "busybox"}, "remove image/busybox\n"},
             Case{{"image", "pull", "nginx"}, "#0 pull image/nginx: asked for\n"},
             Case{{"image", "push", "busybox"}, "push image/busybox\n"},
         }) {
        const Result told = dry(words);
        EXPECT_EQ(told.out, says) << told.err;
        EXPECT_EQ(told.status, 2) << says;
    }
    EXPECT_EQ(stack_.must({"volume", "ls", "-q"}), "data\n");
    EXPECT_EQ(stack_.must({"network", "ls", "-f", "type=custom", "--format", "{{.Name}}"}),
              "mine\n");
    EXPECT_EQ(stack_.must({"image", "ls", "--format", "{{.Repository}}"}), "busybox\n");
    EXPECT_EQ(dry({"volume", "rm", "-f", "none"}).status, 0);
    EXPECT_EQ(dry({"volume", "rm", "none"}).status, 1);
}

TEST_F(DryRun, AServiceMayBeCalledAsACommandIs) {
    stack_.write("compose.yaml", "name: shop\nservices:\n  build: {image: busybox}\n");
    const Result told = dry({"up", "build"});
    EXPECT_NE(told.out.find("start container/shop-build-1"), std::string::npos) << told.err;
    EXPECT_EQ(told.status, 2);
}

TEST_F(DryRun, ShowsThePlanInTheFormThatItIsAskedFor) {
    stack_.write("compose.yaml", "name: shop\nservices:\n  web: {image: busybox}\n");
    for (const auto& [form, begin] : std::map<std::string, std::string>{{"json", "{"},
                                                                        {"dot", "digraph"},
                                                                        {"mermaid", "flowchart"},
                                                                        {"svg", "<svg"},
                                                                        {"text", "#0 "},
                                                                        {"true", "#0 "}})
        for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
                 {"up"}, {"create"}, {"scale", "web=2"}, {"volume", "create", "data"}}) {
            std::vector<std::string> all{"--dry-run=" + form};
            all.insert(all.end(), words.begin(), words.end());
            const Result told = stack_.run(all);
            EXPECT_EQ(told.out.substr(0, begin.size()), begin) << form << ": " << told.err;
            EXPECT_EQ(told.status, 2) << form;
        }
    const Result unknown = stack_.run({"--dry-run=pdf", "up"});
    EXPECT_EQ(unknown.status, 1);
    EXPECT_NE(unknown.err.find("not \"pdf\""), std::string::npos) << unknown.err;
}

TEST_F(DryRun, MayStandBehindTheCommand) {
    stack_.write("compose.yaml", "name: shop\nservices:\n  web: {image: busybox}\n");
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"up", "--dry-run"}, {"create", "web", "--dry-run"}, {"watch", "--dry-run"}}) {
        const Result told = stack_.run(words);
        EXPECT_NE(told.out.find("create container/shop-web-1"), std::string::npos) << told.err;
        EXPECT_EQ(told.status, 2) << words.front();
    }
    const Result nothing = stack_.run({"watch", "--no-up", "--dry-run"});
    EXPECT_EQ(nothing.out, "nothing to do\n");
    EXPECT_EQ(nothing.status, 0);
    EXPECT_EQ(stack_.run({"exec", "--dry-run", "web", "true"}).status, 1);
}

TEST_F(DryRun, IsRefusedWhereNothingCanBeSaidBeforehand) {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"container", "run", "busybox"}, {"image", "load"}, {"system", "prune"}}) {
        const Result refused = dry(words);
        EXPECT_EQ(refused.status, 1);
        EXPECT_NE(refused.err.find("has no --dry-run"), std::string::npos) << refused.err;
    }
}

}  // namespace
}  // namespace stack::test
