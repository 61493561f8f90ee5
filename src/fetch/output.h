#pragma once

// What the worker says: JSON lines on standard output, from any of its threads.

#include <stack/events.h>

#include <string>

namespace stack::fetch {

void say(const Event& event);
void say_result(const std::string& id);
void say_error(const std::string& sentence);

}  // namespace stack::fetch
