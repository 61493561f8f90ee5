#pragma once

// The canonical stack file as JSON: the parts that print.cpp puts together. What is at its default
// is not written. Heavy: include it in .cpp files only.

#include <stack/model.h>

#include <string>

#include <nlohmann/json.hpp>

namespace stack::loader {

/// Keys stay in the order in which they are written.
using Json = nlohmann::ordered_json;

/// A dollar in a value must survive the next interpolation.
[[nodiscard]] std::string escaped(const std::string& text);

void put(Json& object, const char* key, const std::string& value);
void put(Json& object, const char* key, bool value);
void put(Json& object, const char* key, const Strings& value);
void put(Json& object, const char* key, const StringMap& value);
void put(Json& object,
         const char* key,
         const std::map<std::string, std::optional<std::string>>& value);
void put(Json& object, const char* key, const std::optional<Strings>& value);
void put(Json& object, const char* key, const std::optional<Duration>& value);
void put(Json& object, const char* key, const std::optional<std::int64_t>& value);
void put_bytes(Json& object, const char* key, const std::optional<std::int64_t>& value);
void put(Json& object, const char* key, const std::optional<int>& value);
void put_hosts(Json& object, const std::map<std::string, Strings>& hosts);  // as `extra_hosts`
void put(Json& object, const char* key, const std::optional<double>& value);
void put(Json& object, const char* key, const Json& value);

[[nodiscard]] Json port_json(const Port& port);
[[nodiscard]] Json mount_json(const Mount& mount);
[[nodiscard]] Json secret_json(const FileReference& reference);
[[nodiscard]] Json config_json(const FileReference& reference);
[[nodiscard]] Json ulimits_json(const std::map<std::string, Ulimit>& limits);
[[nodiscard]] Json build_json(const Build& build);
[[nodiscard]] Json healthcheck_json(const Healthcheck& check);
[[nodiscard]] Json attachments_json(const std::map<std::string, NetworkAttachment>& attachments);
[[nodiscard]] Json hooks_json(const std::vector<Hook>& hooks);
[[nodiscard]] Json update_json(const UpdateConfig& update);
[[nodiscard]] Json blkio_json(const Blkio& blkio);
[[nodiscard]] Json service_json(const Service& service);

/// A JSON value in YAML's block style, quoted where it must be.
[[nodiscard]] std::string yaml_text(const Json& json);

}  // namespace stack::loader
