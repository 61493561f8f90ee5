// stack-oci: an OCI bundle's life, as those who drive runtimes see it.

#include "base/text.h"
#include "sys/file.h"
#include "sys/process.h"
#include "tests/integration/world.h"
#include "tests/support/sandbox.h"

#include <csignal>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

using Json = nlohmann::json;

class OciBundle : public testing::Test {
  protected:
    void SetUp() override {
        if (!sys::is_directory(root_))
            make_busybox_root(root_);
        sys::ensure_directory(bundle_);
        const std::string file = bundle_ + "/config.json";
        for (const auto& old : {file, bundle_ + "/hooks"})
            sys::remove_file(old);
        must({"spec", "--bundle", bundle_});
        config_ = Json::parse(sys::read_file(file).value_or(""));
        config_["process"]["terminal"] = false;
        config_["root"]["path"] = root_;
    }

    void TearDown() override {
        static_cast<void>(oci({"delete", "--force", "c"}));
        EXPECT_EQ(must({"list", "--quiet"}), "");
        EXPECT_TRUE(eventually([] { return pids_of("stack-shim").empty(); }));
    }

    [[nodiscard]] Result oci(std::vector<std::string> words) const {
        words.insert(words.begin(), {STACK_BINARY_DIR "/stack-oci", "--root", records_});
        return run(std::move(words));
    }

    /// What it prints, whatever its status is.
    static std::string shell(const std::string& text) {
        const Result result = run({"sh", "-c", text});
        return result.out + result.err;
    }

    std::string must(std::vector<std::string> words) const {
        const std::string line = join(words, " ");
        const Result result = oci(std::move(words));
        EXPECT_EQ(result.status, 0) << line << "\n" << result.out << result.err;
        return result.out;
    }

    /// The container's program is this shell script from now on.
    void script(const std::string& text) { config_["process"]["args"] = {"sh", "-c", text}; }

    void write() const { sys::replace_volatile_file(bundle_ + "/config.json", config_.dump()); }

    /// `run` of what the config says.
    [[nodiscard]] Result run_it() const {
        write();
        return oci({"run", "--bundle", bundle_, "c"});
    }

    /// What the script prints.
    std::string printed(const std::string& text) {
        script(text);
        const Result result = run_it();
        EXPECT_EQ(result.status, 0) << result.err;
        return result.out;
    }

    /// Created; what it prints goes to a file, since it lives longer than the command.
    void create() const {
        write();
        const Result result =
            run({"sh",
                 "-c",
                 STACK_BINARY_DIR "/stack-oci --root " + records_ + " create --bundle " + bundle_ +
                     " --pid-file " + bundle_ + "/pid c > " + bundle_ + "/out 2>&1"});
        EXPECT_EQ(result.status, 0) << output();
    }

    [[nodiscard]] std::string output() const {
        return sys::read_file(bundle_ + "/out").value_or("");
    }

    [[nodiscard]] Json state() const { return Json::parse(must({"state", "c"})); }

    [[nodiscard]] bool becomes(const std::string& status) const {
        return eventually([&] { return state()["status"] == status; });
    }

    /// A hook that appends its name and the status that it reads to a file.
    [[nodiscard]] Json hook(const std::string& name) const {
        return {{"path", "/bin/busybox"},
                {"args",
                 {"sh",
                  "-c",
                  "echo " + name + " $(sed 's/.*\"status\":\"\\([a-z]*\\)\".*/\\1/') >> " +
                      bundle_ + "/hooks"}}};
    }

    std::string root_ = sandbox_directory() + "/bundle-root";
    std::string bundle_ = sandbox_directory() + "/bundle";
    std::string records_ = sandbox_directory() + "/oci";
    Json config_;
};

TEST_F(OciBundle, LivesFromCreateToDelete) {
    config_["annotations"] = {{"a", "b"}};
    script("echo hello; sleep 1000");
    create();
    const Json created = state();
    EXPECT_EQ(created["status"], "created");
    EXPECT_EQ(created["bundle"], bundle_);
    EXPECT_EQ(created["annotations"]["a"], "b");
    EXPECT_EQ(created["pid"].dump(), sys::read_file(bundle_ + "/pid").value_or(""));
    EXPECT_EQ(output(), "");
    must({"start", "c"});
    EXPECT_EQ(state()["status"], "running");
    EXPECT_TRUE(eventually([&] { return output() == "hello\n"; }));
    EXPECT_NE(oci({"delete", "c"}).status, 0);
    must({"kill", "c", "KILL"});
    EXPECT_TRUE(becomes("stopped"));
    must({"delete", "c"});
    EXPECT_NE(oci({"state", "c"}).status, 0);
}

