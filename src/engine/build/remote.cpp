#include "engine/build/remote.h"

#include <stack/error.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/text.h"
#include "engine/build/archive.h"
#include "engine/build/git_ssh.h"
#include "engine/build/secrets.h"
#include "engine/image/fetch.h"
#include "sys/file.h"
#include "sys/terminal.h"
#include "sys/tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stack::build {
namespace {

constexpr std::string_view layout_scheme = "oci-layout://";

const EventSink& nowhere() {
    static const EventSink sink = [](const Event&) {};
    return sink;
}

bool is_ssh(const std::string& text) {
    return text.starts_with("git@") || text.starts_with("ssh://");
}

sys::Fd new_file(const std::string& path) {
    return sys::open_file(path, O_RDWR | O_CREAT | O_EXCL, 0600);
}

/// A directory below `root` that is reached through no link: what follows names it by its path.
sys::Fd open_plain(const sys::Fd& root, const std::string& path) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const std::string name = path.empty() ? "." : path;
    return sys::Fd(
        static_cast<int>(::syscall(SYS_openat2, root.get(), name.c_str(), &how, sizeof how)));
}

bool is_web(const std::string& url) {
    return url.starts_with("http://") || url.starts_with("https://");
}

/// `https://host:port` of an address there.
std::string server_of(const std::string& url) {
    constexpr std::string_view after_scheme = "://";
    return url.substr(0, url.find('/', url.find(after_scheme) + after_scheme.size()));
}

bool truth_of(const std::string& part, const std::string& value) {
    if (value.empty() || value == "1" || value == "true")
        return true;
    if (value == "0" || value == "false")
        return false;
    throw Error("`" + part + "` of a repository's address is neither true nor false");
}

/// `%41` as the character it stands for; nullopt where another `%` is among the text.
std::optional<std::string> without_escapes(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain += text[i];
            continue;
        }
        const std::string code = to_lower(text.substr(i + 1, 2));
        if (code.size() != 2 || code.find_first_not_of(digits) != std::string::npos)
            return std::nullopt;
        plain += static_cast<char>(digits.find(code[0]) << 4U | digits.find(code[1]));
        i += code.size();
    }
    return plain;
}

/// Moves who asks out of the address: that is told to many, and stays in what git keeps.
void take_credentials(RemotePlace& place) {
    if (!is_web(place.url))
        return;
    const std::size_t host = place.url.find("://") + 3;
    const auto end = place.url.substr(0, place.url.find('/', host)).rfind('@');
    if (end == std::string::npos || end < host)
        return;
    const auto [user, password] = split_once(place.url.substr(host, end - host), ':');
    place.credentials =
        without_escapes(user).value_or(user) + ":" + without_escapes(password).value_or(password);
    place.url.erase(host, end + 1 - host);
}

/// One `key=value` of a repository's address.
void apply_query(const std::string& part, RemotePlace& place) {
    const auto [key, value] = split_once(part, '=');
    if (key == "ref" || key == "branch" || key == "tag") {
        if (!place.reference.empty())
            throw Error("`" + part + "`: the address of the repository names `" + place.reference +
                        "`, too: keep one");
        place.reference = (key == "branch" ? "refs/heads/"
                           : key == "tag"  ? "refs/tags/"
                                           : "") +
                          value;
    } else if (key == "subdir" && place.subdirectory.empty()) {
        place.subdirectory = value;
    } else if (key == "commit" || key == "checksum") {
        place.commit = value;
    } else if (key == "keep-git-dir") {
        place.keep_git_dir = truth_of(part, value);
    } else if (key == "submodules") {
        place.submodules = truth_of(part, value);
    } else {
        throw Error("`" + part +
                    "` of a repository's address is not known: ref, branch, tag, "
                    "commit, checksum, subdir (once), keep-git-dir and submodules are");
    }
}

std::string scratch_parent(const Paths& paths) {
    std::string parent = paths.state + "/build/remote";
    sys::ensure_private_directory(parent);
    return parent;
}

}  // namespace

bool is_remote(const std::string& text) {
    return text.starts_with("http://") || text.starts_with("https://") ||
           text.starts_with("git://") || text.starts_with("github.com/") || is_ssh(text);
}

RemotePlace parse_remote(const std::string& text) {
    const auto [address, fragment] = split_once(text, '#');
    const bool short_form = text.starts_with("github.com/");
    const std::string path(address.substr(0, address.find('?')));
    if (!short_form && !text.starts_with("git://") && !is_ssh(text) && !path.ends_with(".git"))
        return {RemotePlace::Kind::file, text, {}, {}};
    const auto [reference, subdirectory] = split_once(fragment, ':');
    const auto [repository, query] = split_once(address, '?');
    RemotePlace place{RemotePlace::Kind::git,
                      (short_form ? "https://" : "") + repository,
                      reference,
                      subdirectory};
    if (!query.empty())
        for (const auto& part : split(query, '&'))
            apply_query(part, place);
    take_credentials(place);
    return place;
}

