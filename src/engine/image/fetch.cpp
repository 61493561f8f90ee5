#include "engine/image/fetch.h"

#include <stack/error.h>

#include "base/text.h"
#include "engine/image/debootstrap.h"
#include "engine/image/debootstrap_worker.h"
#include "model/codec.h"
#include "sys/file.h"

namespace stack::image {
namespace {

using model::Json;

Fetch start_worker(const Paths& paths,
                   Json request,
                   const sys::Fd& target = {},
                   const StringMap& environment = {}) {
    constexpr int request_fd = 3;
    constexpr int target_fd = 4;
    request["state"] = paths.state;
    request["run"] = paths.run;
    request["instance"] = paths.instance;
    const sys::Fd input = sys::memory_file("fetch-request", request.dump());
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = {"stack-fetch"};
    options.descriptors = {{output.write.get(), 1}, {input.get(), request_fd}};
    if (target)
        options.descriptors.emplace_back(target.get(), target_fd);
    options.new_session = true;
    if (!environment.empty())
        options.environment = sys::environment_strings(environment);
    Fetch fetch;
    fetch.worker = sys::spawn(sys::helper_program("stack-fetch"), options);
    fetch.output = std::move(output.read);
    return fetch;
}

Json with_limit(Json request, std::int64_t max_unpacked) {
    if (max_unpacked > 0)
        request["max_unpacked"] = max_unpacked;
    return request;
}

Fetch start_archive_worker(std::vector<std::string> words,
                           const sys::Fd& archive,
                           const sys::Fd& directory,
                           const sys::Fd& users = {}) {
    constexpr int archive_fd = 3;
    constexpr int directory_fd = 4;
    constexpr int users_fd = 5;
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = std::move(words);
    options.descriptors = {
        {output.write.get(), 1}, {archive.get(), archive_fd}, {directory.get(), directory_fd}};
    if (users)
        options.descriptors.emplace_back(users.get(), users_fd);
    return {sys::spawn(sys::helper_program("stack-fetch"), options), std::move(output.read)};
}

}  // namespace

Fetch start_unpack(const sys::Fd& archive, const sys::Fd& directory) {
    return start_archive_worker({"stack-fetch", "unpack"}, archive, directory);
}

Fetch start_add(const sys::Fd& archive, const sys::Fd& directory, const std::string& owner) {
    return start_archive_worker({"stack-fetch", "add", owner}, archive, directory);
}

bool is_unpackable(const sys::Fd& archive, const sys::Fd& empty) {
    const Fetch probe = start_archive_worker({"stack-fetch", "probe"}, archive, empty);
    static_cast<void>(sys::read_all(probe.output));
    return sys::wait(probe.worker) == 0;
}

Fetch start_merge(const sys::Fd& archive,
                  const sys::Fd& root,
                  const std::string& base,
                  const sys::Fd& users) {
    return start_archive_worker(
        {"stack-fetch", users ? "merge-as" : "merge", base}, archive, root, users);
}

void finish_unpack(Fetch& fetch) {
    const std::string line = sys::read_all(fetch.output);
    if (sys::wait(fetch.worker) != 0)
        throw Error(std::make_error_code(std::errc::io_error),
                    line.empty() ? "the unpacking worker died" : parse_line(line).error);
}

Fetch start_pull(const Paths& paths,
                 const std::string& reference,
                 const std::string& platform,
                 std::int64_t max_unpacked,
                 const StringMap& environment) {
    if (reference.starts_with(debootstrap_scheme))
        return start_debootstrap(paths, reference, platform, environment);
    return start_worker(
        paths,
        with_limit({{"verb", "pull"}, {"reference", reference}, {"platform", platform}},
                   max_unpacked),
        {},
        environment);
}

Fetch start_list_tags(const Paths& paths, const std::string& reference) {
    return start_worker(paths, {{"verb", "tags"}, {"reference", reference}});
}

Fetch start_push(const Paths& paths, const std::string& reference) {
    if (reference.starts_with(debootstrap_scheme))
        throw Error("image " + reference +
                    " is made where it is needed: no registry has it under this name; give it one "
                    "of a registry with `stack image tag`");
    return start_worker(paths, {{"verb", "push"}, {"reference", reference}});
}

Fetch start_login(const Paths& paths, const std::string& domain, const Credentials& credentials) {
    return start_worker(paths,
                        {{"verb", "login"},
                         {"reference", domain},
                         {"username", credentials.username},
                         {"password", credentials.password}});
}

Fetch start_save(const Paths& paths,
                 const Strings& references,
                 const sys::Fd& target,
                 const std::string& name) {
    return start_worker(
        paths, {{"verb", "save"}, {"references", references}, {"name", name}}, target);
}

std::pair<std::string, std::string> path_and_name(const std::string& text) {
    for (auto end = text.size(); end != std::string::npos && end > 0;
         end = text.rfind(':', end - 1))
        if (sys::exists(text.substr(0, end)))
            return {text.substr(0, end), end < text.size() ? text.substr(end + 1) : ""};
    return split_once(text, ':');
}

Fetch start_download(const Paths& paths,
                     const std::string& url,
                     std::int64_t since,
                     const sys::Fd& target) {
    return start_worker(paths, {{"verb", "download"}, {"url", url}, {"since", since}}, target);
}

Fetch start_check_out(const Paths& paths, const CheckOutRequest& request, const sys::Fd& target) {
    return start_worker(paths,
                        {{"verb", "git"},
                         {"url", request.url},
                         {"reference", request.reference},
                         {"keep_git_dir", request.keep_git_dir},
                         {"submodules", request.submodules},
                         {"authorization", request.authorization},
                         {"server", request.server},
                         {"ssh", request.ssh}},
                        target);
}

Fetch start_verify(const Paths& paths, const Strings& references) {
    return start_worker(paths, {{"verb", "verify"}, {"references", references}});
}

Fetch start_import(const Paths& paths, const ImportRequest& import) {
    return start_worker(paths,
                        with_limit({{"verb", "import"},
                                    {"source", import.source},
                                    {"reference", import.reference},
                                    {"config", model::encode(import.config)},
                                    {"message", import.message}},
                                   import.max_unpacked));
}

FetchLine parse_line(const std::string& line) {
    FetchLine parsed;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object())
        return parsed;
    if (json.contains("result"))
        parsed.id = json["result"].value("id", "");
    else if (json.contains("error"))
        parsed.error = json.value("error", "");
    else
        model::decode(json, parsed.event.emplace());
    return parsed;
}

std::string finish(Fetch& fetch, const EventSink& sink) {
    std::string rest;
    FetchLine last;
    sys::read_each(fetch.output, [&](std::string_view bytes) {
        rest += bytes;
        for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
            auto line = parse_line(rest.substr(0, end));
            rest.erase(0, end + 1);
            if (line.event)
                sink(*line.event);
            else
                last = std::move(line);
        }
    });
    const int status = sys::wait(fetch.worker);
    if (!last.id.empty())
        return last.id;
    throw Error(std::make_error_code(std::errc::io_error),
                !last.error.empty() ? last.error
                                    : "the fetch worker died with status " +
                                          std::to_string(status) + " before it had a result");
}

}  // namespace stack::image
