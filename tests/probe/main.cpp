// A container seen from inside: what the program finds and may do, a line a fact (security.md 1.8).
// What differs from machine to machine is left out, or told by what it means.
//
//   stack-probe [to=FILE] [NAME=VALUE...]     what the host has: its namespaces (net=net:[…]), its
//                                             capabilities (in hexadecimal digits), and its soft
//                                             limits where the engine sets none (nproc=1024)
//   stack-probe watch                         what of other processes it can get at, for ever
//
// Static: it runs where nothing else is.

#include "tests/probe/facts.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace stack::probe {

std::string read_file(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t count = 0; fd >= 0 && (count = ::read(fd, buffer.data(), buffer.size())) > 0;)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    ::close(fd);
    return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = 0; begin < text.size(); begin = end + 1) {
        end = text.find(separator, begin);
        end = end == std::string::npos ? text.size() : end;
        if (end > begin)
            parts.push_back(text.substr(begin, end - begin));
    }
    return parts;
}

std::string status_field(const std::string& name) {
    for (const auto& line : split(read_file("/proc/self/status"), '\n')) {
        if (!line.starts_with(name + ":"))
            continue;
        std::string value;
        for (const auto& words : split(line.substr(name.size() + 1), '\t'))
            for (const auto& word : split(words, ' '))
                value += (value.empty() ? "" : " ") + word;
        return value;
    }
    return {};
}

std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> names;
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr)
        return names;
    while (const dirent* entry = ::readdir(directory))
        if (entry->d_name[0] != '.')
            names.emplace_back(entry->d_name);
    ::closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
}

std::string link_target(const std::string& path) {
    std::array<char, 4096> target{};
    const auto length = ::readlink(path.c_str(), target.data(), target.size());
    return length < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(length));
}

std::string outcome(int error) {
    return error == 0 ? "yes" : ::strerrorname_np(error);
}

namespace {

void write_all(int fd, const std::string& text) {
    std::size_t written = 0;
    while (written < text.size()) {
        const auto count = ::write(fd, text.data() + written, text.size() - written);
        if (count < 0)
            return;
        written += static_cast<std::size_t>(count);
    }
}

}  // namespace
}  // namespace stack::probe

int main(int argc, char** argv) {
    using namespace stack::probe;
    Host host;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const auto equals = word.find('=');
        host[word.substr(0, equals)] = equals == std::string::npos ? "" : word.substr(equals + 1);
    }
    if (host.contains("watch"))
        watch();
    Facts facts;
    tell_process(facts);  // first: what the others open is not its own
    tell_rights(host, facts);
    tell_namespaces(host, facts);
    tell_files(facts);
    tell_devices(facts);
    tell_calls(facts);
    std::string text;
    for (const auto& fact : facts)
        text += fact + "\n";
    int fd = STDOUT_FILENO;
    if (const auto to = host.find("to"); to != host.end())
        fd = ::open(to->second.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    write_all(fd, text);
    return fd < 0 ? 1 : 0;
}