std::string file_name_of(const std::string& url) {
    const std::string address = url.substr(0, url.find_first_of("?#"));
    const auto host = address.find("://");
    const auto slash = address.find('/', host == std::string::npos ? 0 : host + 3);
    auto path = slash == std::string::npos ? std::nullopt : without_escapes(address.substr(slash));
    while (path && path->ends_with('/'))
        path->pop_back();
    const std::string name = path ? sys::file_name("/" + *path) : "";
    const bool is_name =
        !name.empty() && name != "." && name != ".." && name.find('\0') == std::string::npos;
    return is_name ? name : "__unnamed__";
}

std::string authorization_for(const RemotePlace& place,
                              const Build& build,
                              const StringMap& environment) {
    if (!is_web(place.url))
        return {};
    if (!place.credentials.empty())
        return "basic " + base64_encode(place.credentials);
    const std::string server = server_of(place.url);
    const std::string host = server.substr(server.rfind('/') + 1);
    for (const auto& suffix : {"." + host, std::string()}) {
        if (const auto token = find_secret(build, environment, "GIT_AUTH_TOKEN" + suffix))
            return "basic " +
                   base64_encode("x-access-token:" + std::string(trim(content_of(*token))));
        if (const auto header = find_secret(build, environment, "GIT_AUTH_HEADER" + suffix))
            return std::string(trim(content_of(*header)));
    }
    return {};
}

Checkout check_out(const Paths& paths,
                   const RemotePlace& from,
                   const Build& build,
                   const StringMap& environment) {
    sys::ScratchDirectory place(scratch_parent(paths));
    sys::ensure_directory(place.path() + "/tree");
    const sys::Fd top = sys::open_directory(place.path() + "/tree");
    image::CheckOutRequest request;
    request.url = from.url;
    request.reference = from.reference;
    request.keep_git_dir = from.keep_git_dir;
    request.submodules = from.submodules;
    request.authorization = authorization_for(from, build, environment);
    request.server = request.authorization.empty() ? "" : server_of(from.url);
    std::optional<GitSsh> ssh;
    if (is_ssh(from.url))
        request.ssh = ssh.emplace(paths, build, environment, from.url).directory();
    auto worker = image::start_check_out(paths, request, top);
    std::string commit = image::finish(worker, nowhere());
    if (!commit.starts_with(from.commit))
        throw Error(from.url + " is at the commit " + commit + ", not " + from.commit +
                    " as its address says");
    sys::Fd root = open_plain(top, from.subdirectory);
    if (!root)
        throw Error(from.url + " has no directory `" + from.subdirectory + "` at " +
                    (from.reference.empty() ? "HEAD" : from.reference));
    return {std::move(place), std::move(root), std::move(commit)};
}

// --- LocalContexts

LocalContexts::LocalContexts(const Paths& paths,
                             const Build& build,
                             const StringMap& environment,
                             const EventSink& sink)
    : paths_(paths), build_(build) {
    if (build.context == "-")
        build_.context = take_input();
    else if (is_remote(build.context))
        build_.context = fetch(build.context, environment);
    for (auto& [name, source] : build_.additional_contexts) {
        if (is_remote(source))
            source = fetch(source, environment);
        else if (source.starts_with(layout_scheme))
            source = import_layout(source.substr(layout_scheme.size()), sink);
    }
}

std::string LocalContexts::fetch(const std::string& address, const StringMap& environment) {
    RemotePlace from = parse_remote(address);
    if (from.kind == RemotePlace::Kind::file)
        return fetch_file(from.url);
    from.keep_git_dir = from.keep_git_dir || build_.args.contains("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
    auto checkout = check_out(paths_, from, build_, environment);
    places_.push_back(std::move(checkout.place));
    return sys::absolute_path(from.subdirectory, places_.back().path() + "/tree");
}

std::string LocalContexts::fetch_file(const std::string& url) {
    places_.emplace_back(scratch_parent(paths_));
    const sys::Fd file = new_file(places_.back().path() + "/file");
    auto worker = image::start_download(paths_, url, 0, file);
    static_cast<void>(image::finish(worker, nowhere()));
    return tree_of(file);
}

std::string LocalContexts::take_input() {
    places_.emplace_back(scratch_parent(paths_));
    const sys::Fd file = new_file(places_.back().path() + "/file");
    sys::read_each(sys::standard_input(),
                   [&](std::string_view bytes) { sys::write_all(file, bytes); });
    return tree_of(file);
}

/// An archive is the context, any other file its Dockerfile.
std::string LocalContexts::tree_of(const sys::Fd& file) const {
    const std::string place = places_.back().path();
    const std::string tree = place + "/tree";
    sys::ensure_directory(tree);
    if (!may_be_archive(file)) {
        sys::rename(place + "/file", tree + "/Dockerfile");
        return tree;
    }
    sys::rewind(file);
    auto unpacking = image::start_unpack(file, sys::open_directory(tree));
    image::finish_unpack(unpacking);
    return tree;
}

std::string LocalContexts::import_layout(const std::string& place, const EventSink& sink) const {
    image::ImportRequest request;
    request.source = "oci:" + place;
    request.reference = "localhost/oci-layout:" + sha256_hex(place).substr(0, 12);
    auto worker = image::start_import(paths_, request);
    return "docker-image://" + image::finish(worker, sink);
}

}  // namespace stack::build
