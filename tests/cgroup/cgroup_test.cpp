#include "engine/cgroup/cgroup.h"

#include <stack/error.h>

#include "sys/file.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

namespace stack::cgroup {
namespace {

std::string text_of(const std::vector<FileWrite>& writes) {
    std::string text;
    for (const auto& write : writes)
        text += write.file + " = " + (write.device.empty() ? "" : "<" + write.device + "> ") +
                write.value + (write.required ? "\n" : " (may fail)\n");
    return text;
}

Resources limited() {
    Resources resources;
    resources.memory = 64 << 20;
    resources.cpus = 0.5;
    resources.pids = 100;
    resources.cpu_shares = 512;
    resources.memory_reservation = 32 << 20;
    return resources;
}

TEST(Limits, OnV1) {
    EXPECT_EQ(text_of(limits_for(Mode::v1, limited())),
              "memory.limit_in_bytes = 67108864\n"
              "memory.memsw.limit_in_bytes = 134217728 (may fail)\n"
              "memory.soft_limit_in_bytes = 33554432 (may fail)\n"
              "cpu.cfs_period_us = 100000\n"
              "cpu.cfs_quota_us = 50000\n"
              "cpu.shares = 512 (may fail)\n"
              "pids.max = 100\n");
}

TEST(Limits, OnV2) {
    EXPECT_EQ(text_of(limits_for(Mode::v2, limited())),
              "memory.max = 67108864\n"
              "memory.swap.max = 67108864 (may fail)\n"
              "memory.low = 33554432 (may fail)\n"
              "cpu.max = 50000 100000\n"
              "cpu.weight = 59 (may fail)\n"
              "pids.max = 100\n");
}

TEST(Limits, ThatAreNotAskedForAreNotWritten) {
    EXPECT_TRUE(limits_for(Mode::v2, {}).empty());
    Resources resources;
    resources.pids = -1;
    EXPECT_EQ(text_of(limits_for(Mode::v2, resources)), "pids.max = max\n");
}

TEST(Limits, TheDefaultOf1024SharesWeighs100) {
    Resources resources;
    resources.cpu_shares = 1024;
    EXPECT_EQ(text_of(limits_for(Mode::v2, resources)), "cpu.weight = 100 (may fail)\n");
}

TEST(Limits, ZeroIsNoLimit) {
    Resources resources;
    resources.memory = 0;
    resources.pids = 0;
    resources.cpus = 0;
    EXPECT_EQ(text_of(limits_for(Mode::v2, resources)),
              "memory.max = max\n"
              "memory.swap.max = max (may fail)\n"
              "pids.max = max\n");
}

TEST(Limits, OfBlockDevicesNameTheDevice) {
    Resources resources;
    resources.blkio.weight = 1000;
    resources.blkio.device_read_bps = {{"/dev/sda", 1024}};
    resources.blkio.device_write_iops = {{"/dev/sda", 10}};
    EXPECT_EQ(text_of(limits_for(Mode::v1, resources)),
              "blkio.bfq.weight = 1000 (may fail)\n"
              "blkio.throttle.read_bps_device = </dev/sda> 1024\n"
              "blkio.throttle.write_iops_device = </dev/sda> 10\n");
    EXPECT_EQ(text_of(limits_for(Mode::v2, resources)),
              "io.weight = default 10000 (may fail)\n"
              "io.max = </dev/sda> rbps=1024\n"
              "io.max = </dev/sda> wiops=10\n");
}

TEST(Limits, NameProcessorsAndMemoryNodes) {
    Resources resources;
    resources.cpuset = "0-1";
    resources.cpuset_mems = "0";
    for (const auto mode : {Mode::v1, Mode::hybrid, Mode::v2})
        EXPECT_EQ(text_of(limits_for(mode, resources)), "cpuset.cpus = 0-1\ncpuset.mems = 0\n");
    EXPECT_EQ(text_of(lifted_limits_for(Mode::v2, resources)).find("cpuset"), std::string::npos);
}

TEST(LiftedLimits, AreThoseThatAreNotNamed) {
    EXPECT_EQ(text_of(lifted_limits_for(Mode::v2, limited())),
              "cpuset.cpus = \n (may fail)\n"
              "cpuset.mems = \n (may fail)\n"
              "io.weight = default 100 (may fail)\n");
    Resources resources = limited();
    resources.memory.reset();
    EXPECT_EQ(text_of(lifted_limits_for(Mode::v1, resources)),
              "memory.memsw.limit_in_bytes = -1 (may fail)\n"
              "memory.limit_in_bytes = -1 (may fail)\n"
              "memory.oom_control = 0 (may fail)\n"
              "cpu.rt_runtime_us = 0 (may fail)\n"
              "cpu.rt_period_us = 1000000 (may fail)\n"
              "blkio.bfq.weight = 100 (may fail)\n");
    resources.cpus.reset();
    resources.oom_kill_disable = true;
    resources.cpu_rt_runtime = 1000;
    resources.cpu_rt_period = 1000;
    resources.blkio.weight = 10;
    EXPECT_EQ(text_of(lifted_limits_for(Mode::v1, resources)),
              "memory.memsw.limit_in_bytes = -1 (may fail)\n"
              "memory.limit_in_bytes = -1 (may fail)\n"
              "cpu.cfs_quota_us = -1 (may fail)\n"
              "cpu.cfs_period_us = 100000 (may fail)\n");
}

/// A directory that looks like a cgroup mount, for what cannot be had on this machine.
class FakeMount : public testing::Test {
  protected:
    FakeMount() {
        char name[] = "/tmp/stack-cgroup-test-XXXXXX";
        mount_ = ::mkdtemp(name);
    }

