// The registry's client against a server that answers what a test tells it to.

#include "fetch/registry.h"

#include <stack/error.h>

#include "base/digest.h"
#include "sys/file.h"
#include "tests/support/web_server.h"

#include <atomic>

#include <gtest/gtest.h>

namespace stack::fetch {
namespace {

using test::web_answer;
using test::WebRequest;
using test::WebServer;

Registry registry_at(const WebServer& server, const CredentialMap& credentials = {}) {
    image::Reference reference;
    reference.domain = server.host();
    reference.path = "a/b";
    reference.tag = "1";
    return {reference, Registry::Access::pull, {}, credentials};
}

std::string digest_of(const std::string& bytes) {
    return "sha256:" + sha256_hex(bytes);
}

std::string blob(Registry& registry, const std::string& content) {
    std::string got;
    registry.blob(digest_of(content),
                  static_cast<std::int64_t>(content.size()),
                  0,
                  [&](std::string_view bytes) {
                      got += bytes;
                      return true;
                  });
    return got;
}

/// Runs it and returns the sentence it fails with.
std::string refusal(const std::function<void()>& ask) {
    try {
        ask();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was refused";
}

TEST(RegistryClient, WaitsWhereItIsToldToAndAsksAgain) {
    std::atomic<int> asked = 0;
    WebServer server([&](const WebRequest&) {
        return ++asked == 1 ? web_answer(429, "slowly", {{"Retry-After", "0"}})
                            : web_answer(200, "{}", {{"Content-Type", "a/b"}});
    });
    auto registry = registry_at(server);
    EXPECT_EQ(registry.manifest("1").bytes, "{}");
    EXPECT_EQ(asked, 2);
}

TEST(RegistryClient, AsksForTheRestOfWhatBroke) {
    const std::string content = "0123456789";
    std::atomic<int> asked = 0;
    WebServer server([&](const WebRequest& request) {
        if (++asked == 1)
            return web_answer(200, content).substr(0, web_answer(200, content).size() - 6);
        EXPECT_EQ(request.headers.at("range"), "bytes=4-");
        return web_answer(206, content.substr(4), {{"Content-Range", "bytes 4-9/10"}});
    });
    auto registry = registry_at(server);
    EXPECT_EQ(blob(registry, content), content);
    EXPECT_EQ(asked, 2);
}

TEST(RegistryClient, UnderstandsAServerThatBeginsAnew) {
    const std::string content = "0123456789";
    std::atomic<int> asked = 0;
    WebServer server([&](const WebRequest&) {
        const std::string whole = web_answer(200, content);
        return ++asked == 1 ? whole.substr(0, whole.size() - 6) : whole;
    });
    auto registry = registry_at(server);
    EXPECT_EQ(blob(registry, content), content);
}

TEST(RegistryClient, TakesNoMoreThanWasPromised) {
    WebServer server([&](const WebRequest&) { return web_answer(200, "0123456789 and more"); });
    auto registry = registry_at(server);
    EXPECT_NE(refusal([&] { blob(registry, "0123456789"); }).find("longer"), std::string::npos);
    WebServer endless([&](const WebRequest&) {
        return web_answer(200, std::string(5U << 20U, ' '), {{"Content-Type", "a/b"}});
    });
    auto other = registry_at(endless);
    EXPECT_NE(refusal([&] { other.manifest("1"); }).find("longer than 4 MiB"), std::string::npos);
}

TEST(RegistryClient, TellsNobodyElseWhoItIs) {
    const std::string content = "0123456789";
    WebServer elsewhere([&](const WebRequest&) { return web_answer(200, content); });
    WebServer server([&](const WebRequest& request) {
        if (!request.headers.contains("authorization"))
            return web_answer(401, "", {{"WWW-Authenticate", "Basic realm=\"r\""}});
        return web_answer(307, "", {{"Location", "http://" + elsewhere.host() + "/blob"}});
    });
    auto registry = registry_at(server, {{server.host(), {"user", "password", "", ""}}});
    EXPECT_EQ(blob(registry, content), content);
    EXPECT_EQ(server.requests().back().headers.at("authorization"), "Basic dXNlcjpwYXNzd29yZA==");
    ASSERT_EQ(elsewhere.requests().size(), 1U);
    EXPECT_FALSE(elsewhere.requests().front().headers.contains("authorization"));
}

TEST(RegistryClient, FollowsNoRedirectToNowhere) {
    for (const auto* target : {"file:///etc/passwd",
                               "gopher://127.0.0.1/x",
                               "http://169.254.169.254/latest/meta-data",
                               "/v2/a/b/again"}) {
        WebServer server([&](const WebRequest&) {
            return web_answer(302, "", {{"Location", target}});
        });
        auto registry = registry_at(server);
        EXPECT_NE(refusal([&] { blob(registry, "x"); }), "nothing was refused") << target;
        EXPECT_LE(server.requests().size(), 60U) << target;
    }
}

TEST(RegistryClient, TakesANewTokenWhereTheOldHasExpired) {
    std::atomic<int> tokens = 0;
    std::string host;
    WebServer server([&](const WebRequest& request) {
        if (request.path.starts_with("/token"))
            return web_answer(200, R"({"token": "t)" + std::to_string(++tokens) + "\"}");
        const auto sent = request.headers.find("authorization");
        if (sent != request.headers.end() && sent->second == "Bearer t" + std::to_string(tokens))
            return web_answer(200, "{}", {{"Content-Type", "a/b"}});
        return web_answer(
            401, "", {{"WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\""}});
    });
    host = server.host();
    auto registry = registry_at(server);
    EXPECT_EQ(registry.manifest("1").bytes, "{}");
    ++tokens;  // the one it has is worth nothing now
    EXPECT_EQ(registry.manifest("1").bytes, "{}");
    EXPECT_EQ(tokens, 3);
}

/// What a pull says where the registry wants a token, and `token` is what is said where it is
/// given.
std::string refusal_of_token(const std::string& token, const CredentialMap& credentials = {}) {
    std::string host;
    WebServer server([&](const WebRequest& request) {
        if (request.path.starts_with("/token"))
            return token;
        return web_answer(
            401, "", {{"WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\""}});
    });
    host = server.host();
    CredentialMap own = credentials;
    if (const auto any = own.extract(""))
        own[host] = any.mapped();
    auto registry = registry_at(server, own);
    return refusal([&] { registry.manifest("1"); });
}

TEST(RegistryClient, DoesNotMountWhatItMayNotRead) {
    std::string host;
    WebServer server([&](const WebRequest& request) {
        if (request.path.starts_with("/token"))
            return web_answer(403, "not for you");
        return web_answer(
            401, "", {{"WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\""}});
    });
    host = server.host();
    auto registry = registry_at(server);
    EXPECT_FALSE(registry.mount(digest_of("x"), "of/others"));
}

TEST(RegistryClient, TellsWhatTheGiverOfTokensSays) {
    const auto says = [](const std::string& sentence, const std::string& words) {
        return sentence.find(words) != std::string::npos;
    };
    const std::string busy =
        refusal_of_token(web_answer(503, "<html>busy\x1b[31m</html>", {{"Retry-After", "0"}}));
    EXPECT_TRUE(says(busy, "answered 503")) << busy;
    EXPECT_TRUE(says(busy, "busy")) << busy;
    EXPECT_FALSE(says(busy, "\x1b")) << busy;
    EXPECT_FALSE(says(busy, "denied")) << busy;
    const std::string slow = refusal_of_token(web_answer(429, "", {{"Retry-After", "0"}}));
    EXPECT_TRUE(says(slow, "no more for now")) << slow;
    for (const auto* body : {"no JSON", "[]", "{}", R"({"token": 7})", R"({"token": "a\r\nb"})"}) {
        const std::string empty = refusal_of_token(web_answer(200, body));
        EXPECT_TRUE(says(empty, "answered 200 and gave none")) << empty;
    }
    const std::string denied =
        refusal_of_token(web_answer(401, R"({"errors": [{"message": "bad password"}]})"),
                         {{"", {"me", "x", "", ""}}});
    EXPECT_TRUE(says(denied, "bad password")) << denied;
    EXPECT_TRUE(says(denied, "none for me")) << denied;
    EXPECT_TRUE(says(denied, "stack login 127.0.0.1")) << denied;
    const std::string strange = refusal_of_token(web_answer(401, R"({"errors": [7, {}]})"));
    EXPECT_TRUE(says(strange, "none for nobody")) << strange;
}

TEST(RegistryClient, SaysThatALoginMayShowWhatIsNotFound) {
    std::string host;
    const auto answer = [&](const WebRequest& request) {
        if (request.path.starts_with("/token"))
            return web_answer(200, R"({"access_token": "t"})");
        return request.headers.contains("authorization")
                   ? web_answer(404, R"({"errors": [{"message": "unknown"}]})")
                   : web_answer(
                         401,
                         "",
                         {{"WWW-Authenticate", "Bearer realm=\"http://" + host + "/token\""}});
    };
    WebServer server(answer);
    host = server.host();
    auto guest = registry_at(server);
    EXPECT_NE(refusal([&] { guest.manifest("1"); }).find("stack login " + host), std::string::npos);
    auto known = registry_at(server, {{host, {"me", "x", "", ""}}});
    EXPECT_EQ(refusal([&] { known.manifest("1"); }).find("stack login"), std::string::npos);
    WebServer open([](const WebRequest&) { return web_answer(404, ""); });
    auto asked_nothing = registry_at(open);
    EXPECT_EQ(refusal([&] { asked_nothing.manifest("1"); }).find("stack login"), std::string::npos);
}

TEST(RegistryClient, ReadsTheListOfTagsToItsEnd) {
    WebServer server([](const WebRequest& request) {
        return request.path.find("last=b") == std::string::npos
                   ? web_answer(200,
                                R"({"tags": ["a", "b"]})",
                                {{"Link", "</v2/a/b/tags/list?last=b>; rel=\"next\""}})
                   : web_answer(200, R"({"tags": ["c", 7]})");
    });
    auto registry = registry_at(server);
    EXPECT_EQ(registry.tags(), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(server.requests().size(), 2U);
    WebServer none([](const WebRequest&) { return web_answer(200, R"({"tags": null})"); });
    auto empty = registry_at(none);
    EXPECT_TRUE(empty.tags().empty());
    WebServer endless([](const WebRequest&) {
        return web_answer(
            200, R"({"tags": ["a"]})", {{"Link", "</v2/a/b/tags/list>; rel=\"next\""}});
    });
    auto turning = registry_at(endless);
    EXPECT_NE(refusal([&] { static_cast<void>(turning.tags()); }).find("without end"),
              std::string::npos);
    WebServer elsewhere([](const WebRequest&) {
        return web_answer(
            200, R"({"tags": ["a"]})", {{"Link", "<http://169.254.169.254/v2/>; rel=\"next\""}});
    });
    auto led_away = registry_at(elsewhere);
    EXPECT_EQ(led_away.tags(), std::vector<std::string>{"a"});
}

TEST(RegistryClient, BelievesNoManifestWithAnotherDigest) {
    WebServer server([&](const WebRequest&) {
        return web_answer(200, "{}", {{"Content-Type", "a/b"}});
    });
    auto registry = registry_at(server);
    EXPECT_NE(refusal([&] { registry.manifest(digest_of("other")); }).find("instead of"),
              std::string::npos);
}

TEST(RegistryClient, UploadsInPiecesWhereTheWholeIsTooMuch) {
    const std::string content(1000, 'x');
    const sys::Fd file = sys::memory_file("blob", content);
    WebServer server([&](const WebRequest& request) {
        const std::map<std::string, std::string> next{{"Location", "/v2/a/b/blobs/uploads/1?s=2"}};
        if (request.method == "POST" || request.method == "PATCH")
            return web_answer(202, "", next);
        const bool whole = request.headers.contains("content-length") &&
                           request.headers.at("content-length") == "1000";
        return web_answer(whole ? 413 : 201, "");
    });
    auto registry = registry_at(server);
    registry.upload(digest_of(content), file, 1000, [](std::int64_t) {});
    std::string methods;
    for (const auto& request : server.requests())
        methods += request.method + " ";
    EXPECT_EQ(methods, "POST PUT POST PATCH PUT ");
    EXPECT_EQ(server.requests().back().path,
              "/v2/a/b/blobs/uploads/1?s=2&digest=" + digest_of(content));
}

}  // namespace
}  // namespace stack::fetch
