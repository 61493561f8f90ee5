// Containers with users of their own (userns_mode: private): nobody on the host, themselves inside
// and on the disk.

#include "engine/runtime/user_range.h"
#include "shim/spec.h"
#include "sys/file.h"
#include "tests/integration/containers.h"

#include <fstream>
#include <set>
#include <sstream>

#include <sys/stat.h>

namespace stack::test {
namespace {

struct stat status_of(const std::string& path) {
    struct stat status {};

    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status;
}

class Users : public Containers {
  protected:
    /// What a shell says in a new container with users of its own.
    [[nodiscard]] std::string says(const std::string& script,
                                   std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"run", "--rm", "--userns", "private"});
        options.insert(options.end(), {"busybox", "sh", "-c", script});
        return must(std::move(options));
    }

    /// A container that goes on.
    void start(const std::string& name, std::vector<std::string> options = {}) const {
        options.insert(options.begin(), {"run", "-d", "--userns", "private", "--name", name});
        options.insert(options.end(), {"busybox", "sleep", "1000"});
        must(std::move(options));
    }

    /// The host's id of its root, as its process has it.
    [[nodiscard]] unsigned root_of(const std::string& name) const {
        const std::string pid = must({"inspect", "--format", "{{.State.Pid}}", name});
        return status_of("/proc/" + pid.substr(0, pid.find('\n'))).st_uid;
    }

    [[nodiscard]] std::string exec(const std::string& name, const std::string& script) const {
        return must({"exec", name, "sh", "-c", script});
    }

    [[nodiscard]] std::string volume(const std::string& name) const {
        return stack_.root() + "/volumes/" + name + "/_data";
    }
};

TEST_F(Users, AreNobodyOnTheHost) {
    start("mine");
    start("other");
    const unsigned root = root_of("mine");
    EXPECT_GE(root, runtime::first_user_range);
    EXPECT_LT(root, runtime::end_of_user_ranges);
    EXPECT_NE(root_of("other"), root);
    std::istringstream map(exec("mine", "cat /proc/self/uid_map"));
    unsigned inside = 1;
    unsigned outside = 0;
    unsigned count = 0;
    map >> inside >> outside >> count;
    EXPECT_EQ(inside, 0U);
    EXPECT_EQ(outside, root);
    EXPECT_EQ(count, shim::ids_of_users);
    EXPECT_EQ(must({"inspect", "--format", "{{.HostConfig.UsernsMode}}", "mine"}), "private\n");
    // It keeps them.
    must({"restart", "-t", "0", "mine"});
    EXPECT_EQ(root_of("mine"), root);
}

TEST_F(Users, AreThemselvesInsideAndOnTheDisk) {
    EXPECT_EQ(says("id -u; touch /data/a; touch /data/b; chown 1000:1001 /data/b; stat -c %u:%g "
                   "/bin/busybox /etc/hosts /data/a /data/b /etc/resolv.conf",
                   {"-v", "data:/data"}),
              "0\n0:0\n0:0\n0:0\n1000:1001\n0:0\n");
    EXPECT_EQ(status_of(volume("data") + "/a").st_uid, 0U);
    EXPECT_EQ(status_of(volume("data") + "/b").st_uid, 1000U);
    EXPECT_EQ(status_of(volume("data") + "/b").st_gid, 1001U);
    // Whoever has the volume next finds them so.
    EXPECT_EQ(must({"run", "--rm", "-v", "data:/data", "busybox", "stat", "-c", "%u", "/data/b"}),
              "1000\n");
    std::filesystem::create_directory(here_ / "bound");
    EXPECT_EQ(
        says("touch /bound/a; stat -c %u /bound", {"-v", (here_ / "bound").string() + ":/bound"}),
        "0\n");
    EXPECT_EQ(status_of((here_ / "bound/a").string()).st_uid, 0U);
    stack_.must({"volume", "rm", "data"});
}