TEST_F(OciBundle, RefusesWhatItsStatusDoesNotAllow) {
    script("sleep 1000");
    EXPECT_NE(oci({"start", "c"}).err.find("container c does not exist"), std::string::npos);
    create();
    EXPECT_NE(oci({"create", "--bundle", bundle_, "c"}).err.find("exists already"),
              std::string::npos);
    EXPECT_NE(oci({"resume", "c"}).status, 0);
    must({"start", "c"});
    EXPECT_NE(oci({"start", "c"}).err.find("is running"), std::string::npos);
    must({"kill", "c", "9"});
    EXPECT_TRUE(becomes("stopped"));
    EXPECT_NE(oci({"kill", "c", "TERM"}).err.find("is stopped"), std::string::npos);
    EXPECT_NE(oci({"start", "c"}).status, 0);
    EXPECT_NE(oci({"exec", "c", "true"}).status, 0);
    EXPECT_EQ(oci({"delete", "--force", "nobody"}).status, 0);
    EXPECT_NE(oci({"delete", "nobody"}).status, 0);
}

TEST_F(OciBundle, RunsToItsEndWithItsStatus) {
    script("echo out; echo err >&2; exit 7");
    const Result result = run_it();
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(result.out, "out\n");
    EXPECT_EQ(result.err, "err\n");
}

TEST_F(OciBundle, SaysThatThereIsNoProgramBeforeItIsCreated) {
    config_["process"]["args"] = {"no-such-program"};
    const Result result = run_it();
    EXPECT_NE(result.status, 0);
    EXPECT_NE(result.err.find("no-such-program\": No such file"), std::string::npos) << result.err;
    EXPECT_NE(oci({"state", "c"}).status, 0);
}

TEST_F(OciBundle, RunsItsHooksInTheirOrder) {
    for (const auto* name :
         {"poststop", "poststart", "createContainer", "createRuntime", "prestart"})
        config_["hooks"][name] = {hook(name)};
    config_["hooks"]["startContainer"] = {
        {{"path", "/bin/sh"}, {"args", {"sh", "-c", "echo startContainer"}}}};
    EXPECT_EQ(printed("echo program"), "startContainer\nprogram\n");
    EXPECT_EQ(sys::read_file(bundle_ + "/hooks").value_or(""),
              "prestart created\ncreateRuntime creating\ncreateContainer creating\n"
              "poststart running\npoststop stopped\n");
}

TEST_F(OciBundle, IsNotCreatedWhereAHookFails) {
    config_["hooks"]["createRuntime"] = {{{"path", "/bin/false"}}};
    config_["hooks"]["poststop"] = {hook("poststop")};
    const Result result = run_it();
    EXPECT_NE(result.status, 0);
    EXPECT_NE(result.err.find("hook /bin/false: ended with status 1"), std::string::npos)
        << result.err;
    EXPECT_EQ(sys::read_file(bundle_ + "/hooks").value_or(""), "poststop stopped\n");
    config_["hooks"]["createRuntime"] = {
        {{"path", "/bin/sleep"}, {"args", {"sleep", "1000"}}, {"timeout", 1}}};
    EXPECT_NE(run_it().err.find("not done after 1 s"), std::string::npos);
}

TEST_F(OciBundle, HasTheRightsThatItIsGivenAndNoMore) {
    config_["process"]["user"] = {{"uid", 1000}, {"gid", 1001}, {"umask", 077}};
    config_["process"]["rlimits"] = {{{"type", "RLIMIT_NOFILE"}, {"soft", 77}, {"hard", 88}}};
    config_["process"]["capabilities"] = {{"bounding", {"CAP_KILL", "CAP_CHOWN"}},
                                          {"permitted", {"CAP_KILL"}},
                                          {"inheritable", {"CAP_KILL"}},
                                          {"effective", {"CAP_KILL"}},
                                          {"ambient", {"CAP_KILL"}}};
    EXPECT_EQ(printed("id -u; id -g; umask; ulimit -n; ulimit -Hn; "
                      "grep -E '^(Cap|NoNew)' /proc/self/status | tr -d '\\t'"),
              "1000\n1001\n0077\n77\n88\n"
              "CapInh:0000000000000020\nCapPrm:0000000000000020\nCapEff:0000000000000020\n"
              "CapBnd:0000000000000021\nCapAmb:0000000000000020\nNoNewPrivs:1\n");
}

