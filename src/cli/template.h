#pragma once

// Go's text/template as people use it with --format: fields, pipelines, if, range, with, variables.
//
//     {{.Name}}{{range $port, $to := .Ports}} {{$port}}{{end}} {{json .Labels}}
//
// What a template says of its data is bounded in steps and output.

#include "base/expected.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace stack::cli {

struct TemplateNode;

class Template {
  public:
    [[nodiscard]] static Expected<Template> parse(std::string_view text);

    /// The data is an object. A field that it does not have is a mistake; one that something in it
    /// does not have is `<no value>`, and false.
    [[nodiscard]] Expected<std::string> render(const nlohmann::json& data) const;

    /// The head above what it makes of rows, where these are its fields' titles. Docker: a label's
    /// is the last part of its name.
    [[nodiscard]] Expected<std::string> render_head(const nlohmann::json& titles) const;

    /// The fields of the data that it names.
    [[nodiscard]] std::vector<std::string> fields() const;

  private:
    using Nodes = std::vector<TemplateNode>;

    explicit Template(std::shared_ptr<const Nodes> nodes) : nodes_(std::move(nodes)) {}

    std::shared_ptr<const Nodes> nodes_;
};

}  // namespace stack::cli
