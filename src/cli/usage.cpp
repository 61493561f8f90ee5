#include "cli/usage.h"

#include "base/text.h"
#include "cli/cli11.h"

#include <map>
#include <vector>

namespace stack::cli {
namespace {

/// What docker has at the top, and this program in a group.
const std::map<std::string, std::string>& words_of_docker() {
    static const std::map<std::string, std::string> places{
        {"buildx", "stack image build"},
        {"df", "stack system df"},
        {"diff", "stack container diff"},
        {"history", "stack image history"},
        {"import", "stack image import"},
        {"info", "stack system info"},
        {"inspect", "stack container inspect"},
        {"load", "stack image load"},
        {"prune", "stack system prune"},
        {"rename", "stack container rename"},
        {"rmi", "stack image rm"},
        {"save", "stack image save"},
        {"tag", "stack image tag"},
        {"update", "stack container update"},
    };
    return places;
}

/// The command that the words chose, and its name with those of its groups.
struct Chosen {
    const CLI::App* app;
    std::string name;
};

Chosen chosen_in(const CLI::App& program) {
    Chosen chosen{&program, program.get_name()};
    while (!chosen.app->get_subcommands().empty()) {
        chosen.app = chosen.app->get_subcommands().front();
        chosen.name += " " + chosen.app->get_name();
    }
    return chosen;
}

std::vector<std::string> options_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const auto* option : command.get_options())
        for (const auto& name : option->get_lnames())
            names.push_back("--" + name);
    return names;
}

std::vector<std::string> commands_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; }))
        names.push_back(sub->get_name());
    return names;
}

std::string with_help(const Chosen& chosen) {
    return " (see `" + chosen.name + " --help`)";
}

/// Where `word`, which nothing took, is to be had; "" where nobody knows.
std::string place_of(const Chosen& chosen, const std::string& word) {
    if (chosen.name == "stack") {
        if (word == "compose")
            return "; leave that word away: `stack up`, `stack ps` …";
        const auto known = words_of_docker().find(word);
        return known == words_of_docker().end() ? "" : "; it is `" + known->second + "` here";
    }
    const bool is_tag = word == "-t" || word == "--tag";
    return chosen.name == "stack build" && is_tag
               ? "; an image without a stack file is built by `stack image build`"
               : "";
}

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
    const std::string near = closest(word, known);
    return near.empty() ? "" : "; did you mean " + near + "?";
}

/// A word that nothing took.
std::string unknown(const Chosen& chosen, const std::string& word) {
    const bool is_option = word.starts_with('-') && word != "-";
    const std::string name = word.substr(0, word.find('='));
    if (const std::string place = place_of(chosen, name); !place.empty())
        return chosen.name + ": unknown " + (is_option ? "option " : "command ") + name + place +
               with_help(chosen);
    if (is_option)
        return chosen.name + ": unknown option " + name +
               suggestion(name, options_of(*chosen.app)) + with_help(chosen);
    const auto commands = commands_of(*chosen.app);
    if (!commands.empty())
        return chosen.name + ": unknown command " + word + suggestion(word, commands) +
               with_help(chosen);
    return chosen.name + ": there is no place for the argument \"" + word + "\"" +
           with_help(chosen);
}

}  // namespace

std::string usage_complaint(const CLI::App& app, const CLI::ParseError& error) {
    // A word that the program itself could not place stands before the command: `compose up`.
    const Chosen chosen =
        app.remaining(false).empty() ? chosen_in(app) : Chosen{&app, app.get_name()};
    const auto left = app.remaining(true);
    if (!left.empty())
        return unknown(chosen, left.front());
    if (chosen.app->get_require_subcommand_min() > 0)
        return chosen.name + ": which command? There are " + join(commands_of(*chosen.app), ", ") +
               with_help(chosen);
    return chosen.name + ": " + error.what() + with_help(chosen);
}

}  // namespace stack::cli
