#include "tests/build/cases.h"

#include "base/text.h"
#include "sys/file.h"

#include <array>
#include <utility>

namespace stack::build {
namespace {

constexpr std::string_view expectation = "=> ";
constexpr std::string_view argument = "--build-arg ";

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> visible_characters{
    {{"␉", "\t"}, {"␍", "\r"}, {"␠", " "}, {"␂", "\xEF\xBB\xBF"}, {"␤", ""}}};

std::string with_characters(std::string line) {
    for (const auto& [visible, character] : visible_characters)
        line = replace_all(line, visible, character);
    return line;
}

class CaseReader {
  public:
    explicit CaseReader(std::string file) : file_(std::move(file)) {}

    void read(const std::string& line) {
        ++line_;
        const bool begins = text_.empty() && expected_.empty();
        if (line.starts_with(expectation))
            expected_.push_back(with_characters(line.substr(expectation.size())));
        else if (line.empty() && !expected_.empty())
            finish();
        else if (begins && line.starts_with(argument))
            case_.arguments.insert(split_once(line.substr(argument.size()), '='));
        else if (!begins || !(line.empty() || line.starts_with("//")))
            text_.push_back(with_characters(line));
    }

    std::vector<Case> finish() {
        if (!expected_.empty()) {
            case_.place = file_ + ":" + std::to_string(line_);
            case_.text = join(text_, "\n");
            case_.expected = join(expected_, "\n");
            cases_.push_back(std::exchange(case_, {}));
        }
        text_.clear();
        expected_.clear();
        return cases_;
    }

  private:
    std::string file_;
    int line_ = 0;
    Case case_;
    Strings text_;
    Strings expected_;
    std::vector<Case> cases_;
};

}  // namespace

std::vector<Case> read_cases(const std::string& name) {
    CaseReader reader(name + ".txt");
    const std::string path = std::string(STACK_SOURCE_DIR) + "/tests/build/cases/" + name + ".txt";
    for (const auto& line : split(sys::read_file(path, 1U << 20U).value(), '\n'))
        reader.read(line);
    return reader.finish();
}

}  // namespace stack::build
