#include "cli/option_words.h"

#include "base/text.h"

#include <array>
#include <utility>

namespace stack::cli {
namespace {

using Replacement = std::pair<const char*, const char*>;

/// What is more than the name of one attribute.
constexpr std::array phrases{
    Replacement{"a name under `services`", "the name of a container"},
    Replacement{"a name under `volumes`", "the name of a volume"},
    Replacement{"a name under `networks`", "the name of a network"},
    Replacement{"`driver: ", "`--log-driver "},
    Replacement{"`network_mode: ", "`--network "},
    Replacement{"`stack logs`", "`stack container logs`"},
    Replacement{"`deploy.resources`", "--memory, --cpus and --pids-limit"},
    Replacement{": `required: false` makes it optional", ""},
};

/// Attributes whose option has another name than they, but for the dashes.
constexpr std::array attributes{
    Replacement{"environment", "--env"},
    Replacement{"working_dir", "--workdir"},
    Replacement{"stop_grace_period", "--stop-timeout"},
    Replacement{"labels", "--label"},
    Replacement{"annotations", "--annotation"},
    Replacement{"ports", "--publish"},
    Replacement{"extra_hosts", "--add-host"},
    Replacement{"dns_opt", "--dns-option"},
    Replacement{"network_mode", "--network"},
    Replacement{"networks", "--network"},
    Replacement{"ipv4_address", "--ip"},
    Replacement{"ipv6_address", "--ip6"},
    Replacement{"volumes", "--volume"},
    Replacement{"bind", "--mount"},
    Replacement{"volume", "--mount"},
    Replacement{"recursive", "bind-recursive"},
    Replacement{"propagation", "bind-propagation"},
    Replacement{"subpath", "volume-subpath"},
    Replacement{"size", "tmpfs-size"},
    Replacement{"mode", "tmpfs-mode"},
    Replacement{"devices", "--device"},
    Replacement{"device_cgroup_rules", "--device-cgroup-rule"},
    Replacement{"sysctls", "--sysctl"},
    Replacement{"cgroup", "--cgroupns"},
    Replacement{"userns_mode", "--userns"},
    Replacement{"apparmor", "apparmor of --security-opt"},
    Replacement{"label", "label of --security-opt"},
    Replacement{"mem_limit", "--memory"},
    Replacement{"mem_reservation", "--memory-reservation"},
    Replacement{"memswap_limit", "--memory-swap"},
    Replacement{"mem_swappiness", "--memory-swappiness"},
    Replacement{"cpuset", "--cpuset-cpus"},
    Replacement{"cpuset-mems", "--cpuset-mems"},
    Replacement{"ulimits", "--ulimit"},
    Replacement{"soft", "the soft limit of --ulimit"},
    Replacement{"hard", "the hard limit of --ulimit"},
    Replacement{"weight", "--blkio-weight"},
    Replacement{"weight_device", "--blkio-weight-device"},
    Replacement{"rate", "the rate of a device"},
    Replacement{"interval", "--health-interval"},
    Replacement{"timeout", "--health-timeout"},
    Replacement{"start_period", "--health-start-period"},
    Replacement{"start_interval", "--health-start-interval"},
    Replacement{"retries", "--health-retries"},
};

/// Those of the same name.
constexpr std::array same_names{
    "user",
    "group_add",
    "stop_signal",
    "restart",
    "platform",
    "hostname",
    "domainname",
    "expose",
    "dns",
    "dns_search",
    "mac_address",
    "tmpfs",
    "shm_size",
    "volumes_from",
    "privileged",
    "cap_add",
    "cap_drop",
    "security_opt",
    "pid",
    "ipc",
    "uts",
    "cgroup_parent",
    "runtime",
    "cpus",
    "cpu_shares",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "pids_limit",
    "oom_score_adj",
    "device_read_bps",
    "device_write_bps",
    "device_read_iops",
    "device_write_iops",
};

std::string quoted(const std::string& word) {
    return "`" + word + "`";
}

}  // namespace

std::string in_option_words(const std::string& sentence, const std::string& name) {
    constexpr const char* of_logging = "` of the options of `logging`";
    if (const auto end = sentence.find(of_logging);
        sentence.starts_with('`') && end != 0 && end != std::string::npos)
        return "--log-opt " + sentence.substr(1, end - 1) +
               sentence.substr(end + std::string(of_logging).size());
    std::string text = replace_all(sentence, " of service " + quoted(name), "");
    for (const auto& [phrase, words] : phrases)
        text = replace_all(std::move(text), phrase, words);
    for (const auto& [attribute, option] : attributes)
        text = replace_all(std::move(text), quoted(attribute), option);
    for (const auto* attribute : same_names)
        text = replace_all(
            std::move(text), quoted(attribute), "--" + replace_all(attribute, "_", "-"));
    for (const auto* file : {"env_file ", "label_file "})
        if (text.starts_with(file))
            text = "--" + replace_all(file, "_", "-") + text.substr(std::string(file).size());
    return text;
}

}  // namespace stack::cli
