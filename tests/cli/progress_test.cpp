// What is shown of a pull: each layer while it is on its way, and the whole.

#include "cli/progress.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::cli {
namespace {

Event layer(const std::string& id,
            std::int64_t current,
            EventStatus status = EventStatus::working) {
    return {.id = id,
            .status = status,
            .text = status == EventStatus::working ? "Downloading" : "Pull complete",
            .parent = "Image web",
            .current = current,
            .total = 2048};
}

std::string shown(const std::string& mode, const std::vector<Event>& events) {
    Globals globals;
    globals.progress = mode;
    testing::internal::CaptureStderr();
    const auto progress = make_progress(globals, "Pulling");
    for (const auto& event : events)
        progress->show(event);
    progress->finish();
    return testing::internal::GetCapturedStderr();
}

/// What is said where progress goes to standard output, and to standard error.
std::pair<std::string, std::string> said_on_output(const std::string& mode) {
    ::setenv("COMPOSE_STATUS_STDOUT", "1", 1);
    testing::internal::CaptureStdout();
    const std::string err = shown(mode, {{.id = "Container web", .text = "Started"}});
    tell_status("all is done");
    ::unsetenv("COMPOSE_STATUS_STDOUT");
    return {testing::internal::GetCapturedStdout(), err};
}

/// What stands there at last: behind the last way back to the top.
std::string last_picture(const std::string& text) {
    const auto top = text.rfind("A\r");
    return top == std::string::npos ? text : text.substr(top);
}

TEST(Progress, HasALineForEachLayerThatIsOnItsWay) {
    const std::string picture =
        last_picture(shown("tty", {layer("aaa", 0), layer("bbb", 0), layer("aaa", 1024)}));
    for (const auto* line : {"   aaa  Downloading ", "   bbb  Downloading ", "[+] Pulling 0/1"})
        EXPECT_NE(picture.find(line), std::string::npos) << line << "\n" << picture;
    const std::string done = last_picture(
        shown("tty", {layer("aaa", 1024), layer("bbb", 0), layer("aaa", 2048, EventStatus::done)}));
    EXPECT_EQ(done.find("aaa"), std::string::npos) << done;
    EXPECT_NE(done.find("bbb"), std::string::npos) << done;
}

TEST(Progress, DrawsNoMoreThanTheScreenHas) {
    std::vector<Event> events;
    for (int i = 0; i < 200; ++i)
        events.push_back(layer("layer" + std::to_string(1000 + i), 0));
    const std::string picture = last_picture(shown("tty", events));
    EXPECT_LT(std::count(picture.begin(), picture.end(), '\n'), 100);
    EXPECT_NE(picture.find("Image web"), std::string::npos);
}

TEST(Progress, TellsProgramsEveryByte) {
    const std::string text = shown("json", {layer("aaa", 1024)});
    const auto line = nlohmann::json::parse(text);
    EXPECT_EQ(line["id"], "aaa");
    EXPECT_EQ(line["parent_id"], "Image web");
    EXPECT_EQ(line["current"], 1024);
    EXPECT_EQ(line["total"], 2048);
    EXPECT_EQ(shown("plain", {layer("aaa", 1024)}), "") << "too many lines";
}

TEST(Progress, GoesToStandardOutputWhereTheVariableHasItSo) {
    EXPECT_EQ(said_on_output("plain"),
              std::pair(std::string(" Container web  Started\nall is done\n"), std::string()));
    EXPECT_EQ(said_on_output("json"),
              std::pair(std::string("{\"id\":\"Container web\",\"status\":\"Working\",\"text\":"
                                    "\"Started\"}\nall is done\n"),
                        std::string()));
}

}  // namespace
}  // namespace stack::cli
