#include "fetch/auth.h"

#include <gtest/gtest.h>

namespace stack::fetch {

TEST(Loopback, IsAnAddressAndNotTheBeginningOfAName) {
    for (const auto* host :
         {"localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:80", "[::1]:5000"})
        EXPECT_TRUE(is_loopback(host)) << host;
    for (const auto* host : {"127.0.0.1.evil.com",
                             "127.evil.com:5000",
                             "localhost.evil.com",
                             "128.0.0.1",
                             "[::2]:5000",
                             "docker.io",
                             ""})
        EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(Secrets, TravelByHttpsOrToTheRegistryItself) {
    const std::string hub = "https://registry-1.docker.io";
    EXPECT_TRUE(may_carry_secrets("https://auth.docker.io/token?scope=a", hub));
    EXPECT_FALSE(may_carry_secrets("http://auth.docker.io/token", hub));
    EXPECT_FALSE(may_carry_secrets("http://registry-1.docker.io/token", hub));
    EXPECT_TRUE(may_carry_secrets("http://127.0.0.1:5000/token", "http://127.0.0.1:5000"));
    EXPECT_TRUE(may_carry_secrets("http://127.0.0.1:5001/token", "http://127.0.0.1:5000"));
    EXPECT_FALSE(may_carry_secrets("http://127.0.0.1.evil/token", "http://127.0.0.1:5000"));
    EXPECT_FALSE(may_carry_secrets("http://127.0.0.1@evil/token", "http://127.0.0.1:5000"));
    EXPECT_FALSE(may_carry_secrets("https://auth.docker.io@evil/token", hub));
    EXPECT_FALSE(may_carry_secrets("http://reg.example/token", "http://127.0.0.1:5000"));
    EXPECT_FALSE(may_carry_secrets("", hub));
}

TEST(Challenges, PreferATokenAndKeepTheirParameters) {
    const auto all = parse_challenges(
        {R"(Basic realm="r")", R"(Bearer realm="https://auth.example/token",service="reg, one")"});
    const auto chosen = choose_challenge(all);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->scheme, "bearer");
    EXPECT_EQ(token_url(*chosen, {"repository:a/b:pull"}),
              "https://auth.example/token?service=reg%2C%20one&scope=repository%3Aa%2Fb%3Apull");
}

TEST(Challenges, WithoutTheirLastQuoteEndWithTheHeader) {
    const auto all = parse_challenges({R"(Bearer realm="https://auth.example/token)"});
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all.front().parameters.at("realm"), "https://auth.example/token");
}

TEST(Challenges, AskForEveryScopeInATokensUrl) {
    EXPECT_EQ(token_url({"bearer", {{"realm", "https://a/t"}}}, {"repository:a:pull", "b"}),
              "https://a/t?scope=repository%3Aa%3Apull&scope=b");
    EXPECT_EQ(token_form({{"service", "s"}}, {"a", "b"}, "x=y"),
              "grant_type=refresh_token&client_id=stack&refresh_token=x%3Dy&scope=a%20b&service=s");
}

TEST(LinkLocal, IsWhatCloudsKeepTheirSecretsAt) {
    for (const auto* host : {"169.254.169.254", "169.254.1.1:80", "[fe80::1]:80"})
        EXPECT_TRUE(is_link_local(host)) << host;
    for (const auto* host : {"169.253.1.1", "169.254.169.254.example", "[fd00::1]", "localhost"})
        EXPECT_FALSE(is_link_local(host)) << host;
}

}  // namespace stack::fetch
