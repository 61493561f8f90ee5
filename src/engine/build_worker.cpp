// A build in a process of its own: what goes wrong in it ends there.

#include <stack/error.h>

#include "engine/build/build.h"
#include "engine/engine.h"
#include "engine/in_use.h"
#include "model/codec.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

namespace stack::engine {
namespace {

constexpr int request_fd = 3;

void say(const model::Json& line) {
    sys::write_out(line.dump(-1, ' ', false, model::Json::error_handler_t::replace) + "\n");
}

build::BuildRequest read_request(const Paths& paths) {
    const auto json = model::Json::parse(sys::read_all(sys::Fd(request_fd)));
    build::BuildRequest request;
    request.name = json.value("name", "");
    request.tag = json.value("tag", "");
    model::decode(json.at("build"), request.build);
    request.source_digest = json.value("source_digest", "");
    request.no_cache = json.value("no_cache", false);
    request.pull = json.value("pull", false);
    request.environment = sys::environment();
    request.find_in_use = [&paths] { return find_in_use(paths); };
    return request;
}

std::string source_text(const std::string& file, const void* sources) {
    const auto& map = *static_cast<const std::map<std::string, std::string>*>(sources);
    const auto found = map.find(file);
    return found == map.end() ? "" : found->second;
}

/// What the Dockerfile had better not say.
Event event_of(const Diagnostic& warning) {
    Event event;
    event.id = warning.location.file + ":" + std::to_string(warning.location.line) + ":" +
               std::to_string(warning.location.column);
    event.status = EventStatus::warning;
    event.text = warning.code;
    event.detail = warning.message + (warning.hint.empty() ? "" : " (" + warning.hint + ")");
    return event;
}

/// Why there is no image; empty where there is one.
std::string build_and_tell(const Paths& paths) {
    try {
        const auto result = build::build_image(
            paths, read_request(paths), [](const Event& event) { say(model::encode(event)); });
        if (result.image_id.empty())
            return result.failure.empty()
                       ? to_text(result.diagnostics, source_text, &result.sources)
                       : result.failure;
        for (const auto& warning : result.diagnostics)
            say(model::encode(event_of(warning)));
        say({{"result", {{"id", result.image_id}}}});
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace

int run_build_worker(const Paths& paths) {
    sys::end_with_parent();
    const std::string error = build_and_tell(paths);
    if (!error.empty())
        say({{"error", error}});
    return error.empty() ? 0 : 1;
}

}  // namespace stack::engine
