#include "cli/word_forms.h"

#include "base/text.h"
#include "cli/cli11.h"

#include <algorithm>

namespace stack::cli {
namespace {

bool takes_value(const CLI::Option& option) {
    return option.get_items_expected_max() != 0;
}

bool is_true(const std::string& value) {
    return value == "true" || value == "True" || value == "TRUE" || value == "t" || value == "T" ||
           value == "1";
}

/// Access to what a command does before it is parsed: it is done once.
struct OpenApp : CLI::App {
    static void declare(CLI::App& app) { (app.*&OpenApp::_trigger_pre_parse)(0); }
};

/// Goes through the words as the parser will.
class Walk {
  public:
    Walk(CLI::App& program, const Strings& words) : command_(&program), words_(words) {}

    Strings result() {
        while (place_ < words_.size() && !is_over_) {
            const std::string& word = words_[place_++];
            if (word.starts_with("--"))
                add_long(word);
            else if (word.starts_with('-') && word.size() > 1)
                add_short(word);
            else
                add_argument(word);
        }
        result_.insert(
            result_.end(), words_.begin() + static_cast<std::ptrdiff_t>(place_), words_.end());
        return std::move(result_);
    }

  private:
    template <class Predicate>
    [[nodiscard]] const CLI::Option* find(Predicate is_meant) const {
        const auto options = command_->get_options();
        const auto found = std::find_if(options.begin(), options.end(), is_meant);
        return found == options.end() ? nullptr : *found;
    }

    void add_value() {
        if (place_ < words_.size())
            result_.push_back(words_[place_++]);
    }

    void add_long(const std::string& word) {
        is_over_ = word == "--";
        const auto equals = word.find('=');
        const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
        const auto* option = find([&](const CLI::Option* one) { return one->check_lname(name); });
        const bool has_value = option != nullptr && takes_value(*option);
        const bool is_empty = has_value && equals == word.size() - 1;
        result_.push_back(is_empty ? word.substr(0, equals) : word);
        if (is_empty)
            result_.emplace_back();
        else if (has_value && equals == std::string::npos)
            add_value();
    }

    /// Flags, the last of which may have a value, too: `-it`, `-it=false`, `-itwdir`.
    void add_short(const std::string& word) {
        for (std::size_t at = 1; at < word.size(); ++at) {
            const std::string name = word.substr(at, 1);
            const auto* option =
                find([&](const CLI::Option* one) { return one->check_sname(name); });
            if (option == nullptr)
                break;
            const std::string rest = word.substr(at + 1);
            const bool is_assigned = rest.starts_with('=') && rest.size() > 1;
            if (takes_value(*option)) {
                result_.push_back(is_assigned ? word.substr(0, at + 1) + rest.substr(1) : word);
                if (rest.empty())
                    add_value();
                return;
            }
            if (is_assigned) {
                if (at > 1)
                    result_.push_back(word.substr(0, at));
                add_flag(*option, name, rest.substr(1));
                return;
            }
        }
        result_.push_back(word);
    }

    void add_flag(const CLI::Option& flag, const std::string& name, const std::string& value) {
        if (!flag.get_lnames().empty())
            result_.push_back("--" + flag.get_lnames().front() + "=" + value);
        else if (is_true(value))
            result_.push_back("-" + name);
    }

    void add_argument(const std::string& word) {
        result_.push_back(word);
        const auto commands = command_->get_subcommands([](CLI::App*) { return true; });
        const auto chosen = std::find_if(commands.begin(), commands.end(), [&](const auto* one) {
            return one->check_name(word);
        });
        if (chosen != commands.end()) {
            command_ = *chosen;
            OpenApp::declare(*command_);
        } else {
            is_over_ = command_->get_positionals_at_end();
        }
    }

    CLI::App* command_;
    const Strings& words_;
    Strings result_;
    std::size_t place_ = 0;  // of the next word
    bool is_over_ = false;   // no options from here on
};

}  // namespace

Strings in_known_forms(CLI::App& program, const Strings& words) {
    return Walk(program, words).result();
}

}  // namespace stack::cli
