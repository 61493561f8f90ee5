// Out of the store: pushes to a real registry, archives, and what other programs read of them.

#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <filesystem>
#include <map>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// Registries of one test: an open one and one that asks who comes.
class Push : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        registry("open", 5000, "");
        registry("closed",
                 5001,
                 "\nauth: {htpasswd: {realm: r, path: " + stack_.directory() + "/htpasswd}}");
        // stack:secret, by bcrypt
        stack_.write("htpasswd", "stack:$2y$05$" + std::string(bcrypt_of_secret) + "\n");
        EXPECT_TRUE(eventually([] { return !fetch("http://127.0.0.1:5000/v2/").empty(); }));
        EXPECT_TRUE(eventually([] { return !fetch("http://127.0.0.1:5001/v2/").empty(); }));
    }

    void registry(const std::string& name, int port, const std::string& more) {
        stack_.write(name + ".yml",
                     "version: 0.1\nstorage: {filesystem: {rootdirectory: " + stack_.directory() +
                         "/" + name + "}}\nhttp: {addr: '127.0.0.1:" + std::to_string(port) + "'}" +
                         more + "\n");
        must("docker-registry serve " + name + ".yml > " + name + ".log 2>&1 &");
    }

    std::string must(const std::string& script) const {
        const Result result = run({.words = {"sh", "-c", script}, .directory = stack_.directory()});
        EXPECT_EQ(result.status, 0) << script << "\n" << result.out << result.err;
        return result.out;
    }

    /// Every name, mode, owner, size, time and content of an unpacked image.
    std::string listing(const std::string& root) const {
        return must("cd " + root +
                    " && find . -mindepth 1 -printf '%P %y %m %U %G %T@ %l\\n' | "
                    "sed 's/\\.0000000000//' | sort && "
                    "find . -type f | sort | xargs sha256sum");
    }

    std::string unpacked_by_umoci(const std::string& layout, const std::string& name) const {
        must("umoci unpack --image " + layout + ":" + name + " bundle-" + layout + "-" + name +
             " 2> umoci.log");
        return listing("bundle-" + layout + "-" + name + "/rootfs");
    }

    static constexpr const char* bcrypt_of_secret =
        "abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    StackProgram stack_;
};

TEST_F(Push, SendsWhatOthersReadAsItWas) {
    stack_.must({"image", "tag", "busybox", "127.0.0.1:5000/tools/box:1"});
    stack_.must({"image", "push", "127.0.0.1:5000/tools/box:1"});
    must(
        "skopeo copy --quiet --insecure-policy --src-tls-verify=false "
        "docker://127.0.0.1:5000/tools/box:1 oci:pulled:1");
    must("mkdir original && tar -C original -xf " + sandbox_directory() + "/busybox/root.tar");
    EXPECT_EQ(unpacked_by_umoci("pulled", "1"), listing("original"));
}

TEST_F(Push, SendsWhatABuildSaysOfTheImage) {
    stack_.write("Dockerfile", "FROM busybox\nRUN echo made > /here\n");
    stack_.must({"image",
                 "build",
                 "-q",
                 "-t",
                 "127.0.0.1:5000/tools/said:1",
                 "--annotation",
                 "manifest:org.example.a=b=c",
                 "--output",
                 "type=registry,annotation.org.example.d=e",
                 "--metadata-file",
                 "told",
                 "."});
    const std::string manifest = must(
        "skopeo inspect --raw --tls-verify=false docker://127.0.0.1:5000/tools/said:1 | tee raw");
    EXPECT_NE(manifest.find(R"("org.example.a":"b=c")"), std::string::npos) << manifest;
    EXPECT_NE(manifest.find(R"("org.example.d":"e")"), std::string::npos) << manifest;
    must("grep -q containerimage.digest.*$(sha256sum < raw | cut -c -64) told");
    for (const auto& [option, text] : std::map<std::string, std::string>{
             {"--annotation", "index:a=b"}, {"--output", "type=image,annotation-index.a=b"}}) {
        const auto refused = stack_.run({"image", "build", option, text, "."});
        EXPECT_NE(refused.status, 0);
        EXPECT_NE(refused.err.find("has no index"), std::string::npos) << refused.err;
    }
}

