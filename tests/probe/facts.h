#pragma once

// What the probe says, a line a fact, and how it looks.

#include <map>
#include <string>
#include <vector>

namespace stack::probe {

/// What the host has, by the names of facts, as the probe's arguments say: `net=net:[4026531840]`.
using Host = std::map<std::string, std::string>;

using Facts = std::vector<std::string>;

/// The file's text; "" where it cannot be read.
[[nodiscard]] std::string read_file(const std::string& path);

/// A field of /proc/self/status, its tabs as spaces.
[[nodiscard]] std::string status_field(const std::string& name);

[[nodiscard]] std::vector<std::string> split(const std::string& text, char separator);

/// Names of a directory, in order, without those that begin with a dot.
[[nodiscard]] std::vector<std::string> names_in(const std::string& path);

/// What a link says; "" where it is none, or where that is not for us to know.
[[nodiscard]] std::string link_target(const std::string& path);

/// EPERM … of an errno; "yes" of 0.
[[nodiscard]] std::string outcome(int error);

/// Its user, rights and limits.
void tell_rights(const Host& host, Facts& facts);

/// Its place among processes, descriptors, signals, environment.
void tell_process(Facts& facts);

/// The namespaces that are its own, its place among control groups, settings.
void tell_namespaces(const Host& host, Facts& facts);

/// What is mounted, and what of /proc and /sys is closed.
void tell_files(Facts& facts);

/// /dev, and devices that it makes itself.
void tell_devices(Facts& facts);

/// System calls that the kernel refuses whatever their arguments are.
void tell_calls(Facts& facts);

/// Looks at other processes, until it is killed, as whoever wants to get at them: prints which
/// programs it has seen run, which of them had rights beyond its own, what they have open beside
/// the standard streams, and which programs it could have written to. Each once.
[[noreturn]] void watch();

}  // namespace stack::probe
