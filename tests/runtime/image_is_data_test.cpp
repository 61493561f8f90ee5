// What an image says of itself is data: nothing of it changes how its containers are isolated
// (security.md 2I).

#include "engine/runtime/description.h"
#include "engine/runtime/process.h"
#include "engine/storage/volumes.h"
#include "shim/spec.h"
#include "tests/property/chance.h"

#include <gtest/gtest.h>

namespace stack::runtime {
namespace {

using test::Chance;

/// What engines have taken for orders, and what parsers have tripped over.
const Strings orders{"",
                     "*",
                     "PATH",
                     "LD_PRELOAD=/evil.so",
                     "STACK_LIBEXEC=/evil",
                     "/",
                     "/proc",
                     "/dev",
                     "/../../etc",
                     "/proc/self/fd/7",
                     "0:0",
                     "binary:///bin/sh",
                     "privileged=true",
                     "no-new-privileges:false",
                     "seccomp=unconfined",
                     "io.podman.annotations.privileged=TRUE",
                     "io.kubernetes.cri-o.Devices=/dev/sda",
                     "SIGKILL",
                     "host",
                     "a\nb",
                     "\x1b]52;c;x\x07"};

ImageConfig any_config(Chance& chance) {
    const auto some = [&] {
        Strings list;
        for (std::size_t i = chance.below(4); i > 0; --i)
            list.push_back(chance.pick(orders));
        return list;
    };
    ImageConfig config;
    config.entrypoint = some();
    config.command = some();
    config.environment = some();
    config.user = chance.pick(orders);
    config.working_dir = chance.pick(orders);
    config.stop_signal = chance.pick(orders);
    config.volumes = some();
    config.exposed_ports = some();
    config.shell = some();
    config.on_build = some();
    for (const auto& text : some())
        config.labels[text] = chance.pick(orders);
    for (const auto* name : {"com.docker.compose.project", "com.docker.compose.oneoff"})
        if (chance.one_in(2))
            config.labels[name] = chance.pick(orders);
    if (chance.one_in(2))
        config.healthcheck.emplace().test = some();
    return config;
}

/// The rights of a process as its shim is told them: all but what an image may say, which is who
/// runs what, where, with which variables.
std::string rights_of(const ContainerRecord& record) {
    shim::JoinSpec spec;
    spec.process = process_for(record);
    spec.process.arguments.clear();
    spec.process.environment.clear();
    spec.process.user.clear();
    spec.process.working_dir.clear();
    return shim::encode(spec);
}

ContainerRecord record_of(Chance& chance) {
    ContainerRecord record;
    record.spec.name = "web";
    record.spec.service.privileged = chance.one_in(4);
    if (chance.one_in(2))
        record.spec.service.cap_drop = {"ALL"};
    if (chance.one_in(2))
        record.spec.service.security_opt = {"no-new-privileges:true"};
    if (chance.one_in(2))
        record.spec.service.ulimits["nofile"] = {64, 64};
    return record;
}

constexpr std::uint64_t seeds = 2000;

TEST(ImageMetadata, GivesAndTakesNoRight) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        Chance chance(seed);
        ContainerRecord record = record_of(chance);
        const std::string alone = rights_of(record);
        record.image.config = any_config(chance);
        ASSERT_EQ(rights_of(record), alone) << "seed " << seed;
    }
}

TEST(ImageMetadata, MountsNothingButVolumesOfItsOwn) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        Chance chance(seed);
        const ContainerRecord record = record_of(chance);
        for (const auto& mount : mounts_for(record.spec, any_config(chance), {})) {
            ASSERT_EQ(mount.type, MountType::volume) << "seed " << seed;
            ASSERT_TRUE(storage::is_anonymous_name(mount.source)) << "seed " << seed;
        }
    }
}

TEST(ImageMetadata, PutsNoContainerIntoAStack) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        Chance chance(seed);
        ContainerRecord record = record_of(chance);
        const auto expect_only_ours = [&](const StringMap& ours) {
            for (const auto& [name, value] : labels_for(record))
                if (name.starts_with("com.docker.compose.")) {
                    ASSERT_TRUE(ours.contains(name)) << name << ", seed " << seed;
                    ASSERT_EQ(value, ours.at(name)) << name << ", seed " << seed;
                }
        };
        record.spec.project = chance.one_in(2) ? single_containers : "shop";
        const StringMap without_image = labels_for(record);
        record.image.config = any_config(chance);
        expect_only_ours(without_image);
    }
}

}  // namespace
}  // namespace stack::runtime
