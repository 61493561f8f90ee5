#include "sys/device_guard.h"

#include "sys/fd.h"
#include "sys/file.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::sys {
namespace {

long bpf(bpf_cmd command, bpf_attr& attributes) {
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

}  // namespace

int guard_devices(const std::string& directory, const std::vector<bpf_insn>& program) {
    bpf_attr load;
    std::memset(&load, 0, sizeof load);
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.expected_attach_type = BPF_CGROUP_DEVICE;
    load.insn_cnt = static_cast<std::uint32_t>(program.size());
    load.insns = reinterpret_cast<std::uint64_t>(program.data());
    load.license = reinterpret_cast<std::uint64_t>("GPL");
    const Fd loaded(static_cast<int>(bpf(BPF_PROG_LOAD, load)));
    if (!loaded)
        return errno;
    const Fd group = open_file(directory, O_RDONLY | O_DIRECTORY);
    bpf_attr attach;
    std::memset(&attach, 0, sizeof attach);
    attach.target_fd = static_cast<std::uint32_t>(group.get());
    attach.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
    attach.attach_type = BPF_CGROUP_DEVICE;
    attach.attach_flags = BPF_F_ALLOW_MULTI;
    return bpf(BPF_PROG_ATTACH, attach) < 0 ? errno : 0;
}

}  // namespace stack::sys
