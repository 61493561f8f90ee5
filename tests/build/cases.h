#pragma once

// Tables of Dockerfiles and what is to come of them: tests/build/cases/*.txt.
//
// A case is a Dockerfile, then what is expected in lines that begin with `=> `; an empty line ends
// it. Lines before it that begin with `//` are comments, with `--build-arg ` the build's arguments.
// ␉ is a tab, ␍ a carriage return, ␠ a blank at the end of a line, ␂ a byte order mark, and ␤ an
// empty line at the begin or the end of the Dockerfile.

#include <stack/model.h>

#include <string>
#include <vector>

namespace stack::build {

struct Case {
    std::string place;  // `run.txt:12`
    StringMap arguments;
    std::string text;
    std::string expected;
};

/// The cases of tests/build/cases/<name>.txt.
std::vector<Case> read_cases(const std::string& name);

}  // namespace stack::build
