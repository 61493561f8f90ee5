// How a service is on networks: attachments and names of hosts.

#include "loader/decode.h"
#include "loader/short_syntax.h"

namespace stack::loader {

namespace {

/// The one option of an endpoint that means something here: docker's older way to say
/// `interface_name`.
constexpr const char* name_option = "com.docker.network.endpoint.ifname";

void read_driver_options(Object& object, NetworkAttachment& attachment, Reporter& reporter) {
    object.map("driver_opts", attachment.driver_opts);
    const auto name = attachment.driver_opts.find(name_option);
    if (name != attachment.driver_opts.end() && attachment.interface_name.empty())
        attachment.interface_name = name->second;
    if (const Node* options = object.take("driver_opts"))
        for (const auto& [option, value] : options->entries)
            if (option.text != name_option)
                reporter.warning(option.at,
                                 "ignored",
                                 "`" + option.text +
                                     "` of the `driver_opts` of a service's network has no effect "
                                     "here");
}

}  // namespace

std::map<std::string, NetworkAttachment> decode_attachments(const Node& node, Reporter& reporter) {
    std::map<std::string, NetworkAttachment> attachments;
    for (const auto& item : node.items)
        attachments[text_of(item, "an element of `networks`", reporter)] = {};
    for (const auto& [key, value] : node.entries) {
        NetworkAttachment attachment;
        Object object(value, "network `" + key.text + "` of the service", reporter);
        object.list("aliases", attachment.aliases);
        object.text("ipv4_address", attachment.ipv4_address);
        object.text("ipv6_address", attachment.ipv6_address);
        object.text("mac_address", attachment.mac_address);
        object.text("interface_name", attachment.interface_name);
        object.list("link_local_ips", attachment.link_local_ips);
        read_driver_options(object, attachment, reporter);
        object.integer("priority", attachment.priority);
        object.integer("gw_priority", attachment.gw_priority);
        attachments[key.text] = std::move(attachment);
    }
    if (node.is_scalar())
        reporter.wrong_type(node,
                            "`networks` of a service",
                            "a list or a mapping",
                            "write it as `- " + node.value + "`");
    return attachments;
}

std::map<std::string, Strings> decode_extra_hosts(const Node& node, Reporter& reporter) {
    std::map<std::string, Strings> hosts;
    for (const auto& item : node.items) {
        const auto parsed = parse_extra_host(text_of(item, "an extra host", reporter));
        if (parsed)
            hosts[parsed->first].push_back(parsed->second);
        else
            reporter.malformed(item, "extra host", parsed.error());
    }
    for (const auto& [key, value] : node.entries)
        for_each_item(value, [&](const Node& address) {
            hosts[key.text].push_back(text_of(address, "an address", reporter));
        });
    return hosts;
}

}  // namespace stack::loader
