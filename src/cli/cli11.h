#pragma once

// CLI11, whose header our warnings do not fit.
//
// The header defines validators as constants of every file that includes it; the 41 that do would
// make and destroy some 370 of them in each run, before main() and after it: a tenth of what a
// light command costs. Nothing here uses them, so that they become pointers to none instead.

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wswitch-enum"
#define ExistingFile *const ExistingFile = nullptr
#define ExistingDirectory *const ExistingDirectory = nullptr
#define ExistingPath *const ExistingPath = nullptr
#define NonexistentPath *const NonexistentPath = nullptr
#define ValidIPV4 *const ValidIPV4 = nullptr
#define PositiveNumber(...) *const PositiveNumber = nullptr
#define NonNegativeNumber(...) *const NonNegativeNumber = nullptr
#define Number(...) *const Number = nullptr
#include <CLI/CLI.hpp>
#undef ExistingFile
#undef ExistingDirectory
#undef ExistingPath
#undef NonexistentPath
#undef ValidIPV4
#undef PositiveNumber
#undef NonNegativeNumber
#undef Number
#pragma GCC diagnostic pop
