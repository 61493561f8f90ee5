// doctor.

#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/machine.h"
#include "cli/style.h"
#include "sys/terminal.h"

#include <algorithm>
#include <memory>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace stack::cli {
namespace {

using Json = nlohmann::json;

std::string json_text(const std::vector<Finding>& list) {
    Json array = Json::array();
    for (const auto& finding : list)
        array.push_back({{"check", finding.check},
                         {"ok", finding.good},
                         {"text", finding.text},
                         {"advice", finding.advice}});
    return array.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string plain_text(const std::vector<Finding>& list, bool colour) {
    constexpr std::size_t widest = 11;
    std::string text;
    for (const auto& finding : list) {
        std::string check = finding.check;
        check.resize(std::max(check.size(), widest), ' ');
        text += paint(colour,
                      finding.good ? Colour::green : Colour::red,
                      finding.good ? "ok      " : "problem ") +
                check + " " + printable(finding.text) +
                (finding.advice.empty() ? "" : ": " + finding.advice) + "\n";
    }
    return text;
}

void run_doctor(Context& context, const std::string& format) {
    require_root();
    const auto list = findings(look_at_machine(context.paths));
    sys::write_out(format == "json"
                       ? json_text(list)
                       : plain_text(list, wants_colour(context.globals, STDOUT_FILENO)));
    context.exit_code =
        std::all_of(list.begin(), list.end(), [](const Finding& finding) { return finding.good; })
            ? 0
            : 1;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
    const auto format = std::make_shared<std::string>("text");
    app.add_option("--format", *format, "text or json")->check(CLI::IsMember({"text", "json"}));
    app.footer("Changes nothing. Ends with 1 where something is wrong.");
    app.callback([&context, format] { run_doctor(context, *format); });
}

}  // namespace stack::cli
