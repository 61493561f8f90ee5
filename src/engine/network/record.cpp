#include "engine/network/record.h"

#include <stack/error.h>

#include "base/text.h"
#include "model/codec.h"
#include "sys/file.h"

#include <algorithm>
#include <set>

#include <fcntl.h>

namespace stack::network {

void visit_fields(model::Is<NetworkRecord> auto& v, auto&& field) {
    field("name", v.name), field("project", v.project), field("key", v.key);
    field("config_digest", v.config_digest), field("bridge", v.bridge), field("group", v.group);
    field("driver", v.driver), field("parent", v.parent), field("mode", v.mode);
    field("subnet4", v.subnet4), field("gateway4", v.gateway4), field("subnet6", v.subnet6);
    field("gateway6", v.gateway6), field("mtu", v.mtu), field("internal", v.internal);
    field("attachable", v.attachable), field("created", v.created);
    field("options", v.options), field("labels", v.labels);
}

void visit_fields(model::Is<StoredNetwork> auto& v, auto&& field) {
    field("network", v.record), field("range4", v.range4), field("range6", v.range6);
    field("reserved", v.reserved);
}

namespace {

constexpr std::string_view record_ending = ".json";

std::string record_path(const Paths& paths, const std::string& name) {
    return networks_directory(paths) + "/" + name + std::string(record_ending);
}

std::string leases_path(const Paths& paths, const std::string& name) {
    return networks_directory(paths) + "/" + name + ".leases";
}

std::string ports_directory(const Paths& paths) {
    return paths.run + "/networks/ports";
}

/// Fields of a line; `-` stands for an empty one.
std::string written(const std::string& field) {
    return field.empty() ? "-" : field;
}

std::string read(const std::string& field) {
    return field == "-" ? "" : field;
}

bool is_address(const std::string& field) {
    return field == "-" || parse_ip(field).has_value();
}

std::string line_for(const Lease& lease) {
    return written(lease.address4) + " " + written(lease.address6) + " " +
           written(lease.container) + " " + written(lease.key) +
           (lease.mac.empty() ? "" : " " + lease.mac) + "\n";
}

std::optional<Lease> parse_lease(std::string_view line) {
    const auto fields = split(line, ' ');
    if (fields.size() < 4 || fields.size() > 5 || !is_address(fields[0]) || !is_address(fields[1]))
        return std::nullopt;
    return Lease{read(fields[0]),
                 read(fields[1]),
                 read(fields[2]),
                 read(fields[3]),
                 fields.size() == 5 ? fields[4] : ""};
}

std::optional<Protocol> parse_protocol(const std::string& text) {
    for (const Protocol protocol : {Protocol::tcp, Protocol::udp, Protocol::sctp}) {
        if (model::name_of(protocol) == text)
            return protocol;
    }
    return std::nullopt;
}

std::optional<PublishedPort> parse_port(const Strings& fields) {
    if (fields.size() != 5 || fields[0] != "port")
        return std::nullopt;
    const auto protocol = parse_protocol(fields[1]);
    const auto port = parse_number<std::uint16_t>(fields[3]);
    const auto target = parse_number<std::uint16_t>(fields[4]);
    if (!protocol || !is_address(fields[2]) || !port || !target)
        return std::nullopt;
    return PublishedPort{read(fields[2]), *port, *target, *protocol};
}

/// nullopt: it is damaged.
std::optional<StoredNetwork> decode_stored(const std::string& text) {
    const auto json = model::Json::parse(text, nullptr, false);
    if (!json.is_object())
        return std::nullopt;
    try {
        StoredNetwork network;
        model::decode(json, network);
        return network;
    } catch (const model::Json::exception&) {
        return std::nullopt;
    }
}

}  // namespace

void check_name(const std::string& name) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const auto is_allowed = [&](char c) { return is_plain(c) || c == '_' || c == '.' || c == '-'; };
    constexpr std::size_t longest = 200;  // a file name has 255 bytes
    if (name.size() > longest)
        throw Error("\"" + name.substr(0, 40) + "…\" cannot be the name of a network: it has " +
                    std::to_string(name.size()) + " characters, and " + std::to_string(longest) +
                    " are allowed");
    if (name.empty() || !is_plain(name[0]) || !std::all_of(name.begin(), name.end(), is_allowed))
        throw Error(
            "\"" + name +
            "\" cannot be the name of a network: it takes letters, digits, '_', '.' and '-', "
            "and begins with a letter or digit");
}

std::string networks_directory(const Paths& paths) {
    return paths.state + "/networks";
}

Strings stored_names(const Paths& paths) {
    Strings names;
    for (const auto& file : sys::list_directory(networks_directory(paths))) {
        if (file.ends_with(record_ending))
            names.push_back(file.substr(0, file.size() - record_ending.size()));
    }
    return names;
}

