// What an image says of itself, in its configuration and its manifest, gives no orders (security.md
// 2I).

#include "tests/integration/image_layout.h"
#include "tests/integration/world.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;

class Metadata : public testing::Test {
  protected:
    void SetUp() override {
        import_probed(stack_);
        const fs::path place = fs::path(stack_.directory()) / "layout";
        fs::remove_all(place);
        stack_.must({"image", "save", "-o", "oci:" + place.string(), "probed"});
        // Names and values that engines have obeyed: CVE-2026-53488, CVE-2026-53492,
        // CVE-2026-94603, CVE-2026-57231.
        const Json orders = {{"com.docker.compose.project", "shop"},
                             {"com.docker.compose.service", "web"},
                             {"com.docker.compose.container-number", "1"},
                             {"io.containers.autoupdate", "registry"},
                             {"nerdctl/log-uri", "binary:///bin/sh"},
                             {"io.podman.annotations.privileged", "TRUE"},
                             {"io.podman.annotations.seccomp", "unconfined"},
                             {"io.kubernetes.cri-o.Devices", "/dev/sda"},
                             {"io.kubernetes.cri-o.userns-mode", "host"},
                             {"org.criu.config", "/evil"},
                             {"run.oci.keep_original_groups", "1"}};
        const ImageLayout layout(place);
        layout.annotate(orders);
        const Json config = {{"Labels", orders},
                             {"Env",
                              {"PATH=/bin",
                               "STACK_CANARY",
                               "*",
                               "HOME",
                               "=x",
                               "TWICE=1",
                               "TWICE=2",
                               "LD_PRELOAD=/evil.so",
                               "STACK_LIBEXEC=/evil"}}};
        layout.change_config([&](Json& whole) { whole["config"] = config; });
        stack_.must({"image", "import", "oci:" + place.string(), "hostile"});
    }

    void TearDown() override { expect_nothing_left(stack_); }

    /// With something in the environment that is nobody's but the host's.
    [[nodiscard]] std::string ran(const std::vector<std::string>& words) const {
        std::vector<std::string> all{"container", "run", "--rm", "--network", "none"};
        all.insert(all.end(), words.begin(), words.end());
        const Result result = stack_.run(all, {{"STACK_CANARY", "secret"}});
        EXPECT_EQ(result.status, 0) << result.err;
        return result.out;
    }

    /// All that the probe finds but the variables' names.
    [[nodiscard]] std::string isolation_of(const std::string& image) const {
        std::string facts = ran({image, "/probe"});
        const auto begin = facts.find("\nvariables: ");
        EXPECT_NE(begin, std::string::npos) << facts;
        return facts.erase(begin, facts.find('\n', begin + 1) - begin);
    }

    StackProgram stack_;
};

TEST_F(Metadata, ChangesNothingOfTheIsolation) {
    EXPECT_EQ(isolation_of("hostile"), isolation_of("probed"));
}

TEST_F(Metadata, GetsNoVariableOfTheHost) {
    const std::string variables = ran({"hostile", "env"});
    EXPECT_EQ(variables.find("secret"), std::string::npos) << variables;
    EXPECT_EQ(variables.find("STACK_CANARY"), std::string::npos) << variables;
    EXPECT_EQ(variables.find("*"), std::string::npos) << variables;
    EXPECT_EQ(variables.find("TWICE=1"), std::string::npos) << variables;
    EXPECT_NE(variables.find("TWICE=2\n"), std::string::npos) << variables;
    EXPECT_NE(variables.find("HOME=/root\n"), std::string::npos) << variables;
}

TEST_F(Metadata, PutsAContainerIntoNoStack) {
    stack_.must({"container",
                 "run",
                 "-d",
                 "--name",
                 "alone",
                 "--network",
                 "none",
                 "hostile",
                 "sleep",
                 "1000"});
    EXPECT_EQ(stack_.run({"-p", "shop", "ps", "-aq"}).out, "");
    EXPECT_EQ(stack_.must(
                  {"container", "ls", "-aq", "--filter", "label=com.docker.compose.project=shop"}),
              "");
    EXPECT_EQ(stack_.must({"container",
                           "inspect",
                           "-f",
                           "{{index .Config.Labels \"io.containers.autoupdate\"}}",
                           "alone"}),
              "registry\n")
        << "what concerns nobody here is kept";
    static_cast<void>(stack_.run({"-p", "shop", "down", "-t", "0"}));
    EXPECT_NE(stack_.must({"container", "ls", "-q"}), "") << "another stack's `down` took it";
    stack_.must({"container", "rm", "-f", "alone"});
}

}  // namespace
}  // namespace stack::test
