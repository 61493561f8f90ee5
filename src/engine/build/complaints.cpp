#include "engine/build/complaints.h"

namespace stack::build {
namespace {

std::string source_text(const std::string& file, const void* sources) {
    const auto& texts = *static_cast<const std::map<std::string, std::string>*>(sources);
    const auto found = texts.find(file);
    return found == texts.end() ? "" : found->second;
}

}  // namespace

void Complaints::add_source(const std::string& file, const std::string& text) {
    const std::lock_guard lock(mutex_);
    sources_[file] = text;
}

void Complaints::add(const Diagnostics& diagnostics) {
    const std::lock_guard lock(mutex_);
    diagnostics_.insert(diagnostics_.end(), diagnostics.begin(), diagnostics.end());
    if (has_errors(diagnostics))
        stop_.request_stop();
}

void Complaints::refuse(const Location& at, const std::string& message) {
    add({{Severity::error, "step-refused", message, at, {}, {}}});
}

void Complaints::fail(const Location& at, const std::string& sentence, const std::string& output) {
    const Diagnostics where{{Severity::error, "step-failed", sentence, at, {}, {}}};
    const std::lock_guard lock(mutex_);
    if (failure_.empty())
        failure_ = to_text(where, source_text, &sources_) +
                   (output.empty() ? "It printed nothing.\n" : "Its last output:\n" + output);
    stop_.request_stop();
}

}  // namespace stack::build
