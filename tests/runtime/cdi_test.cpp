// What vendors' files do to the description of a container.

#include "engine/runtime/cdi.h"

#include <stack/error.h>

#include "sys/file.h"
#include "sys/tree.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <linux/mount.h>

namespace stack::runtime {
namespace {

class Cdi : public testing::Test {
  protected:
    Cdi() {
        char name[] = "/tmp/stack-cdi-test-XXXXXX";
        directory_ = ::mkdtemp(name);
        for (const auto& directory : directories())
            sys::ensure_directory(directory);
    }

    ~Cdi() override { sys::remove_tree(directory_); }

    [[nodiscard]] Strings directories() const {
        return {directory_ + "/etc", directory_ + "/run", directory_ + "/gone"};
    }

    void file(const std::string& name, const std::string& text) const {
        sys::replace_volatile_file(directory_ + "/" + name, text);
    }

    [[nodiscard]] std::string refusal_of(const std::string& name) const {
        try {
            static_cast<void>(cdi_edits_for({name}, directories()));
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }

    std::string directory_;
};

constexpr const char* cards = R"(
cdiVersion: "0.5.0"
kind: vendor.com/card
containerEdits:
  env: [COMMON=1]
  mounts:
    - {hostPath: /usr/lib/card, containerPath: /usr/lib/card, options: [ro, nosuid, bind]}
devices:
  - name: "0"
    containerEdits:
      env: [CARD=0]
      deviceNodes:
        - {path: /dev/card0, hostPath: /dev/null, fileMode: 438, gid: 44, permissions: rw}
      hooks:
        - {hookName: createContainer, path: /usr/bin/hook, args: [hook, go], env: [A=b], timeout: 3}
      additionalGids: [44]
  - name: all
    containerEdits: {env: [CARD=all]}
)";

TEST_F(Cdi, EditsAreThoseOfTheFileAndOfTheDevice) {
    file("etc/card.yaml", cards);
    const auto edits = cdi_edits_for(
        {"vendor.com/card=0", "vendor.com/card=all", "vendor.com/card=0"}, directories());
    EXPECT_EQ(edits.environment, (Strings{"COMMON=1", "CARD=0", "CARD=all"}));
    ASSERT_EQ(edits.nodes.size(), 1U);
    EXPECT_EQ(edits.nodes[0].device, (Device{"/dev/null", "/dev/card0", "rw"}));
    EXPECT_EQ(edits.nodes[0].mode, 0666U);
    EXPECT_EQ(edits.nodes[0].uid, std::nullopt);
    EXPECT_EQ(edits.nodes[0].gid, 44U);
    ASSERT_EQ(edits.mounts.size(), 1U);
    EXPECT_EQ(edits.mounts[0].target, "/usr/lib/card");
    EXPECT_EQ(edits.mounts[0].attributes_set,
              static_cast<std::uint64_t>(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID));
    ASSERT_EQ(edits.hooks.size(), 1U);
    EXPECT_EQ(edits.hooks[0].arguments, (Strings{"hook", "go"}));
    EXPECT_EQ(edits.hooks[0].timeout, 3U);
    EXPECT_EQ(edits.groups, Strings{"44"});
    EXPECT_TRUE(cdi_edits_for({}, directories()).environment.empty());
}

TEST_F(Cdi, ModesInYamlAreOctal) {
    for (const auto* mode : {"0660", "0o660", "432"}) {
        file("etc/card.yml",
             std::string("kind: vendor.com/card\ndevices:\n  - name: a\n    containerEdits:\n") +
                 "      deviceNodes: [{path: /dev/a, fileMode: " + mode + "}]\n");
        const auto edits = cdi_edits_for({"vendor.com/card=a"}, directories());
        ASSERT_EQ(edits.nodes.size(), 1U);
        EXPECT_EQ(edits.nodes[0].mode, 0660U) << mode;
    }
}

TEST_F(Cdi, TheLaterDirectoryCounts) {
    const std::string start = R"({"kind": "vendor.com/card", "devices": [{"name": "0",
        "containerEdits": {"env": ["FROM=)";
    file("etc/a.json", start + "etc\"]}}]}");
    file("run/b.json", start + "run\"]}}]}");
    file("run/notes.txt", "not one of them");
    EXPECT_EQ(cdi_edits_for({"vendor.com/card=0"}, directories()).environment, Strings{"FROM=run"});
    file("run/c.json", start + "other\"]}}]}");
    EXPECT_NE(refusal_of("vendor.com/card=0").find("take one of them away"), std::string::npos);
}

TEST_F(Cdi, SaysWhatIsMissingAndWhatIsWrong) {
    file("etc/broken.yaml", "kind: [\n");
    const std::string gone = refusal_of("nvidia.com/gpu=all");
    EXPECT_NE(gone.find("offers the device nvidia.com/gpu=all"), std::string::npos) << gone;
    EXPECT_NE(gone.find("broken.yaml"), std::string::npos) << gone;
    file("etc/hook.json", R"({"kind": "vendor.com/card", "devices": [{"name": "0",
        "containerEdits": {"hooks": [{"hookName": "poststop", "path": "/x"}]}}]})");
    EXPECT_EQ(refusal_of("vendor.com/card=0"),
              "device vendor.com/card=0 needs a hook of the moment poststop, which is not "
              "supported");
}

TEST_F(Cdi, EditsBecomePartOfTheDescription) {
    file("etc/card.yaml", cards);
    shim::Spec spec;
    spec.id = "abc";
    spec.mount_point = "/run/root";
    spec.process.environment = {"CARD=none", "A=b"};
    spec.mounts.push_back({.target = "/data"});
    spec.devices.push_back({"/dev/card0", "/dev/card0"});  // as of a privileged one
    apply(cdi_edits_for({"vendor.com/card=0"}, directories()), directory_, spec);
    EXPECT_EQ(spec.process.environment, (Strings{"A=b", "COMMON=1", "CARD=0"}));
    EXPECT_EQ(spec.process.groups, Strings{"44"});
    ASSERT_EQ(spec.mounts.size(), 2U);
    EXPECT_EQ(spec.mounts[1].target, "/data") << "the user's own come later, and so above";
    ASSERT_EQ(spec.devices.size(), 1U);
    EXPECT_EQ(spec.devices[0].mode, 0666U);
    EXPECT_EQ(spec.devices[0].uid, shim::of_source);
    EXPECT_EQ(spec.bundle.create_hooks.size(), 1U);
    EXPECT_EQ(sys::read_file(directory_ + "/config.json"),
              R"({"ociVersion":"1.0.2","root":{"path":"/run/root"}})");
}

}  // namespace
}  // namespace stack::runtime
