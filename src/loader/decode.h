#pragma once

// From nodes to the model. Every decoder reports all that is wrong below its node and returns what
// could be read.

#include <stack/model.h>

#include "loader/reader.h"

namespace stack::loader {

[[nodiscard]] Service decode_service(const std::string& name, const Node& node, Reporter& reporter);
[[nodiscard]] Build decode_build(const Node& node, const std::string& what, Reporter& reporter);
[[nodiscard]] Healthcheck decode_healthcheck(const Node& node, Reporter& reporter);
[[nodiscard]] std::vector<Port> decode_ports(const Node& node, Reporter& reporter);
[[nodiscard]] std::vector<Mount> decode_mounts(const Node& node, Reporter& reporter);
/// `gpus:` as requests for devices.
void decode_gpus(const Node& node, Service& service, Reporter& reporter);
void decode_deploy(const Node& node, Service& service, Reporter& reporter);
[[nodiscard]] std::vector<WatchRule> decode_develop(const Node& node, Reporter& reporter);
[[nodiscard]] std::vector<Hook> decode_hooks(const Node& node,
                                             const std::string& what,
                                             Reporter& reporter);
void decode_resources(Object& service, Resources& resources);
void decode_isolation(Object& object, Service& service);
[[nodiscard]] std::map<std::string, NetworkAttachment> decode_attachments(const Node& node,
                                                                          Reporter& reporter);
[[nodiscard]] std::map<std::string, Strings> decode_extra_hosts(const Node& node,
                                                                Reporter& reporter);
[[nodiscard]] std::map<std::string, Ulimit> decode_ulimits(const Node& node, Reporter& reporter);

[[nodiscard]] Network decode_network(const std::string& key, const Node& node, Reporter& reporter);
[[nodiscard]] Volume decode_volume(const std::string& key, const Node& node, Reporter& reporter);
[[nodiscard]] FileSource decode_file_source(const std::string& key,
                                            const Node& node,
                                            bool config,
                                            Reporter& reporter);

/// The whole file, merged and interpolated. `name` is set where the file has one.
[[nodiscard]] Stack decode_stack(const Node& node, Reporter& reporter);

}  // namespace stack::loader
