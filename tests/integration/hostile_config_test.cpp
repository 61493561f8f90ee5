// Images whose configurations say what no builder writes (security.md 2M, 21 to 29): they run, or
// one sentence says why not, and in time that does not grow faster than they do.

#include "tests/integration/image_layout.h"
#include "tests/integration/world.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;

struct Row {
    const char* key;
    Json value;
    const char* refusal = "";  // of whoever starts it; "": it runs
};

Json many(int count, const std::function<Json(int)>& one) {
    Json list = Json::array();
    for (int i = 0; i < count; ++i)
        list.push_back(one(i));
    return list;
}

/// An object with these keys.
Json set_of(const Json& names) {
    Json object = Json::object();
    for (const auto& name : names)
        object[name.get<std::string>()] = Json::object();
    return object;
}

constexpr int crowd_of_words = 20'000;

class HostileConfig : public testing::Test {
  protected:
    void SetUp() override {
        for (const auto* mine : {"root", "layout"})  // of another test of this process
            fs::remove_all(here_ / mine);
        make_busybox_root((here_ / "root").string());
        stack_.must({"image", "import", "rootfs:" + (here_ / "root").string(), "plain"});
        stack_.must({"image", "save", "-o", "oci:" + (here_ / "layout").string(), "plain"});
    }

    void TearDown() override {
        stack_.must({"down", "-v", "-t", "0"});
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "evil") == 0; }));
        expect_nothing_left(stack_);
        static_cast<void>(stack_.run({"image", "prune", "-af"}));
    }

    /// Runs each by itself, and those that run all together, with a command beside theirs.
    void expect_each_run_or_refused(const std::vector<Row>& rows) {
        std::string services = "name: evil\nservices:\n";
        std::vector<std::string> running;
        for (const auto& row : rows) {
            const std::string name = "row" + std::to_string(&row - rows.data());
            SCOPED_TRACE(name + ": " + row.key + " " + row.value.dump().substr(0, 100));
            import(name, row);
            expect_alone(name, row);
            if (row.refusal[0] != '\0')
                continue;
            running.push_back(name);
            services += "  " + name + ": {image: " + name +
                        ", network_mode: none, entrypoint: [/bin/sleep, \"1000\"]}\n";
        }
        stack_.write("compose.yaml", services);
        stack_.must({"up", "-d"});
        for (const auto& name : running)
            stack_.must({"exec", "-T", name, "/bin/true"});
        EXPECT_EQ(containers(stack_).size(), running.size());
        EXPECT_EQ(stack_.must({"plan"}), "nothing to do\n");
        stack_.must({"image", "ls"});
    }

  private:
    void import(const std::string& name, const Row& row) const {
        layout_.change_config([&](Json& whole) {
            whole["config"] = Json::object();
            whole["config"][row.key] = row.value;
        });
        stack_.must({"image", "import", "oci:" + (here_ / "layout").string(), name});
    }

    void expect_alone(const std::string& name, const Row& row) const {
        std::vector<std::string> words{"container", "run", "--rm", "--network", "none", name};
        const std::string key = row.key;
        if (key != "Entrypoint" && key != "Cmd")
            words.emplace_back("/bin/true");
        const Result result = stack_.run(words);
        if (row.refusal[0] == '\0') {
            EXPECT_EQ(result.status, 0) << result.err;
            return;
        }
        EXPECT_GE(result.status, 125);
        EXPECT_NE(result.err.find(row.refusal), std::string::npos) << result.err;
        EXPECT_LT(result.err.size(), 1500U);
        EXPECT_EQ(std::count_if(result.err.begin(),
                                result.err.end(),
                                [](char c) { return static_cast<unsigned char>(c) < 0x20; }),
                  1)
            << "the end of its line: " << result.err;
    }

  protected:
    StackProgram stack_;
    fs::path here_ = stack_.directory();
    ImageLayout layout_{here_ / "layout"};
};

