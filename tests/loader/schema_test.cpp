// The schema and the loader know the same keys and words, and agree on real files.

#include "loader/budget.h"
#include "loader/interpolate.h"
#include "loader/reader.h"
#include "tests/loader/project.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const Json& root() {
    static const Json parsed = Json::parse(schema());
    return parsed;
}

/// What makes a value that stands at some place of a file into the whole file.
using Wrap = std::function<Json(Json)>;
using Visit = std::function<void(const Json& object, const std::string& place, const Wrap& wrap)>;

/// Every part of the schema, alternatives and definitions written out.
void walk(const Json& part, const std::string& place, const Wrap& wrap, const Visit& visit) {
    if (part.contains("$ref")) {
        const auto pointer = part["$ref"].get<std::string>().substr(1);
        walk(root().at(Json::json_pointer(pointer)), place, wrap, visit);
    }
    for (const auto* key : {"anyOf", "allOf"})
        if (part.contains(key))
            for (const auto& alternative : part[key])
                walk(alternative, place, wrap, visit);
    visit(part, place, wrap);
    if (part.contains("properties"))
        for (const auto& [name, value] : part["properties"].items())
            walk(
                value,
                place + "." + name,
                [&wrap, &name = name](Json inner) {
                    return wrap({{name, std::move(inner)}});
                },
                visit);
    if (part.contains("additionalProperties") && part["additionalProperties"].is_object())
        walk(
            part["additionalProperties"],
            place + ".*",
            [&wrap](Json inner) {
                return wrap({{"any", std::move(inner)}});
            },
            visit);
    if (part.contains("items"))
        walk(
            part["items"],
            place + "[]",
            [&wrap](Json inner) { return wrap(Json::array({std::move(inner)})); },
            visit);
}

void walk(const Visit& visit) {
    walk(
        root(), "", [](Json whole) { return whole; }, visit);
}

/// The words that the loader would have taken instead of `unknown`.
std::set<std::string> expected_instead(const Json& file, const std::string& code) {
    const LoadResult result = Project(file.dump()).load();
    for (const auto& diagnostic : result.diagnostics)
        if (diagnostic.code == code && diagnostic.message.find("zz-unknown") != std::string::npos)
            return {diagnostic.expected.begin(), diagnostic.expected.end()};
    ADD_FAILURE() << "the loader takes " << file.dump() << "\n" << printed(result);
    return {};
}

TEST(Schema, HasTheKeysThatTheLoaderKnows) {
    int count = 0;
    walk([&](const Json& part, const std::string& place, const Wrap& wrap) {
        if (!part.contains("properties"))
            return;
        ++count;
        std::set<std::string> keys;
        for (const auto& [name, value] : part["properties"].items())
            keys.insert(name);
        EXPECT_EQ(keys, expected_instead(wrap({{"zz-unknown", 1}}), "unknown-key")) << place;
    });
    EXPECT_GT(count, 50);
}

TEST(Schema, HasTheWordsThatTheLoaderKnows) {
    int count = 0;
    walk([&](const Json& part, const std::string& place, const Wrap& wrap) {
        if (!part.contains("enum") || place.ends_with(".gpus"))
            return;
        ++count;
        std::set<std::string> words;
        for (const auto& word : part["enum"])
            if (word.is_string())
                words.insert(word);
        EXPECT_EQ(words, expected_instead(wrap("zz-unknown"), "unknown-value")) << place;
    });
    EXPECT_GT(count, 15);
}

/// Whether the loader says that the 50 in `file` should have been something else.
bool refuses_fifty(const Json& file) {
    const LoadResult result = Project(file.dump()).load();
    return std::any_of(
        result.diagnostics.begin(), result.diagnostics.end(), [](const Diagnostic& one) {
            return one.severity == Severity::error &&
                   (one.message + one.hint).find("50") != std::string::npos;
        });
}

TEST(Schema, TakesNumbersWhereTheLoaderDoes) {
    std::map<std::string, Json> texts;  // a file with a 50 where a text may stand, by place
    std::set<std::string> numbers;
    walk([&](const Json& part, const std::string& place, const Wrap& wrap) {
        if (!part.contains("type") || part.contains("enum"))
            return;
        const Json& type = part["type"];
        const auto is_one = [&](const char* wanted) {
            return type.is_array() ? std::find(type.begin(), type.end(), wanted) != type.end()
                                   : type == wanted;
        };
        if (is_one("number") || is_one("integer"))
            numbers.insert(place);
        if (is_one("string"))
            texts[place] = wrap(50);
    });
    EXPECT_GT(texts.size(), 100U);
    for (const auto& [place, file] : texts)
        EXPECT_EQ(refuses_fifty(file), !numbers.contains(place)) << place;
}

