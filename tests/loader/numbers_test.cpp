// A number that does not fit is an error at its place, never another number.

#include "tests/loader/project.h"

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// `attribute: value` of a service that is right in all else.
std::string complaint_of(const std::string& attribute) {
    return Project("services:\n  web:\n    image: x\n    " + attribute + "\n").complaints();
}

void expect_refused(const std::string& attribute, const std::string& expected) {
    const std::string text = complaint_of(attribute);
    EXPECT_TRUE(text.starts_with("/p/compose.yaml:4:")) << attribute << "\n" << text;
    EXPECT_NE(text.find(expected), std::string::npos) << attribute << "\n" << text;
}

TEST(Numbers, OutOfRange) {
    expect_refused("scale: 99999999999", "`scale` must be a whole number from 0 to 10000");
    expect_refused("scale: 4294967297", "`scale` must be a whole number from 0 to 10000");
    expect_refused("scale: -1", "`scale` must be a whole number from 0 to 10000");
    expect_refused("deploy: {replicas: 4294967297}", "`replicas` must be a whole number from 0");
    expect_refused("healthcheck: {retries: 4294967299}", "`retries` must be a whole number from 0");
    expect_refused("restart: on-failure:-3", "a number of attempts is expected");
    expect_refused("restart: on-failure:4294967299", "a number of attempts is expected");
    expect_refused("oom_score_adj: 2000", "from -1000 to 1000");
    expect_refused("mem_swappiness: 101", "from 0 to 100");
    expect_refused("cpu_period: 99999999999", "from 0 to 1000000");
    expect_refused("pids_limit: -2", "not less than -1");
    expect_refused("blkio_config: {weight: 65546}", "`weight` must be a whole number from 10");
    expect_refused("ulimits: {nofile: -2}", "ulimit `nofile` must be a whole number");
    expect_refused("ulimits: {nofile: 99999999999999999999}", "must be a whole number");
    expect_refused("networks: {default: {priority: 4294967297}}", "`priority` must be");
    expect_refused("cpus: -1", "`cpus` must be a number from 0");
    expect_refused("cpus: nan", "`cpus` must be a number from 0");
}

TEST(Numbers, PortsOutOfRange) {
    for (const auto* port : {"'65536'", "'0'", "'80:65536'", "'65536:80'", "'1-70000:80'", "'-1'"})
        expect_refused(std::string("ports: [") + port + "]", "is malformed");
    expect_refused("ports: [{target: 65616}]", "`target` must be a port from 1 to 65535");
    expect_refused("ports: [{target: 80, published: 65616}]", "`published` must be a port");
    expect_refused("ports: [{target: 80, published: 90-80}]", "`published` must be a port");
    expect_refused("expose: ['70000']", "exposed port: \"70000\" is malformed");
}

TEST(Numbers, SizesAndDurations) {
    expect_refused("shm_size: -1", "`shm_size`: \"-1\" is malformed");
    expect_refused("mem_limit: 99999999999g", "the size is too large");
    expect_refused("mem_limit: 5x", "unknown unit `x`");
    expect_refused("stop_grace_period: 99999999999h", "the duration is too long");
    expect_refused("stop_grace_period: 10", "the unit is missing");
    expect_refused("volumes: [{type: tmpfs, target: /t, tmpfs: {size: -1}}]", "is malformed");
    EXPECT_EQ(complaint_of("memswap_limit: -1"), "");
    EXPECT_EQ(complaint_of("pids_limit: -1"), "");
}

TEST(Numbers, LimitsThatContradictEachOther) {
    const auto refused = [](const std::string& attributes, const std::string& expected) {
        const std::string text = complaint_of(attributes);
        EXPECT_TRUE(text.starts_with("/p/compose.yaml:5:")) << attributes << "\n" << text;
        EXPECT_NE(text.find(expected), std::string::npos) << attributes << "\n" << text;
    };
    refused("mem_limit: 100m\n    mem_reservation: 200m",
            "`mem_reservation` of service `web` is more than its `mem_limit`");
    refused("mem_limit: 100m\n    memswap_limit: 50m",
            "`memswap_limit` of service `web` is less than its `mem_limit`");
    EXPECT_EQ(complaint_of("mem_limit: 9m\n    mem_reservation: 9m\n    memswap_limit: 9m"), "");
    EXPECT_EQ(complaint_of("mem_limit: 9m\n    memswap_limit: -1"), "");
    EXPECT_EQ(complaint_of("mem_limit: -1\n    mem_reservation: 9m"), "");
    expect_refused("ulimits: {nofile: {soft: 1024, hard: 512}}",
                   "ulimit `nofile` has a soft limit above its hard one");
    expect_refused("ulimits: {nofile: {soft: -1, hard: 512}}", "above its hard one");
    EXPECT_EQ(complaint_of("ulimits: {nofile: {soft: 1024, hard: -1}}"), "");
    EXPECT_EQ(complaint_of("ulimits: {nofile: -1}"), "");
}

TEST(Numbers, OfAttemptsAndOfLogs) {
    expect_refused("restart: always:3", "a number of attempts is for on-failure alone");
    expect_refused("restart: 'unless-stopped:'", "a number of attempts is for on-failure alone");
    expect_refused("logging: {options: {max-size: abc}}",
                   "`max-size` of the options of `logging` must be a size such as 10m");
    expect_refused("logging: {options: {max-size: -1}}", "must be a size");
    expect_refused("logging: {options: {max-file: 0}}",
                   "`max-file` of the options of `logging` must be a number of files, 1 or more");
    expect_refused("logging: {options: {max-file: 1k}}", "must be a number of files");
    EXPECT_EQ(complaint_of("logging: {options: {max-size: 10m, max-file: '3'}}"), "");
}

TEST(Numbers, UsersAndGroups) {
    expect_refused("user: '4294967296'", "from 0 to 4294967294");
    expect_refused("user: '0:4294967295'", "from 0 to 4294967294");
    expect_refused("group_add: ['99999999999']", "from 0 to 4294967294");
    EXPECT_EQ(complaint_of("user: nobody:65534"), "");
}

}  // namespace
}  // namespace stack::test