    ~FakeMount() override { sys::remove_tree(mount_); }

    void file(const std::string& path, const std::string& text = "") {
        sys::ensure_directory(sys::parent_path(mount_ + "/" + path));
        sys::replace_volatile_file(mount_ + "/" + path, text);
    }

    std::string mount_;
};

TEST_F(FakeMount, ModesAreToldApart) {
    EXPECT_EQ(Cgroups(mount_).mode(), Mode::none);
    sys::ensure_directory(mount_ + "/memory");
    EXPECT_EQ(Cgroups(mount_).mode(), Mode::v1);
    file("unified/cgroup.procs");
    EXPECT_EQ(Cgroups(mount_).mode(), Mode::hybrid);
    file("cgroup.controllers", "cpu memory pids\n");
    EXPECT_EQ(Cgroups(mount_).mode(), Mode::v2);
}

TEST_F(FakeMount, OnV2ControllersAreEnabledOnTheWayDownButNotInTheLeaf) {
    file("cgroup.controllers", "cpu memory pids\n");
    file("cgroup.subtree_control", "cpu memory pids\n");
    file("stack/cgroup.subtree_control", "cpu memory pids\n");
    file("stack/web/memory.max");
    Strings warnings;
    Resources resources;
    resources.memory = 4096;
    const auto placement = Cgroups(mount_).ensure("stack/web", resources, warnings);
    EXPECT_EQ(sys::read_file(mount_ + "/stack/web/memory.max"), "4096");
    EXPECT_FALSE(sys::exists(mount_ + "/stack/web/cgroup.subtree_control"));
    EXPECT_TRUE(placement.attach_files.empty());
    EXPECT_EQ(placement.v2_directory, mount_ + "/stack/web");
    EXPECT_EQ(warnings.size(), 1U) << "memory.swap.max is not there";
}

TEST_F(FakeMount, AMissingControllerIsAWarning) {
    sys::ensure_directory(mount_ + "/memory");
    Strings warnings;
    Resources resources;
    resources.cpus = 1;
    Cgroups(mount_).ensure("stack/web", resources, warnings);
    ASSERT_FALSE(warnings.empty());
    EXPECT_NE(warnings[0].find("cgroup controller cpu is not available"), std::string::npos);
}

/// Each limit that there is, alone.
std::vector<std::pair<const char*, Resources>> each_limit() {
    std::vector<std::pair<const char*, Resources>> each;
    const auto add = [&](const char* name, auto&& set) {
        set(each.emplace_back(name, Resources{}).second);
    };
    add("cpus", [](Resources& one) { one.cpus = 1; });
    add("cpu_shares", [](Resources& one) { one.cpu_shares = 512; });
    add("cpu_quota", [](Resources& one) { one.cpu_quota = 10'000; });
    add("cpu_rt_runtime", [](Resources& one) { one.cpu_rt_runtime = 1000; });
    add("cpu_rt_period", [](Resources& one) { one.cpu_rt_period = 1000; });
    add("cpuset", [](Resources& one) { one.cpuset = "0"; });
    add("cpuset_mems", [](Resources& one) { one.cpuset_mems = "0"; });
    add("memory", [](Resources& one) { one.memory = 64 << 20; });
    add("memory_reservation", [](Resources& one) { one.memory_reservation = 64 << 20; });
    add("memory_swappiness", [](Resources& one) { one.memory_swappiness = 10; });
    add("pids", [](Resources& one) { one.pids = 10; });
    add("reserved_cpus", [](Resources& one) { one.reserved_cpus = 0.5; });
    add("oom_kill_disable", [](Resources& one) { one.oom_kill_disable = true; });
    add("blkio.weight", [](Resources& one) { one.blkio.weight = 100; });
    add("blkio.read_bps", [](Resources& one) { one.blkio.device_read_bps = {{"/dev/null", 1}}; });
    return each;
}

TEST_F(FakeMount, NoLimitThatIsAskedForIsSilentlyIgnored) {
    file("bare/pids/tasks");  // v1 with next to nothing
    file("hybrid/unified/cgroup.procs");
    file("hybrid/freezer/tasks");
    file("v2/cgroup.controllers", "\n");  // nothing is delegated
    file("v2/cgroup.procs");
    for (const auto* machine : {"none", "bare", "hybrid", "v2"})
        for (const auto& [name, resources] : each_limit()) {
            Strings warnings;
            Strings without;
            const Cgroups cgroups(mount_ + "/" + machine);
            cgroups.ensure(std::string("stack/") + name, resources, warnings);
            cgroups.ensure(std::string("stack/no-") + name, {}, without);
            const bool is_none = cgroups.mode() == Mode::none;  // says so whatever is asked for
            EXPECT_GT(warnings.size(), is_none ? 0 : without.size()) << machine << ": " << name;
        }
}

TEST_F(FakeMount, OnHybridAGroupIsInItsHierarchiesAndInTheUnifiedOne) {
    for (const auto* name : {"memory", "pids", "cpu", "cpuacct", "freezer", "blkio", "cpuset"})
        sys::ensure_directory(mount_ + "/" + name);
    file("unified/cgroup.procs");
    file("pids/stack/web/tasks");
    Strings warnings;
    const auto placement = Cgroups(mount_).ensure("stack/web", {}, warnings);
    EXPECT_EQ(placement.v2_directory, mount_ + "/unified/stack/web");
    EXPECT_EQ(placement.attach_files, Strings{mount_ + "/pids/stack/web/tasks"});
    for (const auto* name : {"memory", "cpu", "cpuacct", "unified"})
        EXPECT_TRUE(sys::is_directory(mount_ + "/" + name + "/stack/web")) << name;
    for (const auto* name : {"freezer", "blkio", "cpuset"})
        EXPECT_FALSE(sys::exists(mount_ + "/" + name + "/stack")) << name << " is not needed";
}

TEST_F(FakeMount, LiftedLimitsOfDevicesAreThoseOfTheFile) {
    file("cgroup.controllers", "io\n");
    file("stack/web/io.weight", "default 200\n8:0 300\n");
    Strings warnings;
    Cgroups(mount_).ensure("stack/web", {}, warnings);
    // A plain file keeps what is behind the last write, as the kernel's does not.
    EXPECT_EQ(sys::read_file(mount_ + "/stack/web/io.weight"), "8:0 default\n8:0 300\n");
}

TEST_F(FakeMount, OnV1TheDevicesControllerGuardsDevices) {
    for (const auto* name : {"memory", "pids"})
        sys::ensure_directory(mount_ + "/" + name);
    for (const auto* name : {"tasks", "devices.deny", "devices.allow"})
        file(std::string("devices/stack/web/") + name);
    const Cgroups cgroups(mount_);
    Strings warnings;
    auto placement = cgroups.ensure("stack/web", {}, warnings);
    cgroups.guard_devices("stack/web", {*parse_device_rule("c 1:3 rw")}, placement, warnings);
    EXPECT_EQ(placement.attach_files, Strings{mount_ + "/devices/stack/web/tasks"});
    EXPECT_EQ(sys::read_file(mount_ + "/devices/stack/web/devices.deny"), "a");
    EXPECT_EQ(sys::read_file(mount_ + "/devices/stack/web/devices.allow"), "c 1:3 rw");
    EXPECT_TRUE(warnings.empty());
}

TEST_F(FakeMount, WhereNothingGuardsDevicesThatIsSaid) {
    sys::ensure_directory(mount_ + "/memory");
    const Cgroups cgroups(mount_);
    Strings warnings;
    auto placement = cgroups.ensure("stack/web", {}, warnings);
    cgroups.guard_devices("stack/web", {}, placement, warnings);
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].find("devices controller of v1"), std::string::npos);
}

TEST_F(FakeMount, AMachineWithoutControlGroupsSaysSo) {
    Strings warnings;
    const auto placement = Cgroups(mount_).ensure("stack/web", {}, warnings);
    EXPECT_TRUE(placement.v2_directory.empty() && placement.attach_files.empty());
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_NE(warnings[0].find("limits are not enforced"), std::string::npos);
}

/// The machine's own tree, in groups of this test's name.
class RealTree : public testing::Test {
  protected:
    RealTree() : path_("stack-test-" + std::to_string(::getpid()) + "/leaf") {
        if (cgroups_.mode() == Mode::none || !sys::may_administer())
            skipped_ = true;
    }

