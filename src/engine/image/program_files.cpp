#include "engine/image/program_files.h"

#include <stack/error.h>

#include "base/text.h"
#include "sys/file.h"
#include "sys/process.h"

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

namespace stack::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t head_size = 4096;  // more than a #! line may have
constexpr int deepest_script = 4;        // the kernel's BINPRM_MAX_RECURSION

/// A structure of a file; nullopt where that ends before it does.
template <class T>
std::optional<T> read_at(const sys::Fd& file, std::size_t offset) {
    T value;
    const auto size = ::pread(file.get(), &value, sizeof value, static_cast<off_t>(offset));
    return size == static_cast<ssize_t>(sizeof value) ? std::optional(value) : std::nullopt;
}

/// elf(5): the dynamic loader; "" of a static program.
template <class Header, class Segment>
std::string loader_of(const sys::Fd& file) {
    const auto header = read_at<Header>(file, 0);
    for (std::size_t i = 0; header && i < header->e_phnum; ++i) {
        const auto segment = read_at<Segment>(file, header->e_phoff + i * header->e_phentsize);
        if (!segment)
            break;
        if (segment->p_type != PT_INTERP)
            continue;
        std::array<char, PATH_MAX> path{};  // it ends with a zero
        if (::pread(
                file.get(), path.data(), path.size() - 1, static_cast<off_t>(segment->p_offset)) >
            0)
            return path.data();
    }
    return {};
}

void add_libraries(const std::string& loader,
                   const std::string& program,
                   std::set<std::string>& files) {
    const auto [status, text] = sys::run_and_capture(loader, {loader, "--list", program});
    if (status != 0)
        throw Error(loader + " cannot load " + program + " (exit code " + std::to_string(status) +
                    ")");
    for (const auto& line : split(text, '\n')) {  // "  NAME => /PATH (0x…)" or "  /PATH (0x…)"
        const auto [name, found] = split_once(trim(line), '>');
        if (found.find("not found") != std::string::npos)
            throw Error(program + " needs " + split_once(name, ' ').first +
                        ", which is not on this machine");
        const auto begin = line.find('/');
        const auto end = line.find(" (", begin);
        if (begin != std::string::npos && end != std::string::npos)
            files.insert(line.substr(begin, end - begin));
    }
}

void add_program(const std::string& name, std::set<std::string>& files, int depth = 0);

/// `#!INTERPRETER [ARGUMENT]` (execve(2)).
void add_script(std::string_view head, std::set<std::string>& files, int depth) {
    const auto line = split_words(head.substr(2, head.find('\n') - 2));
    if (line.empty() || depth > deepest_script)
        return;
    add_program(line[0], files, depth + 1);
    if (sys::file_name(line[0]) != "env")
        return;
    const auto program = std::find_if(line.begin() + 1, line.end(), [](const std::string& word) {
        return !word.starts_with('-') && word.find('=') == std::string::npos;
    });
    if (program != line.end())
        add_program(*program, files, depth + 1);
}

void add_program(const std::string& name, std::set<std::string>& files, int depth) {
    const std::string path = path_of_program(name);
    if (!files.insert(path).second)
        return;
    const sys::Fd file = sys::open_file(path, O_RDONLY);
    const std::string head = sys::read_some(file, head_size);
    if (head.starts_with("#!")) {
        add_script(head, files, depth);
        return;
    }
    if (!head.starts_with(ELFMAG) || head.size() <= EI_CLASS)
        throw Error(path + " is no program: neither an ELF file nor a script with `#!`");
    const std::string loader = head[EI_CLASS] == ELFCLASS64
                                   ? loader_of<Elf64_Ehdr, Elf64_Phdr>(file)
                                   : loader_of<Elf32_Ehdr, Elf32_Phdr>(file);
    if (loader.empty())
        return;  // static
    files.insert(loader);
    add_libraries(loader, path, files);
}

/// Whatever the umask.
void finish_directory(const fs::path& directory) {
    constexpr auto mode = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec |
                          fs::perms::others_read | fs::perms::others_exec;
    fs::permissions(directory, mode);
    fs::last_write_time(directory, std::chrono::file_clock::from_sys(std::chrono::sys_seconds{}));
}

}  // namespace

std::string path_of_program(const std::string& name) {
    const auto found = sys::find_program(name);
    if (!found)
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "there is no program " + name + " on this machine");
    return sys::absolute_path(*found, sys::current_directory());
}

std::set<std::string> files_of_program(const std::string& name) {
    std::set<std::string> files;
    add_program(name, files);
    return files;
}

void copy_program_files(const std::set<std::string>& files, const std::string& directory) {
    fs::create_directories(directory);
    for (const auto& file : files) {
        const fs::path copy = directory + file;
        fs::create_directories(copy.parent_path());
        fs::copy_file(file, copy);
        fs::last_write_time(copy, fs::last_write_time(file));
    }
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        if (entry.is_directory())
            finish_directory(entry.path());
    finish_directory(directory);
}

}  // namespace stack::image
