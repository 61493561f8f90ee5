#include "engine/build/expand.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace stack::build {
namespace {

const StringMap variables{{"PWD", "/home"},
                          {"SHELL", "bash"},
                          {"NULL", ""},
                          {"WIDE", "한국어"},
                          {"PATHS", "/usr/local/bin/app.tar.gz"},
                          {"TWO", "a b"}};

std::string expanded(const std::string& text) {
    const auto result = expand(text, variables);
    return result ? *result : "error";
}

TEST(Expand, ReplacesVariablesAsTheReferenceDoes) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"hello", "hello"},
        {"", ""},
        {"he'll'o", "hello"},
        {"he'llo", "error"},
        {"he\\'llo", "he'llo"},
        {"he\\\\'llo", "error"},
        {"abc\\tdef", "abctdef"},
        {"\"abc\\tdef\"", "abc\\tdef"},
        {"\"abc\\\\tdef\"", "abc\\tdef"},
        {"'abc\\tdef'", "abc\\tdef"},
        {"hello\\", "hello"},
        {"hello\\\\", "hello\\"},
        {"\"hello", "error"},
        {"\"hello\\\"", "error"},
        {"\"hel'lo\"", "hel'lo"},
        {"'hello\\'", "hello\\"},
        {"\"''\"", "''"},
        {"$.", "$."},
        {"a$", "a$"},
        {"he$1x", "hex"},
        {"he$.x", "he$.x"},
        {"he$pwd.", "he."},
        {"he$PWD", "he/home"},
        {"he\\$PWD", "he$PWD"},
        {"he\\\\$PWD", "he\\/home"},
        {"\"he\\$PWD\"", "he$PWD"},
        {"\\${}", "${}"},
        {"${}", "error"},
        {"${}aaa", "error"},
        {"he${hi}", "he"},
        {"he${hi}xx", "hexx"},
        {"he${PWD}", "he/home"},
        {"he${.}", "error"},
        {"he${XXX:-000}xx", "he000xx"},
        {"he${PWD:-000}xx", "he/homexx"},
        {"he${XXX:-$PWD}xx", "he/homexx"},
        {"he${XXX:-${PWD:-yyy}}xx", "he/homexx"},
        {"he${XXX:-${YYY:-yyy}}xx", "heyyyxx"},
        {"he${XXX:YYY}", "error"},
        {"${NULL-x}", ""},
        {"${NULL:-x}", "x"},
        {"${NULL+x}", "x"},
        {"${NULL:+x}", ""},
        {"${XXX-x}", "x"},
        {"${XXX+x}", ""},
        {"he${XXX?}", "error"},
        {"he${XXX:?}", "error"},
        {"he${PWD?}", "he/home"},
        {"he${PWD:?}", "he/home"},
        {"he${NULL?}", "he"},
        {"he${NULL:?}", "error"},
        {"he${XXX:+${PWD}}xx", "hexx"},
        {"he${PWD:+${XXX}}xx", "hexx"},
        {"he${PWD:+${SHELL}}xx", "hebashxx"},
        {"'he${XX}'", "he${XX}"},
        {"\"he'$PWD'\"", "he'/home'"},
        {"he${PWD", "error"},
        {"he${PWD:=000}xx", "error"},
        {"he${PWD:+${PWD}:}xx", "he/home:xx"},
        {"he${XXX:-\\$PWD:}xx", "he$PWD:xx"},
        {"he${XXX:-\\${PWD}z}xx", "he${PWDz}xx"},
        {"안녕$1x", "안녕x"},
        {"안\\t녕", "안t녕"},
        {"안녕$WIDE", "안녕한국어"},
        {"${{aaa}", "error"},
        {"${aaa}}", "}"},
        {"${aaa:-bbb}}", "bbb}"},
        {"${aaa:-bbb {foo}", "bbb {foo"},
        {"${aaa:-bbb ${foo}", "error"},
        {"${:}", "error"},
        {"${:-bbb}", "error"},
        {"$999aaa", "aaa"},
        {"${999:-bbb}aaa", "bbbaaa"},
        {"$@aaa", "aaa"},
        {"${@:-bbb}", "bbb"},
        {"$@@@", "@@"},
        {"${#}", ""},
        {"$$", ""},
        {"${$:-bbb}", "bbb"},
        {"${-:-bbb}", "bbb"},
    };
    for (const auto& [text, expected] : table)
        EXPECT_EQ(expanded(text), expected) << text;
}