TEST_F(Push, KeepsTheDigestsOfWhatWasPulled) {
    must(
        "umoci init --layout image && umoci new --image image:one && mkdir -p files && "
        "echo hello > files/greeting && umoci insert --image image:one files /files && "
        "skopeo copy --quiet --insecure-policy --dest-tls-verify=false oci:image:one "
        "docker://127.0.0.1:5000/tools/one:1");
    stack_.must({"image", "pull", "127.0.0.1:5000/tools/one:1"});
    stack_.must({"image", "tag", "127.0.0.1:5000/tools/one:1", "127.0.0.1:5000/other/two:2"});
    stack_.must({"image", "push", "127.0.0.1:5000/other/two:2"});
    const auto raw = [&](const std::string& name) {
        return must("skopeo inspect --raw --tls-verify=false docker://127.0.0.1:5000/" + name);
    };
    EXPECT_EQ(raw("tools/one:1"), raw("other/two:2"));
    EXPECT_NE(must("cat open.log").find("mount="), std::string::npos)
        << "the layer was there, in another repository";
}

TEST_F(Push, SendsAndTakesEveryTagOfAName) {
    for (const auto* tag : {"1", "2"})
        stack_.must({"image", "tag", "busybox", std::string("127.0.0.1:5000/tools/many:") + tag});
    stack_.must({"image", "push", "-q", "-a", "127.0.0.1:5000/tools/many"});
    for (const auto* tag : {"1", "2"})
        stack_.must({"image", "rm", std::string("127.0.0.1:5000/tools/many:") + tag});
    EXPECT_EQ(stack_.must({"image", "pull", "-q", "-a", "127.0.0.1:5000/tools/many"}),
              "127.0.0.1:5000/tools/many:1\n127.0.0.1:5000/tools/many:2\n");
    EXPECT_EQ(stack_.run({"image", "pull", "-a", "127.0.0.1:5000/tools/many:1"}).status, 1);
}

TEST_F(Push, SendsNothingTwice) {
    stack_.must({"image", "tag", "busybox", "127.0.0.1:5000/tools/box:1"});
    stack_.must({"image", "push", "127.0.0.1:5000/tools/box:1"});
    const std::string uploads = must("grep -c '\"PUT /v2/.*/blobs/' open.log");
    stack_.must({"image", "push", "127.0.0.1:5000/tools/box:1"});
    EXPECT_EQ(must("grep -c '\"PUT /v2/.*/blobs/' open.log"), uploads);
}

TEST_F(Push, ToARegistryThatAsksWhoComes) {
    stack_.must({"image", "tag", "busybox", "127.0.0.1:5001/tools/box:1"});
    const Result nobody = stack_.run({"image", "push", "127.0.0.1:5001/tools/box:1"});
    EXPECT_EQ(nobody.status, 1);
    EXPECT_NE(nobody.err.find("stack login 127.0.0.1:5001"), std::string::npos) << nobody.err;

    const Result wrong =
        stack_.run({"login", "127.0.0.1:5001", "-u", "stack", "--password-stdin"}, {}, "wrong\n");
    EXPECT_EQ(wrong.status, 1) << wrong.err;
    EXPECT_NE(run({"sh", "-c", "test -e $HOME/.docker/config.json"}).status, 0)
        << "what the registry does not take is not kept";

    const Result right =
        stack_.run({"login", "127.0.0.1:5001", "-u", "stack", "--password-stdin"}, {}, "secret\n");
    EXPECT_EQ(right.status, 0) << right.err;
    EXPECT_EQ(must("stat -c %a $HOME/.docker/config.json"), "600\n");
    stack_.must({"image", "push", "127.0.0.1:5001/tools/box:1"});
    stack_.must({"image", "rm", "127.0.0.1:5001/tools/box:1"});
    stack_.must({"image", "pull", "127.0.0.1:5001/tools/box:1"});
    stack_.must({"logout", "127.0.0.1:5001"});
    EXPECT_EQ(stack_.run({"image", "push", "127.0.0.1:5001/tools/box:1"}).status, 1);
}

