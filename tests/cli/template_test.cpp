#include "cli/template.h"

#include "cli/format.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace stack::test {
namespace {

using cli::Template;

const nlohmann::json& container() {
    static const auto data = nlohmann::json::parse(R"({
        "Names": "shop-web-1",
        "State": {"Status": "running", "Pid": 12},
        "Labels": {"a.b": "1", "c": "two"},
        "Ports": {"80/tcp": [{"HostPort": "8080"}], "9/udp": null},
        "Args": ["x", "y"],
        "Size": 1024, "Empty": [], "Ready": true})");
    return data;
}

std::string rendered(const std::string& text, const nlohmann::json& data = container()) {
    const auto parsed = Template::parse(text);
    if (!parsed)
        return "at " + std::to_string(parsed.error().offset) + ": " + parsed.error().message;
    const auto result = parsed->render(data);
    return result ? *result
                  : "at " + std::to_string(result.error().offset) + ": " + result.error().message;
}

struct Case {
    const char* text;
    const char* expected;
};

TEST(Template, IsWhatGoMakesOfIt) {
    for (const auto& [text, expected] : {
             Case{"", ""},
             Case{"plain } text", "plain } text"},
             Case{"{{.Names}}", "shop-web-1"},
             Case{"{{ .State.Status }}/{{.State.Pid}}", "running/12"},
             Case{"{{json .Labels}}", R"({"a.b":"1","c":"two"})"},
             Case{"{{.Labels}} {{.Args}} {{.Ready}}", "map[a.b:1 c:two] [x y] true"},
             Case{"{{.State.Health}}", "<no value>"},
             Case{R"({{index .Labels "a.b"}})", "1"},
             Case{R"({{index .Args 1}}{{index .Ports "80/tcp" 0 "HostPort"}})", "y8080"},
             Case{R"({{(index (index .Ports "80/tcp") 0).HostPort}})", "8080"},
             Case{R"({{.Label "c"}})", "two"},
             Case{"{{range .Args}}<{{.}}>{{end}}", "<x><y>"},
             Case{"{{range .Args}}{{$.Names}} {{end}}", "shop-web-1 shop-web-1 "},
             Case{"{{range $i, $a := .Args}}{{$i}}={{$a}};{{end}}", "0=x;1=y;"},
             Case{"{{range $p, $to := .Ports}}{{$p}}{{if $to}}:{{(index $to 0).HostPort}}{{end}} "
                  "{{end}}",
                  "80/tcp:8080 9/udp "},
             Case{"{{range .Empty}}x{{else}}none{{end}}", "none"},
             Case{"{{if .Ready}}yes{{else}}no{{end}}", "yes"},
             Case{"{{if not .Ready}}a{{else if .Empty}}b{{else}}c{{end}}", "c"},
             Case{"{{if eq .State.Status \"running\"}}up{{end}}", "up"},
             Case{"{{if and .Ready (gt .Size 1000)}}big{{end}}", "big"},
             Case{"{{or .Empty .Names}}", "shop-web-1"},
             Case{"{{with .State}}{{.Pid}}{{end}}", "12"},
             Case{"{{$s := .State}}{{$s.Status}}", "running"},
             Case{"{{.Names | upper | lower | json}}", "\"shop-web-1\""},
             Case{R"({{join .Args ", "}} {{len .Args}} {{len .Names}})", "x, y 2 10"},
             Case{R"({{range split .Names "-"}}{{.}}.{{end}})", "shop.web.1."},
             Case{"{{println .Size .Names}}", "1024 shop-web-1\n"},
             Case{R"({{print 1 2 "a"}} {{printf "%s-%d %q%%" .Names 3 "x"}})",
                  "1 2a shop-web-1-3 \"x\"%"},
             Case{"{{truncate .Names 4}}", "shop"},
             Case{"a {{- .Size -}} b", "a1024b"},
             Case{"a{{/* nothing */}}b", "ab"},
             Case{"{{ne 1 2}} {{le 2 2}} {{lt \"a\" \"b\"}} {{ge 1 2}}", "true true true false"},
             Case{"{{`a\"b`}}{{\"c\\n\"}}", "a\"bc\n"},
             Case{R"({{index .Labels "none"}}|{{index .Ports "none"}})", "|<no value>"},
             Case{"{{slice .Names 5}} {{slice .Names 0 4}} {{slice .Args 1}}", "web-1 shop [y]"},
             Case{R"({{title "one two"}}{{pad "x" 1 2}}|)", "One Two x  |"},
             Case{R"({{join (split "a, b, c" ", ") "-"}})", "a-b-c"},
             Case{R"({{printf "%-6s|%6s|%05d|%+d|%.2f|%x|%t" "ab" "cd" 42 7 1.5 255 true}})",
                  "ab    |    cd|00042|+7|1.50|ff|true"},
             Case{"{{$n := 0}}{{range .Args}}{{$n = .}}{{end}}{{$n}}", "y"},
             Case{"{{$n := 0}}{{range $n = .Args}}{{end}}{{$n}}", "y"},
             Case{"{{range .Args}}{{.}}{{break}}{{end}}", "x"},
             Case{"{{range .Args}}{{if eq . \"x\"}}{{continue}}{{end}}{{.}}{{end}}", "y"},
             Case{"{{with .Empty}}a{{else with .State}}{{.Pid}}{{else}}c{{end}}", "12"},
             Case{"{{gt 1.5 1.25}}", "true"},
         })
        EXPECT_EQ(rendered(text), expected) << text;
}

