// --filter of container lists, on values.

#include "cli/container_filter.h"

#include "cli/context.h"

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

Time at(int second) {
    return Time(std::chrono::seconds(second));
}

std::vector<ObservedContainer> containers() {
    ObservedContainer web;
    web.id = "aaa1";
    web.name = "web";
    web.image = "nginx";
    web.image_id = "sha256:0123456789";
    web.state = ContainerState::running;
    web.health = Health::healthy;
    web.labels = {{"tier", "front"}, {"team", "a"}};
    web.ports = {{"", 8080, 80, Protocol::tcp}};
    web.addresses = {{"shop_default", "10.0.0.2", "", true}};
    web.created = at(10);
    ObservedContainer job;
    job.id = "bbb2";
    job.name = "web-job";
    job.image = "busybox:1";
    job.image_id = "sha256:9876543210";
    job.state = ContainerState::exited;
    job.exit.code = 3;
    job.labels = {{"tier", "back"}};
    job.mounts = {{.source = "data", .target = "/data"}};
    Service exposing;
    exposing.expose = {"53/udp"};
    job.service_config = std::move(exposing);
    job.created = at(20);
    ObservedContainer again;
    again.id = "ccc3";
    again.name = "again";
    again.image = "busybox:1";
    again.image_id = "sha256:9876543210";
    again.state = ContainerState::exited;
    again.restarting = true;
    again.exit.code = 1;
    again.created = at(30);
    return {web, job, again};
}

/// The first letters of those that pass.
std::string passing(const Strings& filters) {
    const auto all = containers();
    const ContainerFilter filter(filters, all);
    std::string letters;
    for (const auto& container : all)
        if (filter.matches(container))
            letters += container.id.front();
    return letters;
}

TEST(ContainerFilter, HasDockersKeys) {
    EXPECT_EQ(passing({}), "abc");
    EXPECT_EQ(passing({"name=web"}), "ab");
    EXPECT_EQ(passing({"name=^web$"}), "a");
    EXPECT_EQ(passing({"name=^/web$"}), "a");
    EXPECT_EQ(passing({"id=bb"}), "b");
    EXPECT_EQ(passing({"status=running"}), "a");
    EXPECT_EQ(passing({"status=exited"}), "b");
    EXPECT_EQ(passing({"status=restarting"}), "c");
    EXPECT_EQ(passing({"health=healthy"}), "a");
    EXPECT_EQ(passing({"health=none"}), "bc");
    EXPECT_EQ(passing({"exited=3"}), "b");
    EXPECT_EQ(passing({"ancestor=nginx:latest"}), "a");
    EXPECT_EQ(passing({"ancestor=docker.io/library/busybox:1"}), "bc");
    EXPECT_EQ(passing({"ancestor=0123"}), "a");
    EXPECT_EQ(passing({"label=tier"}), "ab");
    EXPECT_EQ(passing({"label=tier=back"}), "b");
    EXPECT_EQ(passing({"label!=tier"}), "c");
    EXPECT_EQ(passing({"network=shop_default"}), "a");
    EXPECT_EQ(passing({"volume=data"}), "b");
    EXPECT_EQ(passing({"volume=/data"}), "b");
    EXPECT_EQ(passing({"publish=8000-8090"}), "a");
    EXPECT_EQ(passing({"publish=80"}), "");
    EXPECT_EQ(passing({"expose=80/tcp"}), "a");
    EXPECT_EQ(passing({"expose=53/udp"}), "b");
    EXPECT_EQ(passing({"before=web-job"}), "a");
    EXPECT_EQ(passing({"since=bbb"}), "c");
    EXPECT_EQ(passing({"until=15"}), "a");
    EXPECT_EQ(passing({"until=1970-01-01T02:00:15+02:00"}), "a");
    EXPECT_EQ(passing({"until=1970-01-01"}), "");
}

TEST(ContainerFilter, AlternativesHaveOneKeyAndLabelsAllHold) {
    EXPECT_EQ(passing({"id=a", "id=b"}), "ab");
    EXPECT_EQ(passing({"id=a", "status=exited"}), "");
    EXPECT_EQ(passing({"label=tier", "label=team=a"}), "a");
}

TEST(ContainerFilter, WhatHasNoMeaningIsRefused) {
    for (const auto* filter : {"colour=red",
                               "name",
                               "status=gone",
                               "health=ill",
                               "publish=x",
                               "publish=80/http",
                               "before=nobody",
                               "name=(",
                               "exited=abc",
                               "until=soon",
                               "until=2026-99-99",
                               "until=1700000000000"})
        EXPECT_THROW(static_cast<void>(passing({filter})), Exit) << filter;
}

}  // namespace
}  // namespace stack::cli