std::optional<StoredNetwork> find_stored(const Paths& paths, const std::string& name) {
    check_name(name);
    const std::string path = record_path(paths, name);
    const auto text = sys::read_file(path);
    if (!text)
        return std::nullopt;
    auto network = decode_stored(*text);
    if (!network)
        throw Error("the record of network " + name + " is damaged; remove " + path +
                    " and bring its stack up again");
    return network;
}

std::vector<StoredNetwork> load_stored(const Paths& paths) {
    std::vector<StoredNetwork> networks;
    for (const auto& name : stored_names(paths))
        if (auto network = decode_stored(sys::read_file(record_path(paths, name)).value_or("")))
            networks.push_back(std::move(*network));
    return networks;
}

Strings damaged_records(const Paths& paths) {
    Strings files;
    for (const auto& name : stored_names(paths))
        if (const auto text = sys::read_file(record_path(paths, name));
            text && !decode_stored(*text))
            files.push_back(record_path(paths, name));
    std::sort(files.begin(), files.end());
    return files;
}

void store(const Paths& paths, const StoredNetwork& network) {
    sys::replace_file(record_path(paths, network.record.name),
                      model::encode(network).dump(2) + "\n");
}

void remove_stored(const Paths& paths, const std::string& name) {
    sys::remove_file(leases_path(paths, name));
    sys::remove_file(record_path(paths, name));
}

std::vector<Lease> parse_leases(const std::string& text) {
    std::vector<Lease> leases;
    std::set<std::string> holding;
    for (const auto& line : split(text, '\n')) {
        auto lease = parse_lease(line);
        if (!lease)
            continue;
        leases.push_back(std::move(*lease));
        if (!leases.back().container.empty())
            holding.insert(leases.back().key);
    }
    std::erase_if(leases, [&](const Lease& lease) {
        return lease.container.empty() && holding.count(lease.key) != 0;
    });
    return leases;
}

std::string to_text(const std::vector<Lease>& leases) {
    std::string text;
    for (const auto& lease : leases)
        text += line_for(lease);
    return text;
}

std::vector<Lease> load_leases(const Paths& paths, const std::string& network) {
    return parse_leases(sys::read_file(leases_path(paths, network)).value_or(""));
}

void store_leases(const Paths& paths,
                  const std::string& network,
                  const std::vector<Lease>& leases) {
    sys::replace_volatile_file(leases_path(paths, network), to_text(leases));
}

void append_lease(const Paths& paths, const std::string& network, const Lease& lease) {
    const sys::Fd file =
        sys::open_file(leases_path(paths, network), O_WRONLY | O_CREAT | O_APPEND, 0600);
    // On a line of its own, also where the last one was torn.
    sys::write_all(file, "\n" + line_for(lease));
}

Publication parse_publication(const std::string& text) {
    Publication publication;
    for (const auto& line : split(text, '\n')) {
        const auto fields = split(line, ' ');
        if (fields.size() == 3 && fields[0] == "to" && is_address(fields[1]) &&
            is_address(fields[2])) {
            publication.address4 = read(fields[1]);
            publication.address6 = read(fields[2]);
        } else if (const auto port = parse_port(fields)) {
            publication.ports.push_back(*port);
        }
    }
    return publication;
}

std::string to_text(const Publication& publication) {
    std::string text =
        "to " + written(publication.address4) + " " + written(publication.address6) + "\n";
    for (const auto& port : publication.ports)
        text += "port " + std::string(model::name_of(port.protocol)) + " " + written(port.host_ip) +
                " " + std::to_string(port.port) + " " + std::to_string(port.target) + "\n";
    return text;
}

Strings publishing_containers(const Paths& paths) {
    Strings containers = sys::list_directory(ports_directory(paths));
    // An id has no dot; what has one was being written when its writer died.
    std::erase_if(containers,
                  [](const std::string& name) { return name.find('.') != std::string::npos; });
    return containers;
}

Publication load_publication(const Paths& paths, const std::string& container) {
    return parse_publication(sys::read_file(ports_directory(paths) + "/" + container).value_or(""));
}

Publications load_publications(const Paths& paths) {
    Publications all;
    for (const auto& container : publishing_containers(paths))
        all[container] = load_publication(paths, container);
    return all;
}

void store_publication(const Paths& paths,
                       const std::string& container,
                       const Publication& publication) {
    const std::string path = ports_directory(paths) + "/" + container;
    if (publication.ports.empty()) {
        sys::remove_file(path);
        return;
    }
    sys::ensure_directory(ports_directory(paths), 0700);
    sys::replace_volatile_file(path, to_text(publication));
}

}  // namespace stack::network
