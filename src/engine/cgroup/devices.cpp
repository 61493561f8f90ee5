#include "engine/cgroup/devices.h"

#include <cstddef>
#include <string>
#include <utility>

namespace stack::cgroup {
namespace {

using Program = std::vector<bpf_insn>;

constexpr std::uint8_t result = BPF_REG_0;
constexpr std::uint8_t context = BPF_REG_1;
constexpr std::uint8_t kind = BPF_REG_2;
constexpr std::uint8_t access_asked = BPF_REG_3;
constexpr std::uint8_t major_number = BPF_REG_4;
constexpr std::uint8_t minor_number = BPF_REG_5;

bpf_insn instruction(
    int code, std::uint8_t target, std::uint8_t source, std::int16_t jump, std::int32_t value) {
    bpf_insn made{};
    made.code = static_cast<std::uint8_t>(code);
    made.dst_reg = target & 0xfU;
    made.src_reg = source & 0xfU;
    made.off = jump;
    made.imm = value;
    return made;
}

bpf_insn load(std::uint8_t target, std::size_t offset) {
    return instruction(
        BPF_LDX | BPF_W | BPF_MEM, target, context, static_cast<std::int16_t>(offset), 0);
}

bpf_insn set(std::uint8_t target, std::int32_t value) {
    return instruction(BPF_ALU | BPF_MOV | BPF_K, target, 0, 0, value);
}

/// Jumps are filled in when it is known where the rule ends.
bpf_insn next_rule_unless(std::uint8_t tested, std::int32_t value) {
    return instruction(BPF_JMP | BPF_JNE | BPF_K, tested, 0, 0, value);
}

/// Answers yes where the rule matches, and goes on behind itself where it does not.
void add_rule(Program& program, const DeviceRule& rule) {
    const std::size_t first = program.size();
    if (rule.kind != 'a')
        program.push_back(
            next_rule_unless(kind, rule.kind == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
    const int refused = (rule.may_read ? 0 : BPF_DEVCG_ACC_READ) |
                        (rule.may_write ? 0 : BPF_DEVCG_ACC_WRITE) |
                        (rule.may_make ? 0 : BPF_DEVCG_ACC_MKNOD);
    if (refused != 0)
        program.push_back(instruction(BPF_JMP | BPF_JSET | BPF_K, access_asked, 0, 0, refused));
    if (rule.major_number)
        program.push_back(
            next_rule_unless(major_number, static_cast<std::int32_t>(*rule.major_number)));
    if (rule.minor_number)
        program.push_back(
            next_rule_unless(minor_number, static_cast<std::int32_t>(*rule.minor_number)));
    const std::size_t last = program.size();
    for (std::size_t i = first; i < last; ++i)  // over the rest of the tests and the answer
        program[i].off = static_cast<std::int16_t>(last - i + 1);
    program.push_back(set(result, 1));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

}  // namespace

Program device_program(const std::vector<DeviceRule>& allowed) {
    constexpr std::int32_t kind_mask = 0xffff;
    constexpr std::int32_t access_shift = 16;
    Program program{load(kind, offsetof(bpf_cgroup_dev_ctx, access_type)),
                    load(access_asked, offsetof(bpf_cgroup_dev_ctx, access_type)),
                    instruction(BPF_ALU | BPF_AND | BPF_K, kind, 0, 0, kind_mask),
                    instruction(BPF_ALU | BPF_RSH | BPF_K, access_asked, 0, 0, access_shift),
                    load(major_number, offsetof(bpf_cgroup_dev_ctx, major)),
                    load(minor_number, offsetof(bpf_cgroup_dev_ctx, minor))};
    for (const auto& rule : allowed)
        add_rule(program, rule);
    program.push_back(set(result, 0));
    program.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
    return program;
}

bool is_everything(const DeviceRule& rule) {
    return rule.kind == 'a' && !rule.major_number && !rule.minor_number;
}

Strings device_lines(const DeviceRule& rule) {
    if (is_everything(rule) && rule.may_read && rule.may_write && rule.may_make)
        return {"a"};
    const auto number = [](const std::optional<std::uint32_t>& value) {
        return value ? std::to_string(*value) : std::string("*");
    };
    const std::string rest = " " + number(rule.major_number) + ":" + number(rule.minor_number) +
                             " " + (rule.may_read ? "r" : "") + (rule.may_write ? "w" : "") +
                             (rule.may_make ? "m" : "");
    if (rule.kind == 'a')
        return {"b" + rest, "c" + rest};
    return {rule.kind + rest};
}

std::vector<FileWrite> device_writes(const std::vector<DeviceRule>& allowed) {
    std::vector<FileWrite> writes{{"devices", "devices.deny", "a"}};
    for (const auto& rule : allowed)
        for (auto& line : device_lines(rule))
            writes.push_back({"devices", "devices.allow", std::move(line)});
    return writes;
}

const std::vector<DeviceRule>& default_devices() {
    static const std::vector<DeviceRule> rules = [] {
        std::vector<DeviceRule> all;
        for (const auto* text : {"c 1:3 rwm",     // null
                                 "c 1:5 rwm",     // zero
                                 "c 1:7 rwm",     // full
                                 "c 1:8 rwm",     // random
                                 "c 1:9 rwm",     // urandom
                                 "c 5:0 rwm",     // tty
                                 "c 5:1 m",       // console, which debootstrap makes
                                 "c 5:2 rwm",     // ptmx
                                 "c 136:* rwm"})  // pts
            all.push_back(*parse_device_rule(text));
        return all;
    }();
    return rules;
}

}  // namespace stack::cgroup