TEST_F(Push, AnUpPullsWithTheCredentialsOfWhoeverAsks) {
    const std::map<std::string, std::string> known{
        {"DOCKER_CONFIG", stack_.directory() + "/known"}};
    EXPECT_EQ(
        stack_
            .run({"login", "127.0.0.1:5001", "-u", "stack", "--password-stdin"}, known, "secret\n")
            .status,
        0);
    stack_.must({"image", "tag", "busybox", "127.0.0.1:5001/tools/box:2"});
    EXPECT_EQ(stack_.run({"image", "push", "127.0.0.1:5001/tools/box:2"}, known).status, 0);
    stack_.must({"image", "rm", "127.0.0.1:5001/tools/box:2"});
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n"
                 "  here: {image: busybox, command: sleep 1000}\n"
                 "  web: {image: '127.0.0.1:5001/tools/box:2', command: sleep 1000}\n");
    stack_.must({"up", "-d", "here"});  // whose supervisor lives on, and knows nobody
    EXPECT_EQ(stack_.run({"up", "-d"}).status, 1);
    const Result result = stack_.run({"up", "-d"}, known);
    EXPECT_EQ(result.status, 0) << result.err;
    stack_.must({"down", "-t", "0"});
}

TEST_F(Push, UsesTheCredentialHelperThatIsConfigured) {
    must(
        "mkdir -p bin && cat > bin/docker-credential-box <<'END'\n"
        "#!/bin/sh\n"
        "case $1 in\n"
        "get) read url; echo \"asked for $url\" >> $HOME/helper.log\n"
        "     printf '{\"Username\": \"stack\", \"Secret\": \"secret\"}';;\n"
        "esac\n"
        "END\n"
        "chmod +x bin/docker-credential-box && mkdir -p $HOME/.docker && "
        "echo '{\"credHelpers\": {\"127.0.0.1:5001\": \"box\"}, \"kept\": 1}' > "
        "$HOME/.docker/config.json");
    stack_.must({"image", "tag", "busybox", "127.0.0.1:5001/tools/box:1"});
    const std::string path = stack_.directory() + "/bin:" + std::getenv("PATH");
    const Result pushed =
        stack_.run({"image", "push", "127.0.0.1:5001/tools/box:1"}, {{"PATH", path}});
    EXPECT_EQ(pushed.status, 0) << pushed.err;
    EXPECT_EQ(must("sort -u $HOME/helper.log"), "asked for 127.0.0.1:5001\n");
    const Result missing = stack_.run({"image", "push", "127.0.0.1:5001/tools/box:1"});
    EXPECT_EQ(missing.status, 1);
    EXPECT_NE(missing.err.find("docker-credential-box"), std::string::npos) << missing.err;
}

TEST_F(Push, OfAStackSendsWhatItBuilds) {
    stack_.write("Dockerfile", "FROM busybox\nRUN echo built > /built\n");
    stack_.write("compose.yaml", R"(
name: shop
services:
  web: {build: ., image: "127.0.0.1:5000/shop/web:1"}
  nameless: {build: .}
  other: {image: busybox}
)");
    stack_.must({"build"});
    const Result pushed = stack_.run({"push"});
    EXPECT_EQ(pushed.status, 0) << pushed.err;
    EXPECT_NE(pushed.err.find("nameless"), std::string::npos) << pushed.err;
    must(
        "skopeo copy --quiet --insecure-policy --src-tls-verify=false "
        "docker://127.0.0.1:5000/shop/web:1 oci:pulled:1");
    EXPECT_NE(unpacked_by_umoci("pulled", "1").find("built f 644"), std::string::npos);
}