TEST_F(OciBundle, HidesWhatItIsTold) {
    config_["linux"]["maskedPaths"] = {"/proc/interrupts", "/etc"};
    config_["linux"]["readonlyPaths"] = {"/proc/sys"};
    EXPECT_EQ(
        printed("touch /x 2>/dev/null || echo root; ls /etc | wc -l; wc -c < /proc/interrupts; "
                "echo x > /proc/sys/kernel/domainname || echo sys"),
        "root\n0\n0\nsys\n");
}

TEST_F(OciBundle, HasItsMounts) {
    config_["mounts"].push_back({{"destination", "/data"},
                                 {"type", "bind"},
                                 {"source", bundle_},
                                 {"options", {"rbind", "ro"}}});
    config_["mounts"].push_back({{"destination", "/etc"},
                                 {"type", "tmpfs"},
                                 {"options", {"tmpcopyup", "size=8m", "nodev"}}});
    EXPECT_EQ(printed("ls /data/config.json; touch /data/x 2>/dev/null || echo protected; "
                      "touch /etc/x && grep -c root: /etc/passwd; test -c /dev/null && "
                      "readlink /dev/fd; ls /sys/fs/cgroup | grep -q . && echo groups"),
              "/data/config.json\nprotected\n1\n/proc/self/fd\ngroups\n");
}

TEST_F(OciBundle, JoinsNamespacesByTheirPath) {
    script("sleep 1000");
    config_["hostname"] = "first";
    create();
    must({"start", "c"});
    const std::string spaces = "/proc/" + state()["pid"].dump() + "/ns/";
    config_.erase("hostname");
    for (auto& one : config_["linux"]["namespaces"])
        if (one["type"] == "uts" || one["type"] == "pid")
            one["path"] = spaces + one["type"].get<std::string>();
    config_["process"]["args"] = {"sh", "-c", "hostname; ps | grep -q 'sleep 100[0]' && echo seen"};
    write();
    const Result second = oci({"run", "--bundle", bundle_, "second"});
    EXPECT_EQ(second.out, "first\nseen\n") << second.err;
}

TEST_F(OciBundle, HasUsersOfItsOwn) {
    config_["linux"]["namespaces"].push_back({{"type", "user"}});
    config_["linux"]["uidMappings"] = {{{"containerID", 0}, {"hostID", 100000}, {"size", 1000}}};
    config_["linux"]["gidMappings"] = {{{"containerID", 0}, {"hostID", 100000}, {"size", 1000}}};
    EXPECT_EQ(printed("id -u; tr -s ' ' < /proc/self/uid_map; echo x > /dev/null && echo null"),
              "0\n 0 100000 1000\nnull\n");
}

TEST_F(OciBundle, TakesFurtherProcesses) {
    script("sleep 1000");
    create();
    must({"start", "c"});
    EXPECT_EQ(must({"exec",
                    "-e",
                    "A=b",
                    "--cwd",
                    "/tmp",
                    "-u",
                    "5:6",
                    "c",
                    "sh",
                    "-c",
                    "echo $A; pwd; id -u"}),
              "b\n/tmp\n5\n");
    EXPECT_EQ(oci({"exec", "c", "sh", "-c", "exit 9"}).status, 9);
    const Result missing = oci({"exec", "c", "no-such-program"});
    EXPECT_EQ(missing.status, 127);
    EXPECT_EQ(oci({"exec", "--detach", "c", "no-such-program"}).status, 127);
    EXPECT_NE(oci({"exec", "-g", "wheel", "c", "true"}).status, 0);
    EXPECT_NE(oci({"exec", "--preserve-fds", "9", "c", "true"}).status, 0);
    EXPECT_NE(missing.err.find("no-such-program"), std::string::npos);
    Json process = config_["process"];
    process["args"] = {"sleep", "2000"};
    sys::replace_volatile_file(bundle_ + "/process.json", process.dump());
    EXPECT_EQ(
        run({"sh",
             "-c",
             STACK_BINARY_DIR "/stack-oci --root " + records_ + " exec --detach --process " +
                 bundle_ + "/process.json --pid-file " + bundle_ + "/exec.pid c > /dev/null 2>&1"})
            .status,
        0);
    const auto pid = sys::read_file(bundle_ + "/exec.pid").value_or("");
    EXPECT_NE(must({"ps", "c"}).find(pid + "\tsleep 2000"), std::string::npos);
    must({"kill", "--all", "c", "KILL"});
    EXPECT_TRUE(becomes("stopped"));
    EXPECT_EQ(must({"ps", "--format", "json", "c"}), "[]\n");
}

