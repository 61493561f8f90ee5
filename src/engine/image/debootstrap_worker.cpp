#include "engine/image/debootstrap_worker.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/image/debootstrap.h"
#include "engine/image/store.h"
#include "model/codec.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/terminal.h"

#include <map>

#include <fcntl.h>

namespace stack::image {
namespace {

using model::Json;

/// As Debian calls the architecture of a platform; "" for this machine's.
std::string architecture_of(const std::string& platform) {
    static const std::map<std::string, std::string> others{{"386", "i386"},
                                                           {"arm/v5", "armel"},
                                                           {"arm/v6", "armel"},
                                                           {"arm/v7", "armhf"},
                                                           {"arm", "armhf"},
                                                           {"ppc64le", "ppc64el"},
                                                           {"mips64le", "mips64el"}};
    const std::string name = platform.starts_with("linux/") ? platform.substr(6) : platform;
    const auto other = others.find(name);
    return other == others.end() ? split_once(name, '/').first : other->second;
}

ImageConfig config_for(const std::string& platform) {
    ImageConfig config;
    config.command = {"bash"};
    const auto parts = split(platform.starts_with("linux/") ? platform.substr(6) : platform, '/');
    if (!parts[0].empty() && platform != "linux")
        config.architecture = parts[0];
    if (parts.size() > 1)
        config.variant = parts[1];
    return config;
}

std::vector<std::string> environment_with(const std::string& temporary) {
    StringMap variables = sys::environment();
    variables["TMPDIR"] = temporary;  // where there is room for a root, as in the store
    std::vector<std::string> list;
    for (const auto& [name, value] : variables)
        list.push_back(name + "=" + value);
    return list;
}

std::string last_lines(const std::string& text) {
    constexpr std::size_t most = 12;
    auto lines = split(trim(text), '\n');
    if (lines.size() > most)
        lines.erase(lines.begin(), lines.end() - most);
    return join(lines, "\n");
}

std::string require_program(const std::string& name,
                            const std::string& package,
                            const std::string& reference) {
    if (const auto program = sys::find_program(name))
        return *program;
    throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                "image " + reference + " is made by the program " + name +
                    ", which is not here: install it (Debian's package " + package + ")");
}

/// It ends with us, however we end.
void make_root(const Debootstrap& wanted,
               const std::string& reference,
               const std::string& platform,
               const std::string& directory,
               const std::string& tar) {
    sys::SpawnOptions options;
    options.arguments = {"setpriv",
                         "--pdeathsig",
                         "TERM",
                         require_program("mmdebstrap", "mmdebstrap", reference),
                         "--variant=" + wanted.variant,
                         "--format=tar"};
    if (!wanted.include.empty())
        options.arguments.push_back("--include=" + join(wanted.include, ","));
    if (const std::string architecture = architecture_of(platform); !architecture.empty())
        options.arguments.push_back("--architectures=" + architecture);
    options.arguments.insert(options.arguments.end(), {wanted.suite, tar});
    if (!wanted.mirror.empty())
        options.arguments.push_back(wanted.mirror);
    options.environment = environment_with(directory);
    sys::Pipe said = sys::make_pipe();
    const sys::Fd null = sys::open_file("/dev/null", O_RDWR);
    options.descriptors = {{null.get(), 0}, {null.get(), 1}, {said.write.get(), 2}};
    const sys::Child child =
        sys::spawn(require_program("setpriv", "util-linux", reference), options);
    said.write.reset();
    const std::string text = sys::read_all(said.read);
    if (const int status = sys::wait(child); status != 0)
        throw Error(std::make_error_code(std::errc::io_error),
                    "mmdebstrap could not make image " + reference + " (exit code " +
                        std::to_string(status) + "):\n" + last_lines(text));
}

void say(const Json& line) {
    sys::write_out(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

std::string make(const Paths& paths, const std::string& reference, const std::string& platform) {
    const auto wanted =
        parse_debootstrap(std::string_view(reference).substr(debootstrap_scheme.size()));
    if (!wanted)
        throw Error("\"" + reference + "\" is not the name of an image: " + wanted.error().message);
    const sys::ScratchDirectory scratch = Store(paths).scratch();
    const std::string tar = scratch.path() + "/root.tar";
    make_root(*wanted, reference, platform, scratch.path(), tar);
    Fetch import =
        start_import(paths, {"tar:" + tar, reference, config_for(platform), reference, 0});
    return finish(import, [](const Event& event) { say(model::encode(event)); });
}

}  // namespace

Fetch start_debootstrap(const Paths& paths,
                        const std::string& reference,
                        const std::string& platform,
                        const StringMap& environment) {
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = {"stack", "--root", paths.state, "debootstrap-worker", reference, platform};
    options.descriptors = {{output.write.get(), 1}};
    options.new_session = true;
    if (!environment.empty())
        options.environment = sys::environment_strings(environment);
    return {sys::spawn(sys::own_program(), options), std::move(output.read)};
}

int run_debootstrap_worker(const Paths& paths,
                           const std::string& reference,
                           const std::string& platform) {
    sys::end_with_parent();
    try {
        say({{"result", {{"id", make(paths, reference, platform)}}}});
        return 0;
    } catch (const Error& error) {
        say({{"error", error.what()}});
        return 1;
    }
}

}  // namespace stack::image
