#pragma once

#include "sys/fd.h"

#include <string>

namespace stack::cli {

/// A file that takes its name when it is whole: what is there until then stays. "" and `-` are
/// standard output.
class OutputFile {
  public:
    /// Gives up where that would be a terminal.
    explicit OutputFile(const std::string& path);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    [[nodiscard]] const sys::Fd& file() const { return file_; }

    void finish();

  private:
    std::string path_;  // empty: standard output
    std::string temporary_;
    sys::Fd file_;
};

/// Writes `bytes` there at once, with the mode of a usual file: a file is replaced whole; what is
/// none, as a device or a FIFO, takes them, and a link goes on leading to what has them.
void write_output_file(const std::string& path, const std::string& bytes);

}  // namespace stack::cli