TEST(Schema, EverythingIsDescribed) {
    const std::function<bool(const Json&)> is_described = [&](const Json& part) {
        if (part.contains("description"))
            return !part["description"].get<std::string>().empty();
        if (part.contains("$ref"))
            return is_described(
                root().at(Json::json_pointer(part["$ref"].get<std::string>().substr(1))));
        return part.contains("anyOf") && is_described(part["anyOf"][0]);
    };
    walk([&](const Json& part, const std::string& place, const Wrap&) {
        if (!part.contains("properties"))
            return;
        for (const auto& [name, value] : part["properties"].items())
            EXPECT_TRUE(is_described(value)) << place << "." << name;
    });
}

// --- real files ---

Json scalar_json(const loader::Node& node) {
    if (!node.quoted) {
        if (node.value == "true" || node.value == "false")
            return node.value == "true";
        const Json number = Json::parse(node.value, nullptr, false);
        if (number.is_number())
            return number;
    }
    return node.value;
}

Json json_of(const loader::Node& node) {
    switch (node.kind) {
        case loader::NodeKind::null:
            return {};
        case loader::NodeKind::scalar:
            return scalar_json(node);
        case loader::NodeKind::sequence: {
            Json list = Json::array();
            for (const auto& item : node.items)
                list.push_back(json_of(item));
            return list;
        }
        case loader::NodeKind::mapping: {
            Json object = Json::object();
            for (const auto& [key, value] : node.entries)
                object[key.text] = json_of(value);
            return object;
        }
    }
    return {};
}

/// What the validator says against a file; "" where it is valid.
std::string objections(const Json& file) {
    static const auto parsed = [] {
        auto schema = std::make_unique<valijson::Schema>();
        valijson::SchemaParser(valijson::SchemaParser::kDraft7)
            .populateSchema(valijson::adapters::NlohmannJsonAdapter(root()), *schema);
        return schema;
    }();
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(*parsed, valijson::adapters::NlohmannJsonAdapter(file), &results))
        return {};
    std::string text;
    for (const auto& error : results) {
        for (const auto& step : error.context)
            text += step;
        text += ": " + error.description + "\n";
    }
    return text;
}

std::string text_of(const fs::path& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

/// The documents of a YAML file as JSON, merge keys carried out.
std::vector<Json> documents(const std::string& text) {
    Diagnostics diagnostics;
    loader::Reporter reporter(diagnostics);
    loader::Budget budget(reporter);
    const std::string name = "file";
    std::vector<Json> list;
    for (const auto& document : loader::parse_yaml(name, text, reporter, budget))
        if (!document.is_null())
            list.push_back(json_of(document));
    return list;
}

std::vector<fs::path> stack_files() {
    std::vector<fs::path> files;
    for (const auto* place : {"/tests/loader", "/examples"})
        for (const auto& entry :
             fs::recursive_directory_iterator(std::string(STACK_SOURCE_DIR) + place))
            if (entry.path().extension() == ".yaml")
                files.push_back(entry.path());
    return files;
}

TEST(Schema, AcceptsWhatLoads) {
    int count = 0;
    for (const auto& path : stack_files()) {
        const std::string text = text_of(path);
        Project project(text);
        project.input.resolve_environment = false;  // the files beside it are not read here
        project.input.profiles = {"*"};
        const LoadResult result = project.load();
        if (!result.stack)
            continue;
        ++count;
        for (const auto& document : documents(text))
            EXPECT_EQ(objections(document), "") << path;
        EXPECT_EQ(objections(Json::parse(to_json_text(*result.stack))), "") << path;
    }
    EXPECT_GT(count, 5);
}

TEST(Schema, RefusesUnknownKeysAndWrongTypes) {
    int count = 0;
    for (const auto& path : stack_files()) {
        const std::string text = text_of(path);
        const LoadResult result = Project(text).load();
        const bool is_wrong = std::any_of(
            result.diagnostics.begin(), result.diagnostics.end(), [](const Diagnostic& diagnostic) {
                return diagnostic.code == "unknown-key" || diagnostic.code == "unknown-value";
            });
        if (!is_wrong || path.stem() == "restart")  // whose words have a pattern of their own
            continue;
        ++count;
        std::string all;
        for (const auto& document : documents(text))
            all += objections(document);
        EXPECT_NE(all, "") << path;
    }
    EXPECT_GT(count, 5);
}

}  // namespace
}  // namespace stack::test
