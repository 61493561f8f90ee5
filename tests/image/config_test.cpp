// What a hostile configuration may say of a container: what is none of its kind is left out.

#include <stack/error.h>

#include "engine/image/manifest.h"
#include "engine/image/store.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::image {
namespace {

using Json = nlohmann::json;

ImageConfig parsed(const Json& config) {
    return parse_config(Json{{"config", config}}.dump());
}

TEST(ImageConfig, HasVariablesWithNamesAndValuesAlone) {
    const std::string nul("A=\0b", 4);
    const auto config =
        parsed({{"Env", {"PATH=/bin", "HOME", "*", "", "=x", nul, "A=", "A=b=c", 7, nullptr}}});
    EXPECT_EQ(config.environment, (Strings{"PATH=/bin", "A=", "A=b=c"}));
}

TEST(ImageConfig, HasNoStringThatEndsBeforeItsEnd) {
    const std::string nul("/x\0/y", 5);
    const auto config = parsed({{"User", nul},
                                {"WorkingDir", nul},
                                {"Entrypoint", {nul, "a"}},
                                {"Labels", {{"a", nul}, {"b", "c"}}}});
    EXPECT_EQ(config.user, "");
    EXPECT_EQ(config.working_dir, "");
    EXPECT_EQ(config.entrypoint, Strings{"a"});
    EXPECT_EQ(config.labels, (StringMap{{"b", "c"}}));
}

TEST(ImageConfig, IsRefusedWhereSuchAStringComesIn) {
    const std::string nul("a\0", 2);
    const auto said = [](const Json& config) -> std::string {
        try {
            check_config(Json{{"config", config}}.dump());
            return "";
        } catch (const Error& error) {
            return error.what();
        }
    };
    EXPECT_EQ(said({{"User", "a"}, {"Env", {7, "A=b"}}, {"Labels", {{"x", nul}}}}), "");
    EXPECT_EQ(said(7), "");
    EXPECT_NE(said({{"User", nul}}).find("config.User has a NUL byte"), std::string::npos);
    EXPECT_NE(said({{"Env", {"A=b", nul}}}).find("config.Env[1] has"), std::string::npos);
    EXPECT_NE(said({{"Volumes", {{nul, 1}}}}).find("a name in config.Volumes"), std::string::npos);
    EXPECT_NE(said({{"Healthcheck", {{"Test", {nul}}}}}).find("config.Healthcheck.Test[0]"),
              std::string::npos);
}

TEST(ImageConfig, HasAHealthCheckOfNoMeaninglessTimes) {
    for (const Json& time : {Json(-1),
                             Json(1),
                             Json(999'999),
                             Json(9223372036854775807),
                             Json(18446744073709551615U),
                             Json(1.5),
                             Json("1s")}) {
        const auto check = parsed({{"Healthcheck", {{"Test", {"CMD", "x"}}, {"Interval", time}}}});
        ASSERT_TRUE(check.healthcheck) << time;
        EXPECT_FALSE(check.healthcheck->interval) << time;
    }
    for (const Json& retries : {Json(-1), Json(1LL << 32U), Json("3")}) {
        const auto check = parsed({{"Healthcheck", {{"Retries", retries}}}});
        EXPECT_FALSE(check.healthcheck->retries) << retries;
    }
    const auto good = parsed({{"Healthcheck", {{"Interval", 1'000'000}, {"Retries", 3}}}});
    EXPECT_EQ(good.healthcheck->interval, std::chrono::milliseconds(1));
    EXPECT_EQ(good.healthcheck->retries, 3);
}

TEST(ImageConfig, IsNeitherBottomlessNorAmbiguous) {
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_THROW(static_cast<void>(parse_config("{\"a\":" + deep + "}")), Error);
    EXPECT_THROW(static_cast<void>(make_config("{\"a\":" + deep + "}", {}, {}, "", {})), Error);
    EXPECT_THROW(static_cast<void>(parse_config(R"({"config":{"User":"a","User":"b"}})")), Error);
    EXPECT_NO_THROW(static_cast<void>(parse_config(R"({"config":{"User":"a"},"User":"b"})")));
}

}  // namespace
}  // namespace stack::image
