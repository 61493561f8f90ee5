#pragma once

// What a shim is told: everything about one container, flat, in a memory file. Written by
// engine/runtime, read by the shim; both are of one build, and a version at the front says so.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stack::shim {

/// Where a namespace comes from.
enum class Sharing : std::uint32_t { own, host, joined };

struct NamespaceSpec {
    Sharing sharing = Sharing::own;
    std::string path;  // /proc/PID/ns/…, where joined
};

enum class MountKind : std::uint32_t {
    bind,
    tmpfs,
    overlay,
    exact_bind,  // as a bundle has it: with the flags below, and those of its source
    filesystem,  // of any type
};

/// Something mounted into the container beside what every container has.
struct MountSpec {
    MountKind kind = MountKind::bind;
    std::string source;               // bind: a path of the host
    std::string subpath;              // bind and overlay: below it, resolved inside it
    std::string target;               // inside the container
    std::string options;              // tmpfs: size=…,mode=…
    std::string propagation;          // "", shared, slave, private and their r-forms
    std::vector<std::string> lowers;  // overlay: content of an image, topmost first
    std::string upper;                // overlay: where writes go; empty: it is read-only
    std::string work;                 // overlay, with `upper`
    std::uint32_t read_only = 0;
    std::uint64_t attributes_set = 0;  // MOUNT_ATTR_…
    // of a bundle
    std::string type;                       // of a file system
    std::uint32_t is_recursive = 0;         // a bind with what is mounted below its source
    std::uint32_t copies_up = 0;            // what is at the target is copied into it
    std::uint64_t attributes_cleared = 0;   // those come first
    std::uint64_t tree_attributes_set = 0;  // likewise, also for all that is mounted below
    std::uint64_t tree_attributes_cleared = 0;
};

/// A file that exists only in the container: a secret or config, on a tmpfs of its own.
struct FileSpec {
    std::string target;
    std::string content;
    std::uint32_t mode = 0444;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct InterfaceSpec {
    std::string kind;          // macvlan, ipvlan; empty: a veth on a bridge
    std::uint32_t mode = 0;    // of those two
    std::uint32_t bridge = 0;  // its index, or that of the host's interface that it lies on
    std::uint32_t group = 0;   // of a veth
    std::string host_name;     // of a veth's other end; of those two a second name, inside
    std::string name;
    std::string alias;
    std::string mac;
    std::string address4;  // with prefix length
    std::string address6;
    std::vector<std::string> link_local;  // further addresses, with prefix length
    std::string gateway4;
    std::string gateway6;
    std::uint32_t mtu = 1500;  // 0: of what it lies on
};

/// A port of the host, kept from others by a bound socket while the container runs.
struct PortSpec {
    std::string host_ip;
    std::uint32_t port = 0;
    std::uint32_t protocol = 0;  // IPPROTO_…
    std::string target;  // the container's address, for what the kernel cannot lead there; or ""
    std::uint32_t target_port = 0;
};

/// In the run directory of a container whose ports lead elsewhere than its description says: the
/// address that they lead to now, or nothing.
inline constexpr const char* forward_file = "forward";

struct LimitSpec {
    std::uint32_t resource = 0;  // RLIMIT_…
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;
};

/// So many ids, from 0 on, has a user namespace that is a container's own.
constexpr std::uint32_t ids_of_users = 65'536;

constexpr std::uint32_t of_source = ~std::uint32_t{0};

struct DeviceSpec {
    std::string source;
    std::string target;
    std::uint32_t mode = of_source;  // its permissions
    std::uint32_t uid = of_source;
    std::uint32_t gid = of_source;
};

/// A device or named pipe, made by its number.
struct NodeSpec {
    std::string path;
    std::uint32_t mode = 0;  // S_IFCHR | 0666
    std::uint32_t major_number = 0;
    std::uint32_t minor_number = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

struct SettingSpec {
    std::string name;
    std::string value;
};

/// The five sets of capabilities(7), a bit each.
struct CapabilitySets {
    std::uint64_t bounding = 0;
    std::uint64_t effective = 0;
    std::uint64_t permitted = 0;
    std::uint64_t inheritable = 0;
    std::uint64_t ambient = 0;
};

/// The process and its rights: shared by a container's first process and those that join it.
struct ProcessSpec {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::string user;  // name or number, [:group]
    std::vector<std::string> groups;
    std::string working_dir = "/";
    std::uint64_t capabilities = 0;  // a bit each; bounding and permitted
    std::uint32_t has_exact_sets = 0;
    CapabilitySets exact_sets;  // instead of those, to the letter
    std::uint32_t umask = 0022;
    std::uint32_t no_new_privileges = 0;
    std::string seccomp;  // struct sock_filter[]; empty: none
    std::vector<LimitSpec> limits;
    std::uint32_t terminal = 0;
    std::uint32_t rows = 0;  // of the terminal, where it is known
    std::uint32_t columns = 0;
    std::int32_t oom_score_adj = 0;
    std::uint32_t has_oom_score = 0;        // as near as the rights allow; else the engine's own
    std::uint32_t has_exact_oom_score = 0;  // and its failure is one of the container
};

/// A program that a bundle has run at a moment of its container's life; the container's state comes
/// to its standard input.
struct HookSpec {
    std::string path;
    std::vector<std::string> arguments;  // with argv[0]
    std::vector<std::string> environment;
    std::uint32_t timeout = 0;  // seconds; 0: none
};

/// What an OCI bundle says beyond what a container of a stack has.
struct BundleSpec {
    std::string root;               // its root file system, which is mounted at its own place
    std::uint64_t propagation = 0;  // MS_… of the root; 0: as it is
    NamespaceSpec mount;
    std::vector<NodeSpec> nodes;
    std::string state_head;              // of hooks: {"ociVersion":…,"status":"
    std::string state_tail;              // what comes after the pid
    std::vector<HookSpec> create_hooks;  // before the change of root; also without a bundle
    std::vector<HookSpec> start_hooks;   // before the program begins
    std::uint32_t start_socket = 0;      // a descriptor: who connects to it lets it begin
    std::uint32_t console = 0;           // a descriptor: a socket that wants the terminal; 0: none
    std::uint32_t stays = 0;             // the helper remains the parent and relays
    std::uint32_t preserved = 0;         // so many descriptors from 3 on are the program's
    std::uint32_t first_preserved = 0;   // where they are meanwhile
};

struct Spec {
    std::string id;
    std::string name;
    ProcessSpec process;

