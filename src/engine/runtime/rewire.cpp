// The networks of a container that exists: changed at once where it runs, for its next start where
// it does not.

#include <stack/error.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "engine/runtime/description.h"
#include "engine/runtime/helper.h"
#include "engine/runtime/record.h"
#include "engine/runtime/runtime.h"
#include "sys/file.h"
#include "sys/process.h"

#include <utility>

#include <fcntl.h>

namespace stack::runtime {
namespace {

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

}  // namespace

void Runtime::rewire(const std::string& id,
                     const std::map<std::string, NetworkAttachment>& networks) {
    ContainerRecord record = require(id);
    const Places places = places_of(paths_, record.id);
    Service& service = record.spec.service;
    if (!service.network_mode.empty() && service.network_mode != "bridge")
        throw Error("container " + record.spec.name + " has network mode " + service.network_mode +
                    ", which excludes every network");
    const auto before = std::exchange(service.networks, networks);
    const auto live = read_live(places);
    const sys::Fd process = live ? sys::open_process(live->pid, live->pid_started) : sys::Fd();
    for (const auto& [name, attachment] : before)
        if (const auto kept = networks.find(name);
            kept == networks.end() || !(kept->second == attachment))
            networks_.detach(name, record.id);
    STACK_FAILPOINT("container.rewire.detached");
    const bool runs = process && !sys::has_ended(process);
    const auto endpoints = runs ? connect(record) : std::vector<network::Endpoint>();
    sys::replace_file(places.state + "/config.json", encode(record));
    if (!runs)
        return;
    run_helper(spec_for(service, endpoints, live->pid), record.spec.name);
    if (!record.ports.empty() && !endpoints.empty())
        networks_.publish(record.id, entrance(endpoints), record.ports);
    else
        networks_.unpublish(record.id);
    // In place: the container has this very file.
    const sys::Fd file = sys::open_file(places.state + "/resolv.conf", O_WRONLY | O_TRUNC);
    sys::write_all(file, resolv_conf(record, endpoints));
}

}  // namespace stack::runtime
