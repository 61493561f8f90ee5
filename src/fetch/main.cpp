// The fetch worker: everything that touches bytes from a registry or an archive, in a process of
// its own that is told what to do once and can do little else. Descriptor 3: the request, as JSON.
// Standard output: JSON lines. Descriptor 4: where a save, a download or git's files go.
//
//   stack-fetch           pull, tags, push, import, save, verify, login, download or git, as the
//                         request says
//   stack-fetch unpack    the archive on descriptor 3 into the directory on descriptor 4
//   stack-fetch merge DIR the same, below DIR in it, where what is there keeps its kind
//   stack-fetch merge-as DIR the same, as the root of the user namespace at descriptor 5

#include <stack/error.h>

#include "base/text.h"
#include "engine/image/reference.h"
#include "fetch/confine.h"
#include "fetch/download.h"
#include "fetch/git.h"
#include "fetch/import.h"
#include "fetch/output.h"
#include "fetch/pull.h"
#include "fetch/push.h"
#include "fetch/readable.h"
#include "fetch/save.h"
#include "fetch/settings.h"
#include "model/codec.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/user_namespace.h"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include <curl/curl.h>
#include <sys/stat.h>

namespace {

using namespace stack;

/// What is needed of the credentials' helpers, which may not be run later.
fetch::CredentialMap credentials_for(const std::string& reference,
                                     const fetch::RegistrySettings& settings) {
    fetch::CredentialMap all;
    if (const auto parsed = image::parse_reference(reference))
        for (const auto& domain : fetch::Connection::domains(parsed->domain, settings))
            all[domain] = image::find_credentials(domain);
    return all;
}

/// What a verb reads besides the store.
Strings readable_for(const std::string& verb,
                     const std::string& source,
                     const fetch::RegistrySettings& settings) {
    Strings all = fetch::files_of_libraries();
    if (verb == "import")
        all.push_back(fetch::source_path(source));
    else if (verb != "save" && verb != "verify")
        for (auto& file : fetch::files_of_the_network(settings))
            all.push_back(std::move(file));
    return all;
}

std::string work() {
    constexpr int request_fd = 3;
    constexpr int target_fd = 4;
    const auto request = model::Json::parse(sys::read_all(sys::Fd(request_fd)));
    if (request.value("verb", "") == "git")  // which has a confinement of its own
        return fetch::check_out({request.value("url", ""),
                                 request.value("reference", ""),
                                 request.value("keep_git_dir", false),
                                 request.value("submodules", true),
                                 request.value("authorization", ""),
                                 request.value("server", ""),
                                 request.value("ssh", "")},
                                sys::Fd(target_fd));
    Paths paths;
    paths.state = request.value("state", "");
    paths.run = request.value("run", "");
    paths.instance = request.value("instance", "");
    const std::string verb = request.value("verb", "");
    const std::string reference = request.value("reference", "");
    const auto settings = fetch::load_settings(paths.state);
    fetch::UnpackLimit limit{request.value("max_unpacked", settings.max_unpacked)};
    fetch::CredentialMap credentials;
    if (verb == "pull" || verb == "push" || verb == "tags")
        credentials = credentials_for(reference, settings);
    if (verb == "login")
        credentials[reference] = {
            request.value("username", ""), request.value("password", ""), "", ""};
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const sys::Fd target(verb == "save" || verb == "download" ? target_fd : -1);
    const bool only_asks = verb == "tags" || verb == "login" || verb == "download";
    fetch::confine(paths.state,
                   paths.run,
                   only_asks ? fetch::Files::own : fetch::Files::of_others,
                   readable_for(verb, request.value("source", ""), settings),
                   target);
    if (verb == "pull")
        return fetch::pull(
            paths, {reference, request.value("platform", ""), limit}, settings, credentials);
    if (verb == "push")
        return fetch::push(paths, reference, settings, credentials);
    if (verb == "tags")
        return fetch::list_tags(reference, settings, credentials);
    if (verb == "download")
        return fetch::download(
            {request.value("url", ""), request.value("since", std::int64_t{0})}, settings, target);
    if (verb == "save")
        return fetch::save(
            paths, request.value("references", Strings()), request.value("name", ""), target);
    if (verb == "verify")
        return fetch::verify(paths, request.value("references", Strings()));
    if (verb == "login") {
        fetch::check_login(reference, settings, credentials);
        return reference;
    }
    image::ImportRequest import{request.value("source", ""), reference, {}, {}};
    model::decode(request.value("config", model::Json::object()), import.config);
    import.message = request.value("message", "");
    return fetch::import_image(paths, import, limit);
}

void unpack(const fetch::WriteRules& rules) {
    constexpr int archive_fd = 3;
    constexpr int directory_fd = 4;
    const sys::Fd archive(archive_fd);
    sys::Fd directory(directory_fd);
    fetch::confine_to(directory);
    // Into a tree that is in use comes what a person sends there, however large it is.
    const fetch::UnpackLimit limit{rules.merge ? std::numeric_limits<std::int64_t>::max() : 0};
    fetch::unpack(archive, directory, rules, limit);
}

/// The archive's owners are users of that namespace.
void join_users() {
    constexpr int users_fd = 5;
    sys::join_users(sys::Fd(users_fd));
    sys::end_with_parent();  // another identity has cleared it
}

/// "1000:1000"; nullopt of "".
std::optional<std::pair<std::uint32_t, std::uint32_t>> owner_in(std::string_view text) {
    const auto [uid, gid] = split_once(text, ':');
    const auto first = parse_number<std::uint32_t>(uid);
    const auto second = parse_number<std::uint32_t>(gid);
    return first && second ? std::optional(std::pair(*first, *second)) : std::nullopt;
}

/// Says nothing where it is one, and throws where it is none.
void probe() {
    constexpr int archive_fd = 3;
    constexpr int directory_fd = 4;
    const sys::Fd archive(archive_fd);
    sys::Fd directory(directory_fd);
    fetch::confine_to(directory);
    if (!fetch::is_archive(archive))
        throw Error("it is no archive");
}

/// The exit code.
int tell(const std::function<void()>& what) {
    try {
        what();
        return 0;
    } catch (const model::Json::exception&) {
        fetch::say_error("what describes the image has a value of the wrong type: it is damaged");
        return 1;
    } catch (const std::exception& error) {
        fetch::say_error(error.what());
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error like others
    sys::end_with_parent();         // what it is in the middle of goes on with the next one
    ::umask(0);                     // modes are what an archive says
    sys::set_own_oom_score(0);      // not the supervisor's: what comes from outside may want much
    const std::string_view role = argc > 1 ? argv[1] : "";
    // Without the end of a process as the C library has it: nothing that wants a file is there.
    if (role == "unpack")
        std::_Exit(tell([] { unpack({}); }));
    if (role == "add" && argc > 2)
        std::_Exit(tell([&] { unpack({.keeps_top = true, .owner = owner_in(argv[2])}); }));
    if (role == "probe")
        std::_Exit(tell(probe));
    if (role == "merge-as" && argc > 2)
        std::_Exit(tell([&] {
            join_users();
            unpack({.merge = true, .base = argv[2]});
        }));
    if (role == "merge" && argc > 2)
        std::_Exit(tell([&] { unpack({.merge = true, .base = argv[2]}); }));
    return tell([] { fetch::say_result(work()); });
}
