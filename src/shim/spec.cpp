#include "shim/spec.h"

#include <cstring>
#include <type_traits>

namespace stack::shim {
namespace {

constexpr std::uint32_t version = 8;

// The fields of each record, once for both directions.
void fields(auto& v, NamespaceSpec& s) {
    v(s.sharing), v(s.path);
}

void fields(auto& v, MountSpec& s) {
    v(s.kind), v(s.source), v(s.subpath), v(s.target), v(s.options), v(s.propagation), v(s.lowers),
        v(s.upper), v(s.work), v(s.read_only);
    v(s.type), v(s.is_recursive), v(s.copies_up), v(s.attributes_set), v(s.attributes_cleared),
        v(s.tree_attributes_set), v(s.tree_attributes_cleared);
}

void fields(auto& v, FileSpec& s) {
    v(s.target), v(s.content), v(s.mode), v(s.uid), v(s.gid);
}

void fields(auto& v, InterfaceSpec& s) {
    v(s.kind), v(s.mode), v(s.bridge), v(s.group), v(s.host_name), v(s.name), v(s.alias), v(s.mac),
        v(s.address4), v(s.address6), v(s.link_local);
    v(s.gateway4), v(s.gateway6), v(s.mtu);
}

void fields(auto& v, PortSpec& s) {
    v(s.host_ip), v(s.port), v(s.protocol), v(s.target), v(s.target_port);
}

void fields(auto& v, LimitSpec& s) {
    v(s.resource), v(s.soft), v(s.hard);
}

void fields(auto& v, DeviceSpec& s) {
    v(s.source), v(s.target), v(s.mode), v(s.uid), v(s.gid);
}

void fields(auto& v, NodeSpec& s) {
    v(s.path), v(s.mode), v(s.major_number), v(s.minor_number), v(s.uid), v(s.gid);
}

void fields(auto& v, CapabilitySets& s) {
    v(s.bounding), v(s.effective), v(s.permitted), v(s.inheritable), v(s.ambient);
}

void fields(auto& v, HookSpec& s) {
    v(s.path), v(s.arguments), v(s.environment), v(s.timeout);
}

void fields(auto& v, BundleSpec& s) {
    v(s.root), v(s.propagation), v(s.mount);
    v(s.nodes), v(s.state_head), v(s.state_tail), v(s.create_hooks), v(s.start_hooks),
        v(s.start_socket), v(s.console);
    v(s.stays), v(s.preserved), v(s.first_preserved);
}

void fields(auto& v, SettingSpec& s) {
    v(s.name), v(s.value);
}

void fields(auto& v, ProcessSpec& s) {
    v(s.arguments), v(s.environment), v(s.user), v(s.groups), v(s.working_dir), v(s.capabilities);
    v(s.has_exact_sets), v(s.exact_sets), v(s.umask);
    v(s.no_new_privileges), v(s.seccomp), v(s.limits), v(s.terminal), v(s.rows), v(s.columns),
        v(s.oom_score_adj), v(s.has_oom_score), v(s.has_exact_oom_score);
}

void fields(auto& v, Spec& s) {
    v(s.id), v(s.name), v(s.process), v(s.lowers), v(s.upper), v(s.work), v(s.mount_point),
        v(s.volatile_upper);
    v(s.read_only), v(s.privileged), v(s.mounts), v(s.files), v(s.devices), v(s.masked_paths);
    v(s.read_only_paths), v(s.shm_size), v(s.user), v(s.uid_map), v(s.gid_map), v(s.root_id),
        v(s.network), v(s.pid), v(s.ipc), v(s.uts), v(s.cgroup), v(s.hostname);
    v(s.domainname), v(s.sysctls), v(s.interfaces), v(s.gone_interfaces), v(s.ports),
        v(s.attach_files), v(s.v2_directory), v(s.hierarchies);
    v(s.bundle), v(s.oom_file), v(s.foreground), v(s.stdin_open), v(s.run_lock), v(s.await_client),
        v(s.init), v(s.run_directory), v(s.log_path), v(s.log_size);
    v(s.log_files), v(s.log_drops), v(s.boot_id), v(s.supervisor_pid_file), v(s.supervisor);
}

void fields(auto& v, JoinSpec& s) {
    v(s.process), v(s.attach_files), v(s.v2_directory), v(s.die_with_helper), v(s.joins_user),
        v(s.root_id), v(s.report);
    v(s.console), v(s.detached), v(s.owns_streams), v(s.relays_streams), v(s.preserved),
        v(s.first_preserved);
}

template <class T>
concept Scalar = std::is_integral_v<T> || std::is_enum_v<T>;

struct Writer {
    std::string bytes;

    void operator()(Scalar auto& value) {
        std::uint64_t wide = static_cast<std::uint64_t>(value);
        bytes.append(reinterpret_cast<const char*>(&wide), sizeof wide);
    }

    void operator()(std::string& text) {
        std::uint64_t size = text.size();
        (*this)(size);
        bytes += text;
    }

    template <class T>
    void operator()(std::vector<T>& list) {
        std::uint64_t size = list.size();
        (*this)(size);
        for (auto& item : list)
            (*this)(item);
    }

    void operator()(auto& record) { fields(*this, record); }
};

struct Reader {
    std::string_view bytes;
    bool good = true;

    void operator()(Scalar auto& value) {
        std::uint64_t wide = 0;
        if (bytes.size() < sizeof wide) {
            good = false;
            return;
        }
        std::memcpy(&wide, bytes.data(), sizeof wide);
        bytes.remove_prefix(sizeof wide);
        value = static_cast<std::remove_reference_t<decltype(value)>>(wide);
    }

    void operator()(std::string& text) {
        const std::uint64_t size = length();
        text.assign(bytes.substr(0, size));
        bytes.remove_prefix(size);
    }

    template <class T>
    void operator()(std::vector<T>& list) {
        const std::uint64_t size = length();
        list.clear();
        for (std::uint64_t i = 0; good && i < size; ++i)
            (*this)(list.emplace_back());
    }

    void operator()(auto& record) { fields(*this, record); }

  private:
    /// A count, which the rest of the record must be able to hold.
    std::uint64_t length() {
        std::uint64_t size = 0;
        (*this)(size);
        if (size > bytes.size())
            good = false;
        return good ? size : 0;
    }
};

template <class T>
std::string encode_record(T record) {
    Writer writer;
    std::uint32_t number = version;
    writer(number);
    writer(record);
    return std::move(writer.bytes);
}

template <class T>
bool decode_record(std::string_view bytes, T& record) {
    Reader reader{bytes};
    std::uint32_t number = 0;
    reader(number);
    if (!reader.good || number != version)
        return false;
    reader(record);
    return reader.good && reader.bytes.empty();
}

}  // namespace

std::string encode(const Spec& spec) {
    return encode_record(spec);
}

std::string encode(const JoinSpec& spec) {
    return encode_record(spec);
}

bool decode(std::string_view bytes, Spec& spec) {
    return decode_record(bytes, spec);
}

bool decode(std::string_view bytes, JoinSpec& spec) {
    return decode_record(bytes, spec);
}

}  // namespace stack::shim
