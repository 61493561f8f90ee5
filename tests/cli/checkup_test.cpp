// What `stack doctor` says of a machine.

#include "cli/checkup.h"

#include <functional>

#include <gtest/gtest.h>

namespace stack::cli {
namespace {

Machine well() {
    Machine machine;
    machine.kernel = "6.1.0-13-amd64";
    machine.cgroups = "v2";
    machine.controllers = {"cpu", "cpuset", "io", "memory", "pids"};
    machine.disk = {"/var/lib/stack", "ext4", 1ULL << 40U, 1ULL << 39U, 1000, 900};
    return machine;
}

/// The checks that find something wrong, with their texts.
std::string complaints(const std::function<void(Machine&)>& change) {
    Machine machine = well();
    change(machine);
    std::string text;
    for (const auto& finding : findings(machine))
        if (!finding.good)
            text += finding.check + ": " + finding.text + " => " + finding.advice + "\n";
    return text;
}

}  // namespace

TEST(Checkup, SaysWhatItCouldNotLookAt) {
    Machine machine = well();
    machine.unread_rules = "the program nft is not there (package nftables)";
    std::string text;
    for (const auto& finding : findings(machine))
        if (finding.check == "firewall" || finding.check == "names")
            text += finding.text + "\n";
    EXPECT_EQ(text,
              "whether tables of others drop what containers send is not known: "
              "the program nft is not there (package nftables)\nport 53 of gateways is free\n");
    EXPECT_EQ(complaints([](Machine& one) { one.unread_rules = "?"; }), "");
}

TEST(Checkup, HasNothingAgainstAMachineThatIsWell) {
    EXPECT_EQ(complaints([](Machine&) {}), "");
    EXPECT_EQ(complaints([](Machine& machine) { machine.kernel = "5.14.0"; }), "");
    EXPECT_EQ(complaints([](Machine& machine) { machine.forwards = false; }), "");
    EXPECT_EQ(complaints([](Machine& machine) {
                  machine.controllers = {"blkio", "cpu", "memory", "pids"};
              }),
              "");
}

TEST(Checkup, SaysWhatOfTheStateIsDamagedAndWhereTheRulesHaveGone) {
    EXPECT_EQ(
        complaints([](Machine& machine) { machine.damaged = {"/s/networks/a.json"}; }),
        "records: /s/networks/a.json is damaged => put back a copy, or remove it and bring its "
        "stack up again\n");
    EXPECT_EQ(complaints([](Machine& machine) { machine.has_rules = false; }),
              "rules: somebody has taken away what leads to published ports => `stack up` of any "
              "stack puts it back\n");
}

TEST(Checkup, SaysWhatIsMissing) {
    EXPECT_EQ(complaints([](Machine& machine) { machine.kernel = "5.10.0-8-amd64"; }),
              "kernel: Linux 5.10.0-8-amd64 lacks what containers need => boot Linux 5.14 or a "
              "later one\n");
    EXPECT_NE(complaints([](Machine& machine) {
                  machine.controllers = {"cpu", "io", "pids"};
              }).find("cgroups: v2, controllers cpu io pids; without memory,"),
              std::string::npos);
    EXPECT_NE(complaints([](Machine& machine) {
                  machine.forwards = machine.can_set_forwarding = false;
              }).find("forwarding: "),
              std::string::npos);
    EXPECT_NE(complaints([](Machine& machine) { machine.has_overlayfs = false; }).find("overlay"),
              std::string::npos);
}

TEST(Checkup, TellsOfEachObstacleWithItsWayOut) {
    EXPECT_EQ(
        complaints([](Machine& machine) {
            machine.obstacles = {{"inet filter", "forward", network::Flow::outward, "do this"},
                                 {"inet filter", "forward", network::Flow::inward, "do that"}};
        }),
        "firewall: table inet filter, chain forward, drops what containers send to the world "
        "=> do this\n"
        "firewall: table inet filter, chain forward, drops what is sent to published ports of "
        "containers => do that\n");
}

TEST(Checkup, LooksAtTheDisk) {
    const auto with = [](const std::function<void(Disk&)>& change) {
        return complaints([&](Machine& machine) { change(machine.disk); });
    };
    EXPECT_NE(with([](Disk& disk) { disk.available = 1 << 20; }).find("MB free"),
              std::string::npos);
    EXPECT_NE(with([](Disk& disk) { disk.type = "overlay"; }).find("put --root on ext4"),
              std::string::npos);
    EXPECT_NE(with([](Disk& disk) { disk.is_read_only = true; }).find("it is read-only => "),
              std::string::npos);
    EXPECT_NE(with([](Disk& disk) { disk.free_inodes = 10; }).find("only 10 inodes"),
              std::string::npos);
    EXPECT_EQ(with([](Disk& disk) { disk.inodes = disk.free_inodes = 0; }), "");
}

}  // namespace stack::cli
