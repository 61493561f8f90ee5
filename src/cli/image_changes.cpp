#include "cli/image_changes.h"

#include "cli/context.h"
#include "engine/build/instruction_parser.h"
#include "engine/build/state.h"

#include <algorithm>

namespace stack::cli {
namespace {

[[noreturn]] void refuse(const std::string& change, const std::string& why) {
    give_up("--change \"" + change + "\": " + why);
}

/// Whether it says something of the image and nothing of how one is built.
bool only_describes(const build::InstructionBody& body) {
    return std::visit(
        [](const auto& instruction) {
            using One = std::decay_t<decltype(instruction)>;
            return std::is_same_v<One, build::Cmd> || std::is_same_v<One, build::Entrypoint> ||
                   std::is_same_v<One, build::Env> || std::is_same_v<One, build::Expose> ||
                   std::is_same_v<One, build::HealthcheckForm> ||
                   std::is_same_v<One, build::Label> || std::is_same_v<One, build::OnBuild> ||
                   std::is_same_v<One, build::StopSignal> || std::is_same_v<One, build::User> ||
                   std::is_same_v<One, build::VolumePaths> || std::is_same_v<One, build::Workdir>;
        },
        body);
}

void refuse_errors(const std::string& change, const Diagnostics& diagnostics) {
    const auto wrong =
        std::find_if(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& one) {
            return one.severity == Severity::error;
        });
    if (wrong != diagnostics.end())
        refuse(change, wrong->message + (wrong->hint.empty() ? "" : ": " + wrong->hint));
}

struct Parsed {
    std::vector<build::Instruction> instructions;
    build::Scope scope;
};

Parsed parse(const std::string& change) {
    build::Lexed lexed = build::lex(change, "--change");
    if (lexed.statements.empty())
        refuse(change, "it is no instruction, such as ENV A=b");
    refuse_errors(change, lexed.diagnostics);
    Parsed parsed;
    parsed.scope.escape = lexed.escape;
    for (const auto& statement : lexed.statements) {
        auto instruction = build::parse_statement(statement, lexed.escape, lexed.diagnostics);
        refuse_errors(change, lexed.diagnostics);
        if (!instruction || !only_describes(instruction->body))
            refuse(change,
                   "there are CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, "
                   "STOPSIGNAL, USER, VOLUME and WORKDIR");
        parsed.instructions.push_back(std::move(*instruction));
    }
    return parsed;
}

/// In a build WORKDIR writes a layer: here it is only said.
Expected<build::State> applied(build::State state,
                               const build::Instruction& instruction,
                               const build::Scope& scope) {
    const auto* workdir = std::get_if<build::Workdir>(&instruction.body);
    if (workdir == nullptr)
        return build::apply(std::move(state), instruction, scope);
    auto path = build::working_directory(state, *workdir, scope);
    if (!path)
        return tl::unexpected(path.error());
    state.config.working_dir = std::move(*path);
    return state;
}

}  // namespace

ImageConfig with_changes(ImageConfig config, const Strings& changes) {
    build::State state;
    state.config = std::move(config);
    for (const auto& change : changes) {
        const Parsed parsed = parse(change);
        for (const auto& instruction : parsed.instructions) {
            auto next = applied(std::move(state), instruction, parsed.scope);
            if (!next)
                refuse(change, next.error().message);
            state = std::move(*next);
        }
    }
    return std::move(state.config);
}

}  // namespace stack::cli
