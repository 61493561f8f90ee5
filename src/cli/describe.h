#pragma once

// Containers as people and scripts read them: docker compose's words.

#include <stack/observed.h>

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

/// `Up 3 minutes (healthy)`, `Exited (1) 2 hours ago`, `Restarting (1) 2 seconds ago`, `Created`.
[[nodiscard]] std::string status_text(const ObservedContainer& container, Time now);
/// Whether lists show it without -a: it is up, or about to be again.
[[nodiscard]] bool is_listed(const ObservedContainer& container);
/// Whether its policy starts it again, or a start is under way.
[[nodiscard]] bool comes_back(const ObservedContainer& container);
/// `"python ./app.py"`, cut after 20 characters unless `whole`.
[[nodiscard]] std::string command_text(const ObservedContainer& container, bool whole);
/// As docker compose calls it where its stack is known: `web-1`, or the name that `container_name`
/// gave.
[[nodiscard]] std::string name_in_stack(const ObservedContainer& container);
/// created, running, paused, exited or restarting.
[[nodiscard]] std::string state_text(const ObservedContainer& container);
/// The object of `ps --format json` (compose.md section 2 "Output contracts").
[[nodiscard]] nlohmann::json ps_json(const ObservedContainer& container, Time now);
/// RFC 3339 in UTC, with the fraction of a second that is known.
[[nodiscard]] std::string time_text(Time time);
/// As docker's lists have it: `2026-11-28 00:12:19 +0000 UTC`, where the user is.
[[nodiscard]] std::string date_text(Time time);

}  // namespace stack::cli