TEST_F(Users, LeaveLayersThatAreAsOthers) {
    must({"run",
          "--userns",
          "private",
          "--name",
          "mine",
          "busybox",
          "sh",
          "-c",
          "touch /new; chown 1000 /new; chmod 4755 /new; rm -r /etc/group; mkdir -p /d/e"});
    EXPECT_NE(must({"diff", "mine"}).find("A /new\n"), std::string::npos);
    must({"commit", "mine", "made:1"});
    EXPECT_EQ(must({"run",
                    "--rm",
                    "made:1",
                    "sh",
                    "-c",
                    "stat -c %u:%a /new /d/e; test -e /etc/group || echo gone"}),
              "1000:4755\n0:755\ngone\n");
    EXPECT_EQ(must({"run", "--rm", "--userns", "auto", "made:1", "stat", "-c", "%u", "/new"}),
              "1000\n");
}

TEST_F(Users, RunCommandsThatJoin) {
    start("mine", {"--hostname", "box"});
    EXPECT_EQ(exec("mine", "id -u; hostname; echo hi >/dev/stdout"), "0\nbox\nhi\n");
    EXPECT_EQ(must({"exec", "-u", "1000:1000", "mine", "sh", "-c", "id -u; echo hi >/dev/stdout"}),
              "1000\nhi\n");
    const auto refused = con({"exec", "-u", "70000", "mine", "true"});
    EXPECT_NE(refused.status, 0);
    EXPECT_NE(refused.err.find("70000"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("65535"), std::string::npos) << refused.err;
    EXPECT_EQ(exec("mine", "grep -E 'Cap(Eff|Bnd)|Seccomp:' /proc/self/status"),
              exec("mine", "grep -E 'Cap(Eff|Bnd)|Seccomp:' /proc/1/status"));
}

TEST_F(Users, WriteToTheirStreams) {
    EXPECT_EQ(says("echo hi >/dev/stdout"), "hi\n");
    EXPECT_EQ(says("echo hi >/dev/stdout", {"-u", "1000"}), "hi\n");
    EXPECT_EQ(says("tty", {"-t"}), "/dev/pts/0\r\n");
    const auto refused =
        con({"run", "--rm", "--userns", "private", "-u", "70000", "busybox", "true"});
    EXPECT_EQ(refused.status, 125);
    EXPECT_NE(refused.err.find("65535"), std::string::npos) << refused.err;
}

/// Their capabilities are worth something in what is their own, and nothing elsewhere.
TEST_F(Users, HaveNoRightsOverTheHost) {
    const std::vector<std::string> all{"--cap-add",
                                       "ALL",
                                       "--security-opt",
                                       "seccomp=unconfined",
                                       "--security-opt",
                                       "systempaths=unconfined"};
    EXPECT_EQ(says("mount -t tmpfs none /mnt 2>/dev/null || mkdir /mnt && mount -t tmpfs none /mnt "
                   "&& echo mounted",
                   all),
              "mounted\n");
    EXPECT_EQ(says("mknod /x c 1 3 2>/dev/null || echo none", all), "none\n");
    EXPECT_EQ(says("echo 1 >/proc/sys/kernel/panic || echo none", all), "none\n");
    EXPECT_EQ(says("echo x >/proc/sysrq-trigger || echo none", all), "none\n");
    EXPECT_EQ(says("date -s 2001-01-01 2>&1 >/dev/null | grep -o 'not permitted'", all),
              "not permitted\n");
    stack_.write("kept/file", "kept");
    for (const std::string place : {"/kept", "/dev/init"}) {
        auto options = all;
        options.insert(options.end(), {"--init", "-v", stack_.directory() + "/kept:/kept:ro"});
        EXPECT_EQ(says("mount -o remount,bind,rw " + place + " 2>/dev/null; chmod 4755 " + place +
                           " 2>/dev/null || echo none",
                       options),
                  "none\n")
            << place;
    }
    EXPECT_EQ(says("echo hi >/dev/null && head -c 3 /dev/zero | wc -c"), "3\n");
}

TEST_F(Users, HaveNetworks) {
    must({"run",
          "-d",
          "--userns",
          "private",
          "--name",
          "web",
          "-p",
          "127.0.0.1:8304:80",
          "--sysctl",
          "net.ipv4.ip_forward=1",
          "busybox",
          "httpd",
          "-f",
          "-p",
          "80",
          "-h",
          "/etc"});
    EXPECT_TRUE(
        eventually([] { return fetch("http://127.0.0.1:8304/group").starts_with("root:"); }));
    EXPECT_EQ(exec("web", "cat /proc/sys/net/ipv4/ip_forward"), "1\n");
}

TEST_F(Users, GetFilesAndGiveThem) {
    start("mine");
    std::ofstream(here_ / "file") << "text";
    must({"cp", (here_ / "file").string(), "mine:/file"});
    EXPECT_EQ(exec("mine", "stat -c %u:%g /file; cat /file; echo; chown 7:8 /file"), "0:0\ntext\n");
    must({"cp", "-a", "mine:/file", (here_ / "back").string()});
    EXPECT_EQ(status_of((here_ / "back").string()).st_uid, 7U);
    must({"cp", "-a", (here_ / "back").string(), "mine:/again"});
    EXPECT_EQ(exec("mine", "stat -c %u:%g /again"), "7:8\n");
}

TEST_F(Users, AreRefusedWhereTheDiskCannotShowThem) {
    const auto refused =
        con({"run", "--rm", "--userns", "private", "-v", "/sys/class:/class", "busybox", "true"});
    EXPECT_EQ(refused.status, 125);
    EXPECT_NE(refused.err.find("bind mount /sys/class"), std::string::npos) << refused.err;
    EXPECT_NE(refused.err.find("userns_mode"), std::string::npos) << refused.err;
    const auto host =
        con({"run", "--rm", "--userns", "private", "--network", "host", "busybox", "true"});
    EXPECT_EQ(host.status, 125);
    EXPECT_NE(host.err.find("--userns"), std::string::npos) << host.err;
}

TEST_F(Users, AreInStacks) {
    make_busybox_root((here_ / "base").string());
    const auto write = [&](const std::string& mode) {
        stack_.write("secret", "hush");
        stack_.write("compose.yaml",
                     "name: shop\nsecrets: {s: {file: ./secret}}\nservices:\n  web:\n"
                     "    image: rootfs:" +
                         (here_ / "base").string() + "\n    userns_mode: " + mode +
                         "\n    user: '1000'\n    tmpfs: ['/t:mode=700']\n    init: true\n"
                         "    secrets: [{source: s, uid: '1000', mode: 0400}]\n"
                         "    command: sleep 1000\n    stop_signal: SIGKILL\n    healthcheck:\n"
                         "      test: [CMD, cat, /run/secrets/s]\n      start_interval: 200ms\n"
                         "      start_period: 1m\n");
    };
    write("private");
    stack_.must({"up", "-d", "--wait"});
    EXPECT_EQ(stack_.must({"exec",
                           "-T",
                           "web",
                           "sh",
                           "-c",
                           "cat /run/secrets/s; echo; stat -c %u /run/secrets/s /t /bin/busybox"}),
              "hush\n1000\n0\n0\n");
    const std::string before = stack_.must({"ps", "-q"});
    stack_.must({"up", "-d", "--wait"});
    EXPECT_EQ(stack_.must({"ps", "-q"}), before);
    write("host");
    stack_.must({"up", "-d", "--wait"});
    EXPECT_NE(stack_.must({"ps", "-q"}), before);
    EXPECT_EQ(stack_.must({"exec", "-T", "web", "cat", "/proc/self/uid_map"}).find("0          0"),
              9U);
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
}

}  // namespace
}  // namespace stack::test
