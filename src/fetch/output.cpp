#include "fetch/output.h"

#include "model/json.h"
#include "sys/terminal.h"

#include <mutex>

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

void write_line(const std::string& line) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    sys::write_out(line + "\n");
}

std::string dump(const nlohmann::json& json) {
    return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void say(const Event& event) {
    write_line(model::encode_event(event));
}

void say_result(const std::string& id) {
    write_line(dump({{"result", {{"id", id}}}}));
}

void say_error(const std::string& sentence) {
    write_line(dump({{"error", sentence}}));
}

}  // namespace stack::fetch