TEST_F(OciBundle, IsPausedAndResumed) {
    script("sleep 1000");
    create();
    must({"start", "c"});
    must({"pause", "c"});
    EXPECT_EQ(state()["status"], "paused");
    EXPECT_NE(oci({"exec", "c", "true"}).status, 0);
    must({"resume", "c"});
    EXPECT_EQ(state()["status"], "running");
}

TEST_F(OciBundle, ChangesItsLimits) {
    config_["linux"]["cgroupsPath"] = "/oci-test/c";
    config_["linux"]["resources"]["pids"] = {{"limit", 20}};
    script("sleep 1000");
    create();
    must({"start", "c"});
    must({"update", "--pids-limit", "30", "c"});
    const auto limit = [](const char* directory) {
        return sys::read_file(std::string(directory) + "/oci-test/c/pids.max").value_or("");
    };
    EXPECT_EQ(limit("/sys/fs/cgroup/pids") + limit("/sys/fs/cgroup"), "30\n");
    must({"delete", "--force", "c"});
    EXPECT_EQ(limit("/sys/fs/cgroup/pids") + limit("/sys/fs/cgroup"), "");
}

TEST_F(OciBundle, GetsTheDescriptorsThatAreKeptForIt) {
    script("cat <&3");
    write();
    const Result result = run({"sh",
                               "-c",
                               "echo kept > " + bundle_ + "/kept; exec 3< " + bundle_ + "/kept; " +
                                   STACK_BINARY_DIR "/stack-oci --root " + records_ +
                                   " run --preserve-fds 1 --bundle " + bundle_ + " c"});
    EXPECT_EQ(result.out, "kept\n") << result.err;
}

TEST_F(OciBundle, IsFilteredWithWhatJoinsIt) {
    config_["linux"]["seccomp"] = {
        {"defaultAction", "SCMP_ACT_ALLOW"},
        {"syscalls", {{{"names", {"mkdir", "mkdirat"}}, {"action", "SCMP_ACT_ERRNO"}}}}};
    const std::string trial = "grep -w Seccomp: /proc/self/status | tr -d '\\t'; mkdir /tmp/x 2>&1";
    const std::string refused =
        "Seccomp:2\nmkdir: can't create directory '/tmp/x': "
        "Operation not permitted\n";
    script(trial + "; sleep 1000");
    create();
    must({"start", "c"});
    EXPECT_TRUE(eventually([&] { return output() == refused; })) << output();
    EXPECT_EQ(oci({"exec", "c", "sh", "-c", trial}).out, refused);
}

TEST_F(OciBundle, IsPausedBeforeItBegins) {
    script("echo begun; sleep 1000");
    create();
    must({"pause", "c"});
    EXPECT_EQ(state()["status"], "paused");
    EXPECT_NE(oci({"start", "c"}).status, 0);
    must({"resume", "c"});
    EXPECT_EQ(state()["status"], "created");
    must({"start", "c"});
    EXPECT_TRUE(eventually([&] { return output() == "begun\n"; }));
}

TEST_F(OciBundle, TakesNoGroupThatIsInUse) {
    config_["linux"]["cgroupsPath"] = "/oci-test-group";
    script("sleep 1000");
    create();
    must({"start", "c"});
    const Result second = oci({"create", "--bundle", bundle_, "second"});
    EXPECT_NE(second.err.find("there are processes in oci-test-group"), std::string::npos)
        << second.err;
    EXPECT_EQ(state()["status"], "running");
    EXPECT_EQ(oci({"state", "second"}).status, 1);
}

TEST_F(OciBundle, SetsWhatBelongsToANamespaceThatItJoins) {
    config_["linux"]["sysctl"] = {{"net.ipv4.ping_group_range", "7 8"}};
    script("sleep 1000");
    create();
    must({"start", "c"});
    const std::string space = "/proc/" + state()["pid"].dump() + "/ns/net";
    const auto run_in = [&](const std::string& path) {
        for (auto& one : config_["linux"]["namespaces"])
            if (one["type"] == "network")
                one["path"] = path;
        config_["linux"]["sysctl"] = {{"net.ipv4.ping_group_range", "3 4"}};
        script("cat /proc/sys/net/ipv4/ping_group_range");
        write();
        return oci({"run", "--bundle", bundle_, "second"});
    };
    EXPECT_EQ(run_in(space).out, "3\t4\n");
    EXPECT_NE(run_in("/proc/self/ns/net").err.find("is its own namespace"), std::string::npos);
}

