#include "loader/decode.h"
#include "loader/short_syntax.h"

namespace stack::loader {

namespace {

/// `[default, key=/path]`, or the same as a mapping.
Strings decode_ssh(const Node& node, Reporter& reporter) {
    Strings agents;
    for (const auto& [name, path] : node.entries)
        agents.push_back(path.is_null() ? name.text
                                        : name.text + "=" + scalar_of(path, "`ssh`", reporter));
    if (!node.is_mapping())
        for_each_item(node, [&](const Node& item) {
            agents.push_back(text_of(item, "an element of `ssh`", reporter));
        });
    return agents;
}

}  // namespace

Build decode_build(const Node& node, const std::string& what, Reporter& reporter) {
    Build build;
    if (node.is_scalar()) {
        build.context = text_of(node, "`build` of " + what, reporter);
        return build;
    }
    Object object(node, "`build` of " + what, reporter);
    object.text("context", build.context);
    object.text("dockerfile", build.dockerfile);
    if (build.dockerfile == "Dockerfile")
        build.dockerfile.clear();
    object.text("dockerfile_inline", build.dockerfile_inline);
    object.nullable_map("args", build.args);
    object.text("target", build.target);
    object.map("labels", build.labels);
    object.list("tags", build.tags);
    object.list("cache_from", build.cache_from);
    object.list("cache_to", build.cache_to);
    object.map("additional_contexts", build.additional_contexts);
    object.text("network", build.network);
    if (const Node* hosts = object.take("extra_hosts"))
        build.extra_hosts = decode_extra_hosts(*hosts, reporter);
    object.bytes("shm_size", build.shm_size);
    if (const Node* limits = object.take("ulimits"))
        build.ulimits = decode_ulimits(*limits, reporter);
    object.list("platforms", build.platforms);
    if (const Node* secrets = object.take("secrets"))
        for (const auto& item : secrets->items) {
            BuildSecret secret;
            if (item.is_scalar()) {
                secret.source = text_of(item, "a build secret", reporter);
            } else {
                Object entry(item, "a build secret", reporter);
                entry.text("source", secret.source);
                entry.text("target", secret.target);
                entry.unread_text("uid");
                entry.unread_text("gid");
                entry.warn_ignored({"uid", "gid", "mode"});
            }
            build.secrets.push_back(std::move(secret));
        }
    if (const Node* ssh = object.take("ssh"))
        build.ssh = decode_ssh(*ssh, reporter);
    object.list("entitlements", build.entitlements);
    if (build.entitlements != Strings{"network.host"})
        object.warn_ignored({"entitlements"}, "but for network.host");
    object.text("isolation", build.isolation);
    object.boolean("no_cache", build.no_cache);
    object.strings("no_cache_filter", build.no_cache_filter);
    object.boolean("pull", build.pull);
    object.boolean("privileged", build.privileged);
    for (const auto* attestation : {"provenance", "sbom"})
        if (const Node* given = object.take(attestation); given != nullptr && !given->boolean)
            object.unread_text(attestation);
    object.warn_ignored({"privileged", "isolation", "provenance", "sbom"});
    if (!build.dockerfile.empty() && !build.dockerfile_inline.empty())
        reporter.error(node.find("dockerfile_inline")->at,
                       "conflict",
                       "`dockerfile` and `dockerfile_inline` exclude each other",
                       "remove one of the two");
    return build;
}

}  // namespace stack::loader