    ~RealTree() override {
        if (!skipped_) {
            cgroups_.remove(path_);
            cgroups_.remove(sys::parent_path(path_));
        }
    }

    Cgroups cgroups_;
    std::string path_;
    bool skipped_ = false;
};

TEST_F(RealTree, LimitsAreHeldAndTheGroupVanishes) {
    ASSERT_FALSE(skipped_) << "needs root and a cgroup mount";
    Strings warnings;
    Resources resources;
    resources.memory = 64 << 20;
    resources.pids = 10;
    const auto placement = cgroups_.ensure(path_, resources, warnings);
    EXPECT_TRUE(!placement.attach_files.empty() || !placement.v2_directory.empty());
    EXPECT_EQ(cgroups_.usage(path_).memory_limit, 64 << 20);
    EXPECT_TRUE(cgroups_.processes(path_).empty());
    EXPECT_EQ(cgroups_.children(sys::parent_path(path_)), Strings{"leaf"});
}

TEST_F(RealTree, ChangedLimitsReplaceThoseBefore) {
    ASSERT_FALSE(skipped_) << "needs root and a cgroup mount";
    Strings warnings;
    Resources resources;
    resources.memory = 64 << 20;
    resources.memory_swap = 64 << 20;
    cgroups_.ensure(path_, resources, warnings);
    resources.memory = 128 << 20;  // above what memory and swap may be until that is changed, too
    resources.memory_swap = 128 << 20;
    cgroups_.ensure(path_, resources, warnings);
    EXPECT_EQ(cgroups_.usage(path_).memory_limit, 128 << 20);
    cgroups_.ensure(path_, {}, warnings);
    EXPECT_EQ(cgroups_.usage(path_).memory_limit, 0);
}

/// What the files of a group say that a test has limited; those that the machine has.
std::string limits_in(const Cgroups& cgroups, const std::string& path) {
    std::string text;
    for (const auto& [hierarchy, directory] : cgroups.directories(path))
        for (const auto* file : {"memory.limit_in_bytes",
                                 "memory.memsw.limit_in_bytes",
                                 "memory.soft_limit_in_bytes",
                                 "memory.swappiness",
                                 "memory.oom_control",
                                 "cpu.shares",
                                 "cpu.cfs_quota_us",
                                 "cpu.cfs_period_us",
                                 "cpuset.cpus",
                                 "cpuset.mems",
                                 "pids.max",
                                 "blkio.bfq.weight",
                                 "memory.max",
                                 "memory.swap.max",
                                 "memory.low",
                                 "cpu.max",
                                 "cpu.weight",
                                 "io.weight"})
            if (const auto value = sys::read_file(directory + "/" + file))
                text += std::string(file) + ": " + *value;
    return text;
}

TEST_F(RealTree, LiftedLimitsAreThoseOfANewGroup) {
    ASSERT_FALSE(skipped_) << "needs root and a cgroup mount";
    Strings warnings;
    Resources resources = limited();
    resources.cpu_period = 50'000;
    resources.cpuset = "0";
    resources.cpuset_mems = "0";
    resources.memory_swappiness = 10;
    resources.oom_kill_disable = true;
    resources.blkio.weight = 300;
    const std::string other = sys::parent_path(path_) + "/other";
    cgroups_.ensure(path_, resources, warnings);
    cgroups_.ensure(other, resources, warnings);
    const std::string limited_files = limits_in(cgroups_, path_);
    EXPECT_EQ(limits_in(cgroups_, other), limited_files);
    cgroups_.ensure(path_, {}, warnings);
    cgroups_.remove(other);
    for (const auto& [hierarchy, directory] : cgroups_.directories(path_))
        sys::ensure_directory(sys::parent_path(directory) + "/other");
    // A new group of v1 has no processors yet: those are its parent's.
    if (cgroups_.mode() != Mode::v2)
        for (const auto& [hierarchy, directory] : cgroups_.directories(other))
            for (const auto* file : {"/cpuset.cpus", "/cpuset.mems"})
                if (const auto value = sys::read_file(sys::parent_path(directory) + file))
                    sys::write_existing(directory + file, *value);
    EXPECT_EQ(limits_in(cgroups_, path_), limits_in(cgroups_, other));
    EXPECT_NE(limits_in(cgroups_, path_), limited_files);
    cgroups_.remove(other);
}

TEST_F(RealTree, ALimitThatTheKernelRefusesIsAnError) {
    ASSERT_FALSE(skipped_) << "needs root and a cgroup mount";
    Strings warnings;
    Resources resources;
    resources.cpuset = "4096";
    EXPECT_THROW(cgroups_.ensure(path_, resources, warnings), Error);
}

TEST_F(RealTree, KillReachesEveryProcess) {
    ASSERT_FALSE(skipped_) << "needs root and a cgroup mount";
    Strings warnings;
    const auto placement = cgroups_.ensure(path_, {}, warnings);
    const auto child = sys::spawn("/bin/sleep", {.arguments = {"sleep", "1000"}});
    for (const auto& file : placement.attach_files)
        sys::write_existing(file, std::to_string(child.pid));
    if (!placement.v2_directory.empty())
        sys::write_existing(placement.v2_directory + "/cgroup.procs", std::to_string(child.pid));
    EXPECT_EQ(cgroups_.processes(path_), std::vector<int>{child.pid});
    cgroups_.freeze(path_, true);
    EXPECT_TRUE(cgroups_.frozen(path_));
    Resources resources;
    resources.cpuset = "0";
    cgroups_.ensure(path_, resources, warnings);
    for (const auto& file : cgroups_.placement(path_).attach_files)
        EXPECT_EQ(sys::read_file(file), std::to_string(child.pid) + "\n")
            << "a hierarchy that was added later has the processes, too";
    cgroups_.kill(path_);
    EXPECT_EQ(sys::wait(child), 137);
}

}  // namespace
}  // namespace stack::cgroup