TEST_F(OciBundle, IsKilledAndDeletedWhileItsHooksTakeTheirTime) {
    config_["hooks"]["startContainer"] = {
        {{"path", "/bin/sh"}, {"args", {"sh", "-c", "echo begun; sleep 1000"}}}};
    script("true");
    create();
    must({"exec", "c", "true"});
    EXPECT_EQ(
        shell(STACK_BINARY_DIR "/stack-oci --root " + records_ + " start c > /dev/null 2>&1 &"),
        "");
    EXPECT_TRUE(eventually([&] { return output() == "begun\n"; }));
    must({"kill", "c", "URG"});
    must({"delete", "--force", "c"});
    EXPECT_TRUE(eventually([] { return pids_of("stack-oci").empty(); }));
}

TEST_F(OciBundle, IsMountedOnLinksThatLeadNowhere) {
    EXPECT_EQ(shell("ln -s ../run/none/resolv.conf " + root_ +
                    "/etc/resolv.conf; ln -s /elsewhere " + root_ + "/var/link"),
              "");
    config_["mounts"].push_back(
        {{"destination", "/etc/resolv.conf"}, {"source", "/etc/hostname"}, {"options", {"bind"}}});
    config_["mounts"].push_back({{"destination", "/var/link/below/file"},
                                 {"source", "/etc/hostname"},
                                 {"options", {"bind"}}});
    const std::string name = sys::read_file("/etc/hostname").value_or("");
    EXPECT_EQ(printed("cat /etc/resolv.conf /run/none/resolv.conf /elsewhere/below/file"),
              name + name + name);
    EXPECT_EQ(shell("cd " + root_ + " && rm -r etc/resolv.conf run var/link elsewhere"), "");
}

TEST_F(OciBundle, RefusesADeviceWhereSomethingElseIs) {
    sys::replace_volatile_file(root_ + "/dev/mine", "");
    config_["linux"]["devices"] = {
        {{"path", "/dev/mine"}, {"type", "c"}, {"major", 1}, {"minor", 3}}};
    for (auto& mount : config_["mounts"])
        if (mount["destination"] == "/dev")
            mount = {{"destination", "/dev"}, {"source", root_ + "/dev"}, {"options", {"rbind"}}};
    config_["mounts"].erase(
        std::remove_if(config_["mounts"].begin(),
                       config_["mounts"].end(),
                       [](const Json& one) {
                           return one["destination"].get<std::string>().starts_with("/dev");
                       }),
        config_["mounts"].end());
    script("true");
    EXPECT_NE(run_it().err.find("device /dev/mine: something else is there"), std::string::npos);
    sys::remove_file(root_ + "/dev/mine");
}

TEST_F(OciBundle, LeavesNothingWhereverItsMakerIsKilled) {
    config_["linux"]["cgroupsPath"] = "/oci-test-killed";
    script("sleep 1000");
    write();
    const std::string program = STACK_BINARY_DIR "/stack-oci --root " + records_;
    for (const std::string point : {"oci.record",
                                    "oci.clone",
                                    "oci.create",
                                    "oci.created",
                                    "oci.start",
                                    "oci.started",
                                    "oci.delete",
                                    "oci.forget"}) {
        SCOPED_TRACE(point);
        const std::string kill = "STACK_FAILPOINTS=" + point + "=kill ";
        // Deleting does what is left, once more where it was killed itself.
        EXPECT_EQ(shell("{ " + kill + program + " create --bundle " + bundle_ + " c && " + kill +
                        program + " start c && " + kill + program + " delete --force c; } > " +
                        bundle_ + "/out 2>&1"),
                  "");
        EXPECT_NE(must({"list", "--quiet"}), "");
        must({"delete", "--force", "c"});
        EXPECT_EQ(must({"list", "--quiet"}), "");
        EXPECT_TRUE(eventually([] { return pids_of("stack-shim").empty(); }));
        EXPECT_EQ(run({"find", "/sys/fs/cgroup", "-name", "oci-test-killed"}).out, "");
    }
}

TEST_F(OciBundle, SaysWhatIsWrongOnItsLogToo) {
    const std::string log = bundle_ + "/log";
    sys::remove_file(log);
    EXPECT_EQ(oci({"--log", log, "--log-format", "json", "state", "nobody"}).status, 1);
    const auto line = Json::parse(sys::read_file(log).value_or(""));
    EXPECT_EQ(line["level"], "error");
    EXPECT_EQ(line["msg"], "container nobody does not exist");
    EXPECT_NE(oci({"--systemd-cgroup", "list"}).err.find("is not supported"), std::string::npos);
}

}  // namespace
}  // namespace stack::test
