// The addresses of health checks that start no process.

#include "model/native_probe.h"

#include <gtest/gtest.h>

namespace stack {
namespace {

std::string text_of(const Expected<NativeProbe>& probe) {
    if (!probe)
        return std::to_string(probe.error().offset) + ": " + probe.error().message;
    const std::string server = to_text(probe->address) + " " + std::to_string(probe->port);
    return probe->http ? server + " " + probe->http->host + " " + probe->http->target : server;
}

std::string http(std::string_view url) {
    return text_of(parse_http_probe(url));
}

std::string tcp(std::string_view address) {
    return text_of(parse_tcp_probe(address));
}

TEST(NativeProbe, OfHttpHasAHostAPortAndATarget) {
    EXPECT_EQ(http("http://localhost:8080/health?deep=1"),
              "127.0.0.1 8080 localhost:8080 /health?deep=1");
    EXPECT_EQ(http("http://localhost"), "127.0.0.1 80 localhost /");
    EXPECT_EQ(http("http://10.1.2.3?x"), "10.1.2.3 80 10.1.2.3 /?x");
    EXPECT_EQ(http("http://[::1]:5000/a:b]"), "::1 5000 [::1]:5000 /a:b]");
    EXPECT_EQ(http("http://[::1]"), "::1 80 [::1] /");
}

TEST(NativeProbe, OfTcpHasAPortAtLeast) {
    EXPECT_EQ(tcp("5432"), "127.0.0.1 5432");
    EXPECT_EQ(tcp("localhost:65535"), "127.0.0.1 65535");
    EXPECT_EQ(tcp("[fd00::1]:22"), "fd00::1 22");
}

TEST(NativeProbe, SaysWhereItIsWrong) {
    EXPECT_EQ(http("https://localhost"),
              "0: only http is spoken here; for https, let `test` run a client of the image");
    EXPECT_EQ(http("localhost:80/x"), "0: expected a URL such as `http://localhost:8080/health`");
    const std::string host =
        "the host is `localhost` or an IP address: it is asked from inside the container";
    EXPECT_EQ(http("http://web:80/x"), "7: " + host);
    EXPECT_EQ(http("http://"), "7: " + host);
    EXPECT_EQ(http("http://::1/"), "7: " + host);
    EXPECT_EQ(http("http://[10.0.0.1]/"), "7: " + host);
    EXPECT_EQ(http("http://localhost:0/"), "17: a port is a number from 1 to 65535");
    EXPECT_EQ(http("http://localhost:/"), "17: a port is a number from 1 to 65535");
    EXPECT_EQ(http("http://localhost:65536"), "17: a port is a number from 1 to 65535");
    EXPECT_EQ(http("http://localhost/a b"), "18: a URL has no such character here");
    EXPECT_EQ(http("http://localhost/a\r\nX: y"), "18: a URL has no such character here");
    EXPECT_EQ(tcp("localhost"), "0: it needs a port: write it as `localhost:80`");
    EXPECT_EQ(tcp("db:5432"), "0: " + host);
    EXPECT_EQ(tcp("localhost:no"), "10: a port is a number from 1 to 65535");
    const std::string port =
        "0: expected a port from 1 to 65535, or an address such as `localhost:5432`";
    EXPECT_EQ(tcp("0"), port);
    EXPECT_EQ(tcp("70000"), port);
    EXPECT_EQ(tcp(""), port);
}

TEST(NativeProbe, IsToldFromACommandByTheFirstWord) {
    EXPECT_TRUE(native_probe({.test = {"HTTP", "http://localhost"}}));
    EXPECT_TRUE(native_probe({.test = {"TCP", "80"}}));
    EXPECT_FALSE(native_probe({.test = {"CMD", "80"}}));
    EXPECT_FALSE(native_probe({.test = {"TCP"}}));
    EXPECT_FALSE(native_probe({}));
}

}  // namespace
}  // namespace stack