TEST_F(Push, AnArchiveIsReadByOthersAndByUs) {
    stack_.must({"image", "save", "busybox", "-o", stack_.directory() + "/box.tar"});
    stack_.must({"image", "save", "busybox", "-o", "oci:" + stack_.directory() + "/layout"});
    must(
        "skopeo copy --quiet --insecure-policy docker-archive:box.tar:busybox:latest oci:a:1 && "
        "skopeo copy --quiet --insecure-policy oci-archive:box.tar oci:b:1 && "
        "skopeo copy --quiet --insecure-policy oci:layout oci:c:1");
    const std::string files = unpacked_by_umoci("a", "1");
    EXPECT_EQ(unpacked_by_umoci("b", "1"), files);
    EXPECT_EQ(unpacked_by_umoci("c", "1"), files);

    const std::map<std::string, std::string> elsewhere{
        {"STACK_ROOT", stack_.directory() + "/elsewhere"}};
    const auto in = [&](std::vector<std::string> words) {
        words.insert(words.begin(), {std::string(STACK_BINARY_DIR) + "/stack", "image"});
        const Result result = run({.words = words, .environment = elsewhere});
        EXPECT_EQ(result.status, 0) << result.err;
        return result.out;
    };
    EXPECT_NE(in({"load", "-i", stack_.directory() + "/box.tar"}).find("busybox:latest"),
              std::string::npos);
    const auto id = [](const std::string& json) {
        return nlohmann::json::parse(json)[0]["Id"].get<std::string>();
    };
    EXPECT_EQ(id(in({"inspect", "busybox"})), id(stack_.must({"image", "inspect", "busybox"})));
    in({"verify"});
}

TEST_F(Push, AnExportIsTheFilesAndComesBack) {
    stack_.must({"image", "export", "busybox", "-o", stack_.directory() + "/files.tar"});
    must("mkdir exported && tar -C exported -xf files.tar && test -x exported/bin/sh");
    stack_.must({"image", "import", "tar:" + stack_.directory() + "/files.tar", "again"});
    stack_.must({"image", "export", "again", "-o", stack_.directory() + "/second.tar"});
    must("cmp files.tar second.tar");
}

TEST_F(Push, VerifySaysWhatIsDamaged) {
    stack_.must({"image", "verify"});
    must("echo damaged >> $(find " + stack_.root() + "/images/layers/*/fs/etc -name passwd)");
    const Result result = stack_.run({"image", "verify", "busybox"});
    EXPECT_EQ(result.status, 1);
    EXPECT_NE(result.err.find("layer sha256:"), std::string::npos) << result.err;
}

TEST_F(Push, PruneRemovesWhatHasNoNameAndNothingThatIsUsed) {
    stack_.write("Dockerfile", "FROM busybox\nRUN echo one > /one\n");
    stack_.write("compose.yaml",
                 "name: shop\nservices:\n  web: {build: ., image: web}\n"
                 "  box: {image: busybox, command: 'sleep 1000'}\n");
    stack_.must({"build"});
    stack_.write("Dockerfile", "FROM busybox\nRUN echo two > /two\n");
    stack_.must({"build"});
    stack_.must({"up", "-d", "box"});
    EXPECT_NE(stack_.must({"image", "ls"}).find("<none>"), std::string::npos);
    EXPECT_NE(stack_.must({"image", "prune", "-f"}).find("Deleted"), std::string::npos);
    EXPECT_EQ(stack_.must({"image", "ls"}).find("<none>"), std::string::npos);
    EXPECT_NE(stack_.must({"system", "df"}).find("Build Cache"), std::string::npos);
    EXPECT_EQ(stack_.run({"image", "rm", "busybox"}).status, 1);
    stack_.must({"system", "prune", "-a", "-f"});
    EXPECT_EQ(stack_.must({"image", "ls", "-q", "web"}), "");
    EXPECT_NE(stack_.must({"image", "ls", "-q", "busybox"}), "") << "a container runs from it";
    stack_.must({"down", "-t", "0"});
}

}  // namespace
}  // namespace stack::test