TEST(Template, SaysWhereItIsWrong) {
    for (const auto& [text, expected] : {
             Case{"a {{.Names", "at 2: its }} is missing"},
             Case{"{{.Names)}}", "at 8: }} is expected here"},
             Case{"{{}}", "at 2: a value or a function is expected here"},
             Case{"{{.Names | }}", "at 11: a value or a function is expected here"},
             Case{"x{{end}}", "at 1: there is nothing here that this could belong to"},
             Case{"x{{if .Ready}}a", "at 1: its {{end}} is missing"},
             Case{"{{(.Names}}", "at 2: its ) is missing"},
             Case{"{{\"a}}", "at 2: its closing quote is missing"},
             Case{"{{.Nmes}}", "at 2: there is no field .Nmes; did you mean .Names?"},
             Case{"{{jsn .Names}}", "at 2: there is no function jsn; did you mean json?"},
             Case{"{{$x}}", "at 2: there is no variable $x"},
             Case{"{{join .Names \",\"}}", "at 2: join: it wants a list and a separator"},
             Case{"{{len}}", "at 2: len: len takes 1 values, not 0"},
             Case{"{{index .Args 7}}", "at 2: index: there is no element 7 among 2"},
             Case{"{{range .Names}}{{end}}", "at 8: range wants a list or a map, not shop-web-1"},
             Case{"{{.Names 1}}", "at 2: only a function takes values"},
             Case{"{{$x = 1}}", "at 2: there is no variable $x"},
             Case{"{{break}}", "at 0: break belongs in a range"},
             Case{"{{slice .Names 4 20}}", "at 2: slice: there is no part from 4 to 20 of 10"},
             Case{R"({{printf "%d" .Names}})", "at 2: printf: %d is not for \"shop-web-1\""},
             Case{R"({{printf "%s"}})",
                  "at 2: printf: there are fewer values than the text has places for"},
         })
        EXPECT_EQ(rendered(text), expected) << text;
}

TEST(Template, HasBounds) {
    std::string deep;
    for (int i = 0; i < 1000; ++i)
        deep += "{{if .Ready}}";
    EXPECT_NE(rendered(deep).find("too deep"), std::string::npos);
    EXPECT_NE(rendered("{{" + std::string(1000, '(')).find("too deep"), std::string::npos);
    nlohmann::json data;
    data["A"] = std::vector<int>(200, 1);
    EXPECT_NE(rendered("{{range .A}}{{range $.A}}{{range $.A}}{{end}}{{end}}{{end}}", data)
                  .find("too many steps"),
              std::string::npos);
}

TEST(Format, MakesALineOfEachRow) {
    const std::vector<nlohmann::json> rows{{{"Name", "a"}, {"RunningFor", "2 days"}},
                                           {{"Name", "bcd"}, {"RunningFor", "1 day"}}};
    EXPECT_EQ(cli::formatted("{{.Name}}\\t{{.RunningFor}}", rows), "a\t2 days\nbcd\t1 day\n");
    EXPECT_EQ(cli::formatted("table {{.Name}}\\t{{.RunningFor}}", rows),
              "NAME   RUNNING FOR\na      2 days\nbcd    1 day\n");
    EXPECT_EQ(cli::formatted("table {{.Name}}", {}), "NAME\n");
    const std::vector<nlohmann::json> labelled{{{"Name", "a"}, {"Labels", "l1=x,a.team_name=y"}}};
    EXPECT_EQ(
        cli::formatted(R"(table {{.Name}}\t{{.Label "l1"}}\t{{.Label "a.team_name"}})", labelled),
        "NAME   l1   team name\na      x    y\n");
    EXPECT_THROW(static_cast<void>(cli::formatted("{{.Nam}}", rows)), cli::Exit);
}

}  // namespace
}  // namespace stack::test
