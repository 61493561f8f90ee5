#include "cli/image_changes.h"

#include "base/text.h"
#include "cli/context.h"

#include <nlohmann/json.hpp>

namespace stack::cli {

void apply_change(ImageConfig& config, const std::string& change) {
    const auto [instruction, rest] = split_once(change, ' ');
    const std::string name = to_lower(instruction);
    const std::string value(trim(rest));
    const auto json = nlohmann::json::parse(value, nullptr, false);
    const Strings words = json.is_array() ? json.get<Strings>() : Strings{"/bin/sh", "-c", value};
    if (name == "cmd")
        config.command = words;
    else if (name == "entrypoint")
        config.entrypoint = words;
    else if (name == "env")
        config.environment.push_back(value);
    else if (name == "workdir")
        config.working_dir = value;
    else if (name == "user")
        config.user = value;
    else if (name == "volume")
        config.volumes.push_back(value);
    else if (name == "expose")
        config.exposed_ports.push_back(value.find('/') == std::string::npos ? value + "/tcp"
                                                                            : value);
    else if (name == "stopsignal")
        config.stop_signal = value;
    else if (name == "label")
        config.labels.insert(split_once(value, '='));
    else
        give_up(
            "--change knows CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER, VOLUME and "
            "WORKDIR, not " +
            instruction);
}

}  // namespace stack::cli
