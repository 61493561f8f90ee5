#include "model/json.h"

#include "model/codec.h"

namespace stack::model {
namespace {

template <class T>
T decode_text(const std::string& text, const char* what) {
    try {
        T value;
        decode(Json::parse(text), value);
        return value;
    } catch (const Json::exception& error) {
        throw Error(std::string(what) + " cannot be read: " + error.what());
    }
}

template <class T>
std::string encode_text(const T& value) {
    return encode(value).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string encode_stack(const Stack& stack) {
    return encode_text(stack);
}

Stack decode_stack(const std::string& text) {
    return decode_text<Stack>(text, "the record of a stack");
}

std::string encode_container(const ContainerSpec& spec) {
    return encode_text(spec);
}

ContainerSpec decode_container(const std::string& text) {
    return decode_text<ContainerSpec>(text, "the record of a container");
}

std::string encode_event(const Event& event) {
    return encode_text(event);
}

Event decode_event(const std::string& text) {
    return decode_text<Event>(text, "an event");
}

}  // namespace stack::model
