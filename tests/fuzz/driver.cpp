// Runs a fuzz target without a fuzzer: every file of its corpus, then mutations of them, always the
// same ones. With clang, -DSTACK_FUZZ=ON makes the same targets programs of libFuzzer instead.
//
// usage: fuzz_NAME CORPUS_DIRECTORY [MUTATIONS]

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::string current;

/// So that what was found can become a part of the corpus.
void show_input(int /*signal*/) {
    std::fprintf(stderr, "this input fails:\n");
    std::fwrite(current.data(), 1, current.size(), stderr);
    std::_Exit(1);
}

void run(const std::string& input) {
    current = input;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::vector<std::string> corpus_of(const fs::path& directory) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(directory))
        files.push_back(entry.path());
    std::sort(files.begin(), files.end());  // so that mutations are the same everywhere
    std::vector<std::string> corpus;
    for (const auto& file : files) {
        std::stringstream text;
        text << std::ifstream(file, std::ios::binary).rdbuf();
        corpus.push_back(text.str());
    }
    return corpus;
}

class Mutator {
  public:
    explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

    std::string next() {
        std::string text = any();
        for (std::size_t i = 0; i <= number(4); ++i)
            mutate(text);
        constexpr std::size_t longest = 4096;
        return text.substr(0, longest);
    }

  private:
    std::size_t number(std::size_t below) { return random_() % std::max<std::size_t>(below, 1); }

    const std::string& any() { return corpus_[number(corpus_.size())]; }

    std::string piece_of(const std::string& text) {
        return text.substr(number(text.size() + 1), 1 + number(16));
    }

    char any_character() {
        static const std::string liked = "{}[]:,-$\"'\\#&*!|>%@`<= \t\n\r0919azAZ/.\xFF\x01";
        return number(4) == 0 ? static_cast<char>(number(256)) : liked[number(liked.size())];
    }

    void mutate(std::string& text) {
        const std::size_t at = number(text.size() + 1);
        switch (number(6)) {
            case 0:
                text.insert(at, 1, any_character());
                break;
            case 1:
                text.erase(at, 1 + number(8));
                break;
            case 2:
                if (at < text.size())
                    text[at] = any_character();
                break;
            case 3:
                text.insert(at, piece_of(text));
                break;
            case 4:
                text.insert(at, piece_of(any()));
                break;
            default:
                text = text.substr(0, at) + any();
        }
    }

    const std::vector<std::string>& corpus_;
    std::mt19937_64 random_{1};  // NOLINT(cert-msc51-cpp): the same each time
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s CORPUS_DIRECTORY [MUTATIONS]\n", argv[0]);
        return 2;
    }
    std::signal(SIGABRT, show_input);
    const auto corpus = corpus_of(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "%s: there is nothing in %s\n", argv[0], argv[1]);
        return 1;
    }
    for (const auto& input : corpus)
        run(input);
    Mutator mutator(corpus);
    for (long left = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 0; left > 0; --left)
        run(mutator.next());
    return 0;
}
