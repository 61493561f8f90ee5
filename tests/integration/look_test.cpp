// Looking on while containers live: events, stats.

#include "tests/integration/world.h"

#include <regex>
#include <sstream>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

class Look : public testing::Test {
  protected:
    void SetUp() override {
        import_busybox(stack_);
        stack_.write("compose.yaml", R"(
name: shop
services:
  web:
    image: busybox
    command: sh -c 'while true; do true; done'
    mem_limit: 32m
  other: {image: busybox, command: "false"}
)");
        stack_.must({"up", "-d"});
    }

    void TearDown() override {
        static_cast<void>(stack_.run({"down", "-t", "0"}));
        EXPECT_TRUE(eventually([&] { return supervisor_pid(stack_, "shop") == 0; }));
        expect_nothing_left(stack_);
    }

    StackProgram stack_;
};

TEST_F(Look, EventsTellALifeToItsEnd) {
    stack_.must({"pause", "web"});
    stack_.must({"unpause", "web"});
    EXPECT_EQ(stack_.run({"exec", "-T", "web", "sh", "-c", "exit 4"}).status, 4);
    stack_.must({"kill", "web"});
    EXPECT_TRUE(eventually([&] {
        return stack_.must({"events", "--until", "2999-01-01", "web"}).find("container die ") !=
               std::string::npos;
    }));
    stack_.must({"down", "-t", "0"});
    std::string actions;
    std::istringstream lines(stack_.must({"events", "--json", "--until", "2999-01-01", "web"}));
    for (std::string line; std::getline(lines, line);) {
        const auto event = nlohmann::json::parse(line);
        EXPECT_EQ(event["service"], "web") << line;
        EXPECT_EQ(event["type"], "container");
        EXPECT_EQ(event["attributes"]["name"], "shop-web-1");
        actions += event["action"].get<std::string>() + " ";
        if (event["action"] == "die") {
            EXPECT_EQ(event["attributes"].value("exitCode", ""), "137") << line;
        } else if (event["action"] == "exec_die") {
            EXPECT_EQ(event["attributes"].value("exitCode", ""), "4") << line;
        } else if (event["action"] == "kill") {
            EXPECT_EQ(event["attributes"].value("signal", ""), "SIGKILL") << line;
        }
    }
    EXPECT_EQ(actions,
              "create start pause unpause exec_create: sh -c exit 4 exec_start: sh -c exit 4 "
              "exec_die kill die destroy ");
    const std::string text = stack_.must({"events", "--until", "2999-01-01", "other"});
    EXPECT_NE(text.find("container die "), std::string::npos) << text;
    EXPECT_NE(text.find("(exitCode=1, image=busybox, name=shop-other-1)"), std::string::npos)
        << text;
    EXPECT_EQ(stack_.must({"events", "--until", "1999-01-01"}), "");
}

TEST_F(Look, EventsTellARestart) {
    stack_.must({"restart", "-t", "0", "web"});
    const std::string text = stack_.must({"events", "--until", "2999-01-01", "web"});
    const auto restart = text.find("container restart ");
    EXPECT_NE(restart, std::string::npos) << text;
    EXPECT_LT(text.rfind("container start "), restart) << text;
    EXPECT_EQ(stack_.must({"events", "--until", "2999-01-01", "other"}).find("restart"),
              std::string::npos);
}

TEST_F(Look, LsCountsWhatRunsAndWithAllTheRest) {
    const auto status = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words{"ls", "--format", "json"};
        words.insert(words.end(), more.begin(), more.end());
        const auto list = nlohmann::json::parse(stack_.must(words));
        return list.empty() ? "" : list[0]["Status"].get<std::string>();
    };
    EXPECT_TRUE(eventually([&] { return status({"-a"}) == "exited(1), running(1)"; }));
    EXPECT_EQ(status({}), "running(1)");
    stack_.must({"pause", "web"});
    EXPECT_EQ(status({}), "paused(1)");
    stack_.must({"unpause", "web"});
    EXPECT_EQ(stack_.must({"ls", "-q", "--filter", "name=^sh"}), "shop\n");
    EXPECT_EQ(stack_.must({"ls", "-q", "--filter", "name=^op"}), "");
    EXPECT_EQ(stack_.must({"ls", "-q", "--filter", "name=no", "--filter", "name=ho"}), "shop\n");
    EXPECT_NE(stack_.run({"ls", "--filter", "name=("}).status, 0);
    stack_.must({"kill", "web"});
    EXPECT_TRUE(eventually([&] { return status({}).empty(); }));
}