    // root
    std::vector<std::string> lowers;  // topmost first
    std::string upper;
    std::string work;
    std::string mount_point;  // an empty directory of ours to hang the root on, inside the mount
                              // namespace only
    std::uint32_t volatile_upper = 0;
    std::uint32_t read_only = 0;
    std::uint32_t privileged = 0;
    std::vector<MountSpec> mounts;
    std::vector<FileSpec> files;
    std::vector<DeviceSpec> devices;
    std::vector<std::string> masked_paths;
    std::vector<std::string> read_only_paths;
    std::uint64_t shm_size = 64U << 20U;  // of /dev/shm, where `ipc` is its own; 0: there is none

    // namespaces
    NamespaceSpec user{Sharing::host, ""};
    std::string uid_map;  // lines of /proc/PID/uid_map, where `user` is its own
    std::string gid_map;
    std::uint32_t root_id = 0;  // without a bundle: the host's id of its root, uid and gid alike
    NamespaceSpec network;
    NamespaceSpec pid;
    NamespaceSpec ipc;
    NamespaceSpec uts;
    NamespaceSpec cgroup;
    std::string hostname;
    std::string domainname;
    std::vector<SettingSpec> sysctls;
    std::vector<InterfaceSpec> interfaces;
    std::vector<std::string> gone_interfaces;  // rewire: second names of those that go
    std::vector<PortSpec> ports;

    // cgroup
    std::vector<std::string> attach_files;
    std::string v2_directory;
    std::vector<SettingSpec> hierarchies;  // v1: where each has the group, by the hierarchy's name
    std::string oom_file;                  // holds a line "oom_kill N"

    BundleSpec bundle;

    // keeping
    std::uint32_t foreground = 0;  // a build step: inherits the streams, leaves no records
    std::uint32_t stdin_open = 0;
    std::uint32_t run_lock = 0;      // a descriptor: closed when the live record is there
    std::uint32_t await_client = 0;  // its program begins when somebody has attached, and is theirs
    std::uint32_t init = 0;          // process 1 is our own, which waits for signals
    std::string run_directory;       // live.json, exit.json
    std::string log_path;            // empty: nothing is kept
    std::uint64_t log_size = 20U << 20U;
    std::uint32_t log_files = 5;
    std::uint32_t log_drops = 0;  // while the disk is full; else the container waits
    std::string boot_id;
    std::string supervisor_pid_file;
    std::vector<std::string> supervisor;  // the command that starts a new one
};

/// A command that joins a container.
struct JoinSpec {
    ProcessSpec process;
    std::vector<std::string> attach_files;
    std::string v2_directory;
    std::uint32_t die_with_helper = 0;
    std::uint32_t joins_user = 0;  // it has a user namespace of its own
    std::uint32_t root_id = 0;     // of a Spec
    std::uint32_t report = 0;      // a descriptor: told the pid, then a fault; closed when it runs
    std::uint32_t console = 0;     // a descriptor: a socket that wants the terminal; 0: none
    std::uint32_t detached = 0;    // the helper does not wait for it
    std::uint32_t owns_streams = 0;  // they become its user's
    std::uint32_t relays_streams =
        0;                        // it has pipes; the helper copies to and from its own streams
    std::uint32_t preserved = 0;  // as of a bundle
    std::uint32_t first_preserved = 0;
};

[[nodiscard]] std::string encode(const Spec& spec);
[[nodiscard]] std::string encode(const JoinSpec& spec);
/// False where `bytes` is not a whole record of this version.
[[nodiscard]] bool decode(std::string_view bytes, Spec& spec);
[[nodiscard]] bool decode(std::string_view bytes, JoinSpec& spec);

}  // namespace stack::shim
