#pragma once

// Records on disk and on sockets: the product's values as one line of JSON. Declared for those who
// must not include the codec.

#include <stack/events.h>
#include <stack/model.h>
#include <stack/plan.h>

#include <string>

namespace stack::model {

[[nodiscard]] std::string encode_stack(const Stack& stack);
/// Throws stack::Error where `text` is not such a record.
[[nodiscard]] Stack decode_stack(const std::string& text);

[[nodiscard]] std::string encode_container(const ContainerSpec& spec);
[[nodiscard]] ContainerSpec decode_container(const std::string& text);

[[nodiscard]] std::string encode_event(const Event& event);
[[nodiscard]] Event decode_event(const std::string& text);

}  // namespace stack::model
