#pragma once

// The identity of a description: equal digests mean "no need to recreate".

#include <stack/model.h>
#include <stack/plan.h>

#include <string>
#include <vector>

namespace stack::model {

/// What a container depends on. Left out: how its image comes about (build, pull_policy), how many
/// there are (scale), order (depends_on), selection (profiles), and what changes in place (restart,
/// resources): compose.md section 3.
[[nodiscard]] std::string config_digest(const ContainerSpec& spec);
[[nodiscard]] std::string config_digest(const Network& network);
[[nodiscard]] std::string config_digest(const Volume& volume);

/// Whether both are one interface with one set of addresses. What else they may differ in (names,
/// ranks) changes while the interface stays.
[[nodiscard]] bool is_same_interface(const NetworkAttachment& one, NetworkAttachment other);

/// The fields that differ, in order of name, with both values as text. Fields that config_digest()
/// leaves out but that change in place (restart, resources, networks) are included.
[[nodiscard]] std::vector<FieldChange> changes(const Service& before, const Service& after);

}  // namespace stack::model