TEST(Expand, TrimsAndReplacesByPattern) {
    const std::vector<std::pair<std::string, std::string>> table{
        {"${PATHS#*/}", "usr/local/bin/app.tar.gz"},
        {"${PATHS##*/}", "app.tar.gz"},
        {"${PATHS%.*}", "/usr/local/bin/app.tar"},
        {"${PATHS%%.*}", "/usr/local/bin/app"},
        {"${PATHS%/*}", "/usr/local/bin"},
        {"${PATHS#x}", "/usr/local/bin/app.tar.gz"},
        {"${PATHS#/usr/????l}", "/bin/app.tar.gz"},
        {"${SHELL#ba}", "sh"},
        {"${SHELL%sh}", "ba"},
        {"${SHELL#\\b}", "ash"},
        {"${SHELL#$SHELL}", ""},
        {"${XXX#a}", ""},
        {"${PATHS/\\//-}", "-usr/local/bin/app.tar.gz"},
        {"${PATHS//\\//-}", "-usr-local-bin-app.tar.gz"},
        {"${PATHS/l*l/X}", "/usr/X/bin/app.tar.gz"},
        {"${SHELL/a/${PWD}}", "b/homesh"},
        {"${SHELL//?/x}", "xxxx"},
        {"${SHELL/a}", "error"},
        {"${SHELL:#a}", "error"},
        {"${SHELL/a/}", "bsh"},
    };
    for (const auto& [text, expected] : table)
        EXPECT_EQ(expanded(text), expected) << text;
}

TEST(Expand, SaysWhyAVariableMustBeSet) {
    const auto result = expand("${XXX:?give --build-arg XXX}", variables);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "XXX: give --build-arg XXX");
}

TEST(Expand, TakesTheEscapeOfTheDirective) {
    EXPECT_EQ(*expand("c:\\$PWD`$PWD", variables, '`'), "c:\\/home$PWD");
}

TEST(Expand, KeepsQuotesInHeredocs) {
    EXPECT_EQ(*expand("'$PWD' \"x\" it's \\$PWD", variables, '\\', Quotes::kept),
              "'/home' \"x\" it's $PWD");
}

TEST(ExpandWords, SplitsAtUnquotedBlanks) {
    const auto words = [](const std::string& text) { return *expand_words(text, variables); };
    EXPECT_EQ(words("a b"), (Strings{"a", "b"}));
    EXPECT_EQ(words(" $TWO "), (Strings{"a", "b"}));
    EXPECT_EQ(words("\"$TWO\""), (Strings{"a b"}));
    EXPECT_EQ(words("x$TWO"), (Strings{"xa", "b"}));
    EXPECT_EQ(words("$NULL"), Strings{});
    EXPECT_EQ(words("\"\""), (Strings{""}));
    EXPECT_EQ(words("a\\ b 'c d'"), (Strings{"a b", "c d"}));
}

TEST(Expand, IsBounded) {
    std::string nested;
    for (int i = 0; i < 100; ++i)
        nested += "${X:-";
    EXPECT_FALSE(expand(nested, variables));
    const StringMap bomb{{"B", std::string(60000, 'x')}};
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += "$B";
    EXPECT_FALSE(expand(many, bomb));
}

TEST(Expand, BoundsWhatModifiersDo) {
    const StringMap values{{"B", std::string(300, 'x')},
                           {"LONG", std::string(std::size_t{1} << 20U, 'x')},
                           {"ONCE", "b" + std::string(16000, 'a')}};
    const auto mistake = [&](const std::string& text) {
        const auto result = expand(text, values);
        return result ? std::string() : result.error().message;
    };
    EXPECT_EQ(mistake("${B//x/${B//x/${B//x/${B//x/${B}}}}}"),
              "the result is longer than 1048576 bytes");
    EXPECT_EQ(mistake("${LONG%%*" + std::string(100, 'x') + "y}"),
              "a value of 1048576 bytes is too long for a pattern of 102");
    EXPECT_EQ(expand("${LONG//x/}", values), "");
    EXPECT_EQ(expand("${ONCE//a*b/}", values), values.at("ONCE"));  // a match fails at each `a`
}

}  // namespace
}  // namespace stack::build
