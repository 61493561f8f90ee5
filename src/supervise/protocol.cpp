#include "supervise/protocol.h"

#include "model/codec.h"

namespace stack {

void visit_fields(model::Is<Request> auto& v, auto&& field) {
    field("verb", v.verb), field("stack", v.stack), field("named_by_hand", v.named_by_hand),
        field("up", v.up), field("run", v.run);
    field("down", v.down);
    field("services", v.services), field("timeout", v.timeout), field("signal", v.signal);
    field("no_deps", v.no_deps), field("volumes", v.volumes), field("stop", v.stop);
    field("environment", v.environment), field("parallel", v.parallel);
}

}  // namespace stack

namespace stack::supervise {

using model::Json;

std::string encode_request(const Request& request) {
    return model::encode(request).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Request decode_request(const std::string& line) {
    try {
        Request request;
        model::decode(Json::parse(line), request);
        return request;
    } catch (const Json::exception& error) {
        throw Error(std::string("the request cannot be read: ") + error.what());
    }
}

std::string encode_result(int exit) {
    return Json{{"result", {{"exit", exit}}}}.dump();
}

ServerLine decode_server_line(const std::string& line) {
    ServerLine decoded;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object())
        return decoded;
    if (json.contains("result"))
        decoded.exit = json["result"].value("exit", 1);
    else
        model::decode(json, decoded.event.emplace());
    return decoded;
}

}  // namespace stack::supervise
