#include "engine/cgroup/devices.h"

#include <cstddef>
#include <cstdint>

#include <gtest/gtest.h>

namespace stack::test {
namespace {

/// What the kernel would answer: the few instructions that the programs are made of.
bool allows(const std::vector<bpf_insn>& program,
            std::uint32_t kind,
            std::uint32_t access,
            std::uint32_t major_number,
            std::uint32_t minor_number) {
    const bpf_cgroup_dev_ctx context{(access << 16U) | kind, major_number, minor_number};
    std::uint64_t registers[10]{};
    for (std::size_t at = 0; at < program.size(); ++at) {
        const bpf_insn& one = program[at];
        auto& target = registers[one.dst_reg];
        const auto value = static_cast<std::uint32_t>(one.imm);
        switch (one.code) {
            case BPF_LDX | BPF_W | BPF_MEM:
                target = *reinterpret_cast<const std::uint32_t*>(
                    reinterpret_cast<const char*>(&context) + one.off);
                break;
            case BPF_ALU | BPF_MOV | BPF_K:
                target = value;
                break;
            case BPF_ALU | BPF_AND | BPF_K:
                target &= value;
                break;
            case BPF_ALU | BPF_RSH | BPF_K:
                target >>= value;
                break;
            case BPF_JMP | BPF_JNE | BPF_K:
                at += target != value ? static_cast<std::size_t>(one.off) : 0;
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                at += (target & value) != 0 ? static_cast<std::size_t>(one.off) : 0;
                break;
            case BPF_JMP | BPF_EXIT:
                return registers[0] != 0;
            default:
                ADD_FAILURE() << "instruction " << int{one.code};
                return false;
        }
    }
    ADD_FAILURE() << "it does not end";
    return false;
}

constexpr std::uint32_t block = BPF_DEVCG_DEV_BLOCK;
constexpr std::uint32_t character = BPF_DEVCG_DEV_CHAR;
constexpr std::uint32_t make = BPF_DEVCG_ACC_MKNOD;
constexpr std::uint32_t read = BPF_DEVCG_ACC_READ;
constexpr std::uint32_t write = BPF_DEVCG_ACC_WRITE;

TEST(DeviceRule, IsReadStrictly) {
    const auto rule = parse_device_rule("c 188:* rw");
    ASSERT_TRUE(rule);
    EXPECT_EQ(*rule, (DeviceRule{'c', 188, std::nullopt, true, true, false}));
    EXPECT_TRUE(parse_device_rule("a *:* m"));
    for (const auto* text : {"",
                             "c",
                             "c 1:3",
                             "c 1:3 x",
                             "d 1:3 r",
                             "c 1 r",
                             "c 1:-3 r",
                             "c 1:3 ",
                             "cc 1:3 r",
                             "c a:3 r",
                             "c 1:3 r w"})
        EXPECT_FALSE(parse_device_rule(text)) << text;
}

TEST(DeviceProgram, AllowsTheHarmlessDevicesAndNoOthers) {
    const auto program = cgroup::device_program(cgroup::default_devices());
    for (const std::uint32_t minor_number : {3U, 5U, 7U, 8U, 9U})
        EXPECT_TRUE(allows(program, character, read | write, 1, minor_number)) << minor_number;
    EXPECT_TRUE(allows(program, character, read | write, 136, 77));
    EXPECT_TRUE(allows(program, character, make, 5, 1));
    EXPECT_FALSE(allows(program, character, read, 5, 1));
    EXPECT_FALSE(allows(program, character, read, 1, 1)) << "/dev/mem";
    EXPECT_FALSE(allows(program, block, read, 1, 3));
    EXPECT_FALSE(allows(program, block, make, 8, 0));
    EXPECT_FALSE(allows(program, character, read | write, 10, 200)) << "/dev/net/tun";
}

TEST(DeviceProgram, KeepsToTheAccessOfARule) {
    const auto program =
        cgroup::device_program({*parse_device_rule("c 188:* r"), *parse_device_rule("b 8:1 rw")});
    EXPECT_TRUE(allows(program, character, read, 188, 4));
    EXPECT_FALSE(allows(program, character, read | write, 188, 4));
    EXPECT_FALSE(allows(program, character, make, 188, 4));
    EXPECT_TRUE(allows(program, block, read | write, 8, 1));
    EXPECT_FALSE(allows(program, block, read, 8, 2));
    EXPECT_FALSE(allows(cgroup::device_program({}), character, read, 1, 3));
    EXPECT_TRUE(allows(
        cgroup::device_program({*parse_device_rule("a *:* rwm")}), block, read | make, 9, 9));
}

std::string written(const std::vector<const char*>& rules) {
    std::vector<DeviceRule> allowed;
    for (const auto* text : rules)
        allowed.push_back(*parse_device_rule(text));
    std::string text;
    for (const auto& one : cgroup::device_writes(allowed))
        text += one.controller + " " + one.file + " = " + one.value + "\n";
    return text;
}

TEST(DeviceWrites, RefuseEverythingFirst) {
    EXPECT_EQ(written({"c 1:3 rwm", "b 8:* r"}),
              "devices devices.deny = a\n"
              "devices devices.allow = c 1:3 rwm\n"
              "devices devices.allow = b 8:* r\n");
}

TEST(DeviceWrites, AreOfBothKindsWithoutBeingOfEverything) {
    EXPECT_EQ(written({"a *:* m"}),
              "devices devices.deny = a\n"
              "devices devices.allow = b *:* m\n"
              "devices devices.allow = c *:* m\n");
    EXPECT_EQ(written({"a *:* rwm"}), "devices devices.deny = a\ndevices devices.allow = a\n");
}

}  // namespace
}  // namespace stack::test
