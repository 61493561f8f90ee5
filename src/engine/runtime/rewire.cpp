// The networks of a container that exists: changed at once where it runs, for its next start where
// it does not.

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/network/layout.h"
#include "engine/runtime/description.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "model/digest.h"
#include "sys/file.h"
#include "sys/poll.h"
#include "sys/process.h"

#include <algorithm>
#include <utility>

namespace stack::runtime {
namespace {

using Attachments = std::map<std::string, NetworkAttachment>;

shim::Spec spec_for(const Service& service,
                    const std::vector<network::Endpoint>& endpoints,
                    int pid) {
    shim::Spec spec;
    spec.network.path = "/proc/" + std::to_string(pid) + "/ns/net";
    for (const auto& endpoint : endpoints) {
        spec.interfaces.push_back(interface_spec(endpoint));
        // What is there has names that are not to be changed; what comes gets the next one.
        if (service.networks.at(endpoint.network).interface_name.empty())
            spec.interfaces.back().name.clear();
    }
    return spec;
}

void run_helper(const shim::Spec& spec, const std::string& container) {
    constexpr int status_fd = 4;
    sys::Pipe status = sys::make_pipe();
    const auto helper =
        start_helper("rewire", shim::encode(spec), {{status.write.get(), status_fd}}, false);
    status.write.reset();
    const std::string said = sys::read_all(status.read);
    static_cast<void>(sys::wait(helper));
    if (said != "started")
        throw Error("container " + container +
                    " cannot be connected: " + split_once(said, ' ').second);
}

/// Whether the interface that a container has in a network can stay.
bool stays(const std::string& network, const Attachments& before, const Attachments& after) {
    const auto was = before.find(network);
    const auto is = after.find(network);
    return was != before.end() && is != after.end() &&
           model::is_same_interface(was->second, is->second);
}

}  // namespace

bool Runtime::is_wired(const ContainerRecord& record, const Attachments& networks) const {
    if (record.spec.service.networks != networks)
        return false;
    if (!watch(record.id))
        return true;
    const auto held = networks_.held_addresses(record.id);
    return held.size() == networks.size() &&
           std::all_of(held.begin(), held.end(), [&](const network::HeldAddress& address) {
               return networks.contains(address.network);
           });
}

void Runtime::rewire(const std::string& id, const Attachments& networks) {
    rewire(id, [&](Attachments& all) { all = networks; });
}

/// The record is written last: a rewiring that is interrupted is seen by that, and done again.
void Runtime::rewire(const std::string& id, const std::function<void(Attachments&)>& change) {
    const Places places = places_of(paths_, require(id)->id);
    const auto alone = hold_run(places);
    ContainerRecord record = *require(id);
    Service& service = record.spec.service;
    if (!service.network_mode.empty() && service.network_mode != "bridge")
        throw Error("container " + record.spec.name + " has network mode " + service.network_mode +
                    ", which excludes every network");
    const auto before = service.networks;
    change(service.networks);
    const auto& networks = service.networks;
    const auto live = read_live(places);
    const sys::Fd process = live ? sys::open_process(live->pid, live->pid_started) : sys::Fd();
    std::string published;
    Strings gone;
    for (const auto& held : networks_.held_addresses(record.id)) {
        if (!stays(held.network, before, networks)) {
            networks_.detach(held.network, record.id);
            gone.push_back(network::veth_name(record.id, held.network));
        } else if (held.published)
            published = held.network;
    }
    STACK_FAILPOINT("container.rewire.detached");
    if (process && !sys::has_ended(process))
        rewire_running(record, live->pid, gone, published);
    STACK_FAILPOINT("container.rewire.connected");
    change_record(record.id,
                  [&](ContainerRecord& fresh) { fresh.spec.service.networks = networks; });
}

void Runtime::link_anew(const std::string& id) {
    const Places places = places_of(paths_, id);
    const auto alone = hold_run(places);  // one that is being started gets its links first
    const auto record = records_->find_readable(id);
    const auto live = read_live(places);
    if (!record || !live || !open_living(*live))
        return;
    std::string published;
    for (const auto& held : networks_.held_addresses(id))
        if (held.published)
            published = held.network;
    rewire_running(*record, live->pid, {}, published);
}

/// `published`: the network that ports lead to, which is where the shim forwards to as well.
void Runtime::rewire_running(const ContainerRecord& record,
                             int pid,
                             const Strings& gone,
                             const std::string& published) {
    const Places places = places_of(paths_, record.id);
    const auto endpoints = connect(record);
    auto spec = spec_for(record.spec.service, endpoints, pid);
    spec.gone_interfaces = gone;
    run_helper(spec, record.spec.name);
    const auto kept = std::find_if(endpoints.begin(), endpoints.end(), [&](const auto& endpoint) {
        return endpoint.network == published;
    });
    const auto* leads_to = kept == endpoints.end() ? find_published(endpoints) : &*kept;
    if (record.ports.empty() || leads_to == nullptr)
        networks_.unpublish(record.id);
    else
        networks_.publish(record.id, *leads_to, record.ports, titles());
    if (!record.ports.empty())
        sys::replace_volatile_file(places.run + "/" + shim::forward_file,
                                   leads_to == nullptr ? "" : forward_target(*leads_to));
    // In place: the container has these very files.
    sys::overwrite(places.state + "/resolv.conf", resolv_conf(record, endpoints));
    const auto hosts = sys::read_file(places.state + "/hosts").value_or("");
    sys::overwrite(places.state + "/hosts", with_own_addresses(hosts, record, endpoints));
}

}  // namespace stack::runtime