TEST_F(Look, PsHasTheFieldsOfDockerCompose) {
    const auto web = container(stack_, "web");
    for (const auto* field :
         {"Command",      "CreatedAt",  "ExitCode", "Health", "ID",       "Image", "Labels",
          "LocalVolumes", "Mounts",     "Name",     "Names",  "Networks", "Ports", "Project",
          "Publishers",   "RunningFor", "Service",  "Size",   "State",    "Status"})
        EXPECT_TRUE(web.contains(field)) << field;
    EXPECT_EQ(web["LocalVolumes"], "0");
    EXPECT_EQ(web["Networks"], "shop_default");
}

TEST_F(Look, PsGoesByTheContainersNames) {
    stack_.write("compose.yaml", R"(
name: shop
services:
  a: {image: busybox, command: sleep 1000, container_name: zebra, stop_signal: SIGKILL,
      expose: ["53/udp"]}
  b: {image: busybox, command: sleep 1000, stop_signal: SIGKILL, volumes: [data:/d, /anonymous]}
volumes: {data: {labels: {kind: x}}}
)");
    stack_.must({"up", "-d", "--remove-orphans"});
    EXPECT_EQ(stack_.must({"ps", "--format", "{{.Name}} {{.Ports}}"}), "shop-b-1 \nzebra 53/udp\n");
    const std::string rows = stack_.must({"top"});
    EXPECT_TRUE(
        std::regex_match(rows,
                         std::regex("SERVICE +# +UID +PID +PPID +C +STIME +TTY +TIME +CMD\n"
                                    "a +1 +root .* sleep 1000\nb +1 +root .* sleep 1000\n")))
        << rows;
    const auto volume = nlohmann::json::parse(stack_.must({"volumes", "--format", "json"}));
    EXPECT_EQ(volume["Name"], "shop_data");
    EXPECT_EQ(volume["Scope"], "local");
    EXPECT_EQ(volume["Labels"], "kind=x");
    for (const auto* key : {"Availability", "Group", "Links", "Size", "Status"})
        EXPECT_EQ(volume[key], "N/A") << key;
    stack_.must({"down", "-v", "-t", "0"});
    EXPECT_EQ(stack_.must({"top"}), "");
}

TEST_F(Look, ImagesHasTheColumnsOfDockerCompose) {
    const std::string rows = stack_.must({"images", "web"});
    EXPECT_TRUE(std::regex_search(
        rows,
        std::regex("^CONTAINER +REPOSITORY +TAG +PLATFORM +IMAGE ID +SIZE +CREATED\n"
                   "shop-web-1 +busybox +latest +linux/[a-z0-9]+ +[0-9a-f]{12} +.* ago\n$")))
        << rows;
    const auto list = nlohmann::json::parse(stack_.must({"images", "--format", "json", "web"}));
    EXPECT_EQ(list[0]["Repository"], "busybox");
    EXPECT_EQ(list[0]["Tag"], "latest");
}

TEST_F(Look, StatsTellWhatIsUsed) {
    const auto row =
        nlohmann::json::parse(stack_.must({"stats", "--no-stream", "--format", "json", "web"}));
    EXPECT_EQ(row["Name"], "shop-web-1");
    EXPECT_GT(std::stod(row["CPUPerc"].get<std::string>()), 5.0) << row;
    EXPECT_NE(row["MemUsage"].get<std::string>().find(" / 32MiB"), std::string::npos) << row;
    EXPECT_EQ(row["PIDs"], "1");
    EXPECT_EQ(stack_.must({"stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", "web"}),
              "shop-web-1 1\n");
    const std::string columns = stack_.must(
        {"container", "stats", "--no-stream", "--format", "table {{.Name}}\t{{.CPUPerc}}"});
    EXPECT_EQ(columns.substr(0, columns.find('\n')), "NAME         CPU %") << columns;
    const std::string all = stack_.must({"stats", "--no-stream", "-a"});
    EXPECT_NE(all.find("shop-other-1"), std::string::npos) << all;
    EXPECT_EQ(stack_.must({"stats", "--no-stream"}).find("shop-other-1"), std::string::npos);
    EXPECT_NE(stack_.must({"container", "stats", "--no-stream"}).find("shop-web-1"),
              std::string::npos);
}

}  // namespace
}  // namespace stack::test
