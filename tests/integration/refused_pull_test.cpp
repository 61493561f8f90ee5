// A registry that does not give the image: what `up` says, word for word; nothing has changed.

#include "tests/integration/world.h"

#include <regex>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class RefusedPull : public testing::Test {
  protected:
    /// A real registry on the sandbox's loopback, at `address`; `auth` is that section of its
    /// configuration.
    void serve(const std::string& address, const std::string& auth) {
        stack_.write("registry.yml",
                     "version: 0.1\nstorage: {filesystem: {rootdirectory: " + stack_.directory() +
                         "/registry}}\nhttp: {addr: '" + address + "'}\n" + auth);
        const Result served =
            run({.words = {"sh", "-c", "docker-registry serve registry.yml > registry.log 2>&1 &"},
                 .directory = stack_.directory()});
        ASSERT_EQ(served.status, 0) << served.err;
        ASSERT_TRUE(eventually([&] { return !fetch("http://" + address + "/v2/").empty(); }));
    }

    void expect_refused(const std::string& image, const std::string& said) {
        stack_.write("compose.yaml", "name: shop\nservices:\n  web: {image: '" + image + "'}\n");
        const Result result = stack_.run({"--progress", "quiet", "up", "-d"});
        EXPECT_EQ(result.status, 1);
        EXPECT_EQ(result.out, "");
        // How long a refusal took is nobody's golden text.
        EXPECT_EQ(std::regex_replace(result.err, std::regex(" after [0-9]+ ms"), ""), said);
        EXPECT_TRUE(containers(stack_).empty());
        stack_.must({"down"});
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(RefusedPull, NobodyListens) {
    expect_refused("127.0.0.1:5999/tools/shell:1",
                   "stack: registry 127.0.0.1:5999 cannot be reached (http://127.0.0.1:5999: "
                   "Failed to connect to 127.0.0.1 port 5999: Couldn't connect to server; "
                   "https://127.0.0.1:5999: Failed to connect to 127.0.0.1 port 5999: Couldn't "
                   "connect to server): check the network, or name a mirror in registries.json\n");
}

TEST_F(RefusedPull, ALoginIsWanted) {
    constexpr const char* any_bcrypt_hash =
        "keeper:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n";
    stack_.write("htpasswd", any_bcrypt_hash);
    serve("127.0.0.1:5000",
          "auth: {htpasswd: {realm: keepers, path: " + stack_.directory() + "/htpasswd}}\n");
    expect_refused("127.0.0.1:5000/tools/shell:1",
                   "stack: pull access denied for 127.0.0.1:5000/tools/shell:1 at 127.0.0.1:5000, "
                   "asked as nobody: the repository does not exist, or needs another login "
                   "(`stack login 127.0.0.1:5000`) (\"authentication required\")\n");
}

TEST_F(RefusedPull, TheImageIsUnknown) {
    serve("127.0.0.1:5001", "");
    expect_refused("127.0.0.1:5001/tools/shell:1",
                   "stack: tag 1 of image 127.0.0.1:5001/tools/shell:1 is not found at "
                   "127.0.0.1:5001 (\"manifest unknown\")\n");
}

}  // namespace
}  // namespace stack::test
