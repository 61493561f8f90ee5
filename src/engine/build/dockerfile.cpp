#include "engine/build/dockerfile.h"

#include "base/text.h"
#include "engine/build/instruction_parser.h"

#include <utility>

namespace stack::build {
namespace {

/// Puts an instruction where it belongs: before the first stage, a new stage, or the last stage.
void place(Instruction instruction, Dockerfile& file, bool& complained) {
    if (const auto* from = std::get_if<From>(&instruction.body)) {
        file.stages.push_back({*from, instruction.location, {}});
    } else if (!file.stages.empty()) {
        file.stages.back().instructions.push_back(std::move(instruction));
    } else if (std::holds_alternative<Arg>(instruction.body)) {
        file.global_arguments.push_back(std::move(instruction));
    } else if (!std::exchange(complained, true)) {
        file.diagnostics.push_back({Severity::error,
                                    "no-stage",
                                    "no build stage yet: a Dockerfile begins with FROM",
                                    instruction.location,
                                    {},
                                    {}});
    }
}

}  // namespace

Dockerfile parse_dockerfile(std::string_view text, const std::string& file) {
    Lexed lexed = lex(text, file);
    Dockerfile result;
    result.escape = lexed.escape;
    result.check = std::move(lexed.check);
    result.diagnostics = std::move(lexed.diagnostics);
    bool complained = false;
    bool from_failed = false;
    for (const auto& statement : lexed.statements) {
        auto instruction = parse_statement(statement, lexed.escape, result.diagnostics);
        if (instruction && !(from_failed && result.stages.empty()))
            place(std::move(*instruction), result, complained);
        else if (to_lower(statement.text).starts_with("from"))
            from_failed = true;  // what follows is not to be blamed for it
    }
    if (result.stages.empty() && !has_errors(result.diagnostics))
        result.diagnostics.push_back({Severity::error,
                                      "no-stage",
                                      "the Dockerfile has no build stage: it needs a FROM",
                                      {file},
                                      {},
                                      {}});
    return result;
}

Trigger parse_trigger(const std::string& text, const std::string& file) {
    Lexed lexed = lex(text, file);
    Trigger trigger{{}, std::move(lexed.diagnostics)};
    if (lexed.statements.size() == 1 && !has_errors(trigger.diagnostics))
        trigger.instruction =
            parse_statement(lexed.statements[0], lexed.escape, trigger.diagnostics);
    return trigger;
}

}  // namespace stack::build