TEST_F(HostileConfig, OfVariablesAndLabels) {
    constexpr int crowd = 2000;
    const Json odd = {
        "NAME", "", "=x", "*", "A=1", "A=2", "LD_PRELOAD=/x.so", "BASH_ENV=/x", "A=\n"};
    Json labels = Json::object();
    for (int i = 0; i < crowd; ++i)
        labels["label" + std::to_string(i)] = "\x1b]0;x\x07\n";
    expect_each_run_or_refused({
        {"Env", odd},
        {"Env", many(crowd, [](int i) { return "V" + std::to_string(i) + "=x"; })},
        {"Env", many(crowd, [](int) { return "V=x"; })},
        {"Env", Json::array({"BIG=" + std::string(100'000, 'x')})},
        {"Env", Json::array({"BIG=" + std::string(1U << 20U, 'x')}), "Argument list too long"},
        {"Labels", labels},
        {"Labels", {{"big", std::string(1U << 20U, 'x')}}},
        {"Labels", {{"number", 7}, {"", ""}, {"binary", "binary:///bin/sh"}}},
        {"Labels", Json::array({"a"})},
    });
}

TEST_F(HostileConfig, OfWhoRunsWhatAndWhere) {
    expect_each_run_or_refused({
        {"User", ":"},
        {"User", 7},
        {"User", "-1", "user -1 is not in"},
        {"User", "4294967296", "user 4294967296 is not in"},
        {"User", "a:b:c", "user a is not in"},
        {"User", "0:none", "group none is not in"},
        {"User", "root\n\x1b[31m", "user root  [31m is not in"},
        {"User", std::string(1U << 20U, 'x'), "is not in the container's /etc/passwd"},
        {"WorkingDir", "some/where"},
        {"WorkingDir", "/../../some"},
        {"WorkingDir", "/proc/self/fd/7", "enter the working directory /proc/self/fd/7"},
        {"WorkingDir", "/" + std::string(5000, 'x'), "File name too long"},
        {"Entrypoint", Json::array({7}), "names none"},
        {"Entrypoint", "/bin/true", "names none"},
        {"Entrypoint", Json::array({""}), "executable \"\" is not in"},
        {"Cmd", many(crowd_of_words, [](int i) { return i == 0 ? "/bin/true" : "x"; })},
        {"Cmd", {"/bin/true", std::string(3U << 20U, 'x')}, "Argument list too long"},
    });
}

TEST_F(HostileConfig, OfPortsVolumesChecksAndSignals) {
    constexpr std::int64_t long_time = 9223372036854775807;
    expect_each_run_or_refused({
        {"ExposedPorts", set_of({"0/tcp", "99999", "1-65535", "x", "", "80/tcp/udp"})},
        {"ExposedPorts", set_of(many(5000, [](int i) { return std::to_string(i + 1) + "/tcp"; }))},
        {"Volumes", set_of(many(100, [](int i) { return "/volume" + std::to_string(i); }))},
        {"Volumes", set_of({"", "relative", ".", "/", "//", "/../../x", "/a/../b", "/x y:ro,z"})},
        {"Volumes", set_of({"/v", "/v/", "//v", "/v/w"})},
        {"Volumes", set_of({"/proc/self"}), "nothing can be mounted on /proc/self"},
        {"Volumes", set_of({"/etc/passwd"}), "a directory cannot be mounted on a file"},
        {"Volumes", set_of({"/" + std::string(1000, 'x')}), "File name too long"},
        {"Healthcheck", {{"Test", {"CMD", "true"}}, {"Interval", -1}}},
        {"Healthcheck",
         {{"Test", {"CMD", "true"}}, {"Interval", long_time}, {"Retries", long_time}}},
        {"Healthcheck", {{"Test", "true"}}},
        {"StopSignal", "SIGKILL"},
        {"StopSignal", "0"},
        {"StopSignal", "65"},
        {"StopSignal", "abc"},
        {"OnBuild", many(1000, [](int) { return "RUN true"; })},
    });
}

/// Whoever cut them there, or left them out, would have another user or another command.
TEST_F(HostileConfig, OfStringsWithAnEndInThem) {
    const std::string end("a\0b", 3);
    const std::vector<std::pair<std::string, Json>> rows{
        {"config.User", {{"User", end}}},
        {"config.WorkingDir", {{"WorkingDir", end}}},
        {"config.StopSignal", {{"StopSignal", end}}},
        {"config.Env[1]", {{"Env", {"A=b", "C=" + end}}}},
        {"config.Entrypoint[0]", {{"Entrypoint", {end}}}},
        {"config.Cmd[2]", {{"Cmd", {"/bin/true", 7, end}}}},
        {"a name in config.Volumes", {{"Volumes", {{end, Json::object()}}}}},
        {"config.Healthcheck.Test[1]", {{"Healthcheck", {{"Test", {"CMD", end}}}}}},
    };
    stack_.write("compose.yaml", "name: evil\nservices: {web: {image: plain}}\n");
    for (const auto& [place, config] : rows) {
        SCOPED_TRACE(place);
        layout_.change_config([&](Json& whole) { whole["config"] = config; });
        const Result result = stack_.run({"--progress",
                                          "quiet",
                                          "image",
                                          "import",
                                          "oci:" + (here_ / "layout").string(),
                                          "evil"});
        EXPECT_EQ(result.status, 1);
        EXPECT_NE(result.err.find("stack: the configuration of the image: " + place +
                                  " has a NUL byte in it, where any program would see its end\n"),
                  std::string::npos)
            << result.err;
        EXPECT_EQ(stack_.must({"image", "ls", "-q", "evil"}), "");
    }
}

}  // namespace
}  // namespace stack::test
