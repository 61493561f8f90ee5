#pragma once

// A Dockerfile as typed instructions, each with its place in the file. Variables are not expanded:
// that needs the stage's state (expand.h). Every mistake becomes a located diagnostic, all of them
// in one pass.
//
// The grammar is the Dockerfile reference's, version 1 with the stable flags of the 1.x frontends;
// what a newer frontend knows and this one does not is an error at its line.

#include <stack/diagnostics.h>
#include <stack/model.h>

#include "engine/build/lexer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stack::build {

struct KeyValue {
    std::string key;
    std::string value;
    bool legacy = false;  // `KEY rest of the line`

    bool operator==(const KeyValue&) const = default;
};

/// What RUN, CMD and ENTRYPOINT run: a line for the shell, or words for exec.
struct CommandLine {
    bool shell = true;
    Strings words;  // one, the line, in shell form

    bool operator==(const CommandLine&) const = default;
};

struct From {
    std::string image;
    std::string platform;
    std::string name;  // lower case; empty without AS

    bool operator==(const From&) const = default;
};

struct Arg {
    std::vector<std::pair<std::string, std::optional<std::string>>> arguments;

    bool operator==(const Arg&) const = default;
};

struct Env {
    std::vector<KeyValue> variables;

    bool operator==(const Env&) const = default;
};

struct Label {
    std::vector<KeyValue> labels;

    bool operator==(const Label&) const = default;
};

struct Run {
    CommandLine command;
    std::vector<Heredoc> heredocs;
    Strings mounts;       // unparsed: their values may hold variables (run_mount.h)
    std::string network;  // default, none, host

    bool operator==(const Run&) const = default;
};

/// COPY, and ADD where `add`.
struct Copy {
    bool add = false;
    Strings sources;
    std::vector<Heredoc> files;
    std::string destination;
    std::string from;
    std::string chown;
    std::string chmod;
    std::string checksum;
    Strings excludes;
    bool link = false;
    bool parents = false;
    bool keep_git_dir = false;
    std::optional<bool> unpack;

    bool operator==(const Copy&) const = default;
};

struct Cmd {
    CommandLine command;

    bool operator==(const Cmd&) const = default;
};

struct Entrypoint {
    CommandLine command;

    bool operator==(const Entrypoint&) const = default;
};

struct ShellForm {  // SHELL
    Strings words;

    bool operator==(const ShellForm&) const = default;
};

struct Expose {
    Strings ports;

    bool operator==(const Expose&) const = default;
};

struct VolumePaths {  // VOLUME
    Strings paths;

    bool operator==(const VolumePaths&) const = default;
};

struct User {
    std::string name;

    bool operator==(const User&) const = default;
};

struct Workdir {
    std::string path;

    bool operator==(const Workdir&) const = default;
};

struct StopSignal {
    std::string signal;

    bool operator==(const StopSignal&) const = default;
};

struct HealthcheckForm {  // HEALTHCHECK
    Healthcheck check;

    bool operator==(const HealthcheckForm&) const = default;
};

struct OnBuild {
    std::string trigger;

    bool operator==(const OnBuild&) const = default;
};

struct Maintainer {
    std::string name;

    bool operator==(const Maintainer&) const = default;
};

using InstructionBody = std::variant<From,
                                     Arg,
                                     Env,
                                     Label,
                                     Run,
                                     Copy,
                                     Cmd,
                                     Entrypoint,
                                     ShellForm,
                                     Expose,
                                     VolumePaths,
                                     User,
                                     Workdir,
                                     StopSignal,
                                     HealthcheckForm,
                                     OnBuild,
                                     Maintainer>;

struct Instruction {
    InstructionBody body;
    std::string text;  // as written, in one line
    Location location;
};

struct Stage {
    From from;
    Location location;
    std::vector<Instruction> instructions;
};

struct Dockerfile {
    std::vector<Instruction> global_arguments;  // ARG before the first FROM
    std::vector<Stage> stages;
    char escape = '\\';
    CheckOptions check;
    Diagnostics diagnostics;  // warnings of skipped rules, too
};

[[nodiscard]] Dockerfile parse_dockerfile(std::string_view text, const std::string& file);

struct Trigger {
    std::optional<Instruction> instruction;  // nullopt where `diagnostics` has an error
    Diagnostics diagnostics;
};

/// The instruction in an image's ONBUILD. `file` names it in diagnostics.
[[nodiscard]] Trigger parse_trigger(const std::string& text, const std::string& file);

}  // namespace stack::build
