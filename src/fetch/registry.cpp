#include "fetch/registry.h"

#include <stack/error.h>

#include "base/digest.h"
#include "base/text.h"
#include "engine/image/document.h"
#include "sys/poll.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace stack::fetch {
namespace {

constexpr const char* accepted =
    "Accept: application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json";

std::vector<std::string> tags_in(const std::string& body) {
    const auto json = image::parse_document(body, "the list of tags");
    const auto found = json.is_object() ? json.find("tags") : json.end();
    std::vector<std::string> tags;
    if (found != json.end() && found->is_array())  // null: there are none
        for (const auto& tag : *found)
            if (tag.is_string())
                tags.push_back(tag.get<std::string>());
    return tags;
}

/// Below /v2/, of `</v2/a/tags/list?last=b>; rel="next"` (RFC 8288); "" where there is no more.
std::string next_page(const std::string& link) {
    constexpr std::string_view begin = "</v2/";
    const auto end = link.find('>');
    if (!link.starts_with(begin) || end == std::string::npos ||
        link.find("next", end) == std::string::npos)
        return {};
    return link.substr(begin.size(), end - begin.size());
}

std::vector<std::string> scopes_for(const image::Reference& reference, Registry::Access access) {
    return {"repository:" + reference.path +
            (access == Registry::Access::push ? ":pull,push" : ":pull")};
}

}  // namespace

Registry::Registry(image::Reference reference,
                   Access access,
                   const RegistrySettings& settings,
                   const CredentialMap& credentials)
    : reference_(std::move(reference)),
      access_(access),
      connection_(reference_.domain,
                  scopes_for(reference_, access),
                  access == Access::pull,
                  settings,
                  credentials) {}

std::string Registry::path(const std::string& rest) const {
    return reference_.path + "/" + rest;
}

void Registry::refuse(const HttpResponse& response, const std::string& what) const {
    const std::string name = image::familiar(reference_);
    const std::string words = words_of(response);
    const std::string detail = words.empty() ? "" : " (\"" + words + "\")";
    const std::string verb = access_ == Access::push ? "push" : "pull";
    switch (response.status) {
        case 401:
        case 403:
            throw Error(std::make_error_code(std::errc::permission_denied),
                        verb + " access denied for " + name + " at " + reference_.domain +
                            ", asked as " + connection_.identity() +
                            ": the repository does not exist, or needs another login (" +
                            login_command(reference_.domain) + ")" + detail);
        case 404:
            throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                        what + " of image " + name + " is not found at " + reference_.domain +
                            detail +
                            (connection_.is_guest() ? ": it is not there, or not for everybody (" +
                                                          login_command(reference_.domain) + ")"
                                                    : ""));
        case 429:
            throw Error(std::make_error_code(std::errc::resource_unavailable_try_again),
                        "registry " + reference_.domain + " allows no more for now (429)" + detail +
                            ": log in, wait, or name a mirror in registries.json");
        default:
            throw Error(std::make_error_code(std::errc::protocol_error),
                        "registry " + reference_.domain + " answered " +
                            std::to_string(response.status) + " for " + what + " of image " + name +
                            detail);
    }
}

Manifest Registry::manifest(const std::string& tag_or_digest) {
    HttpResponse response = connection_.ask_patiently(
        {.path = path("manifests/" + tag_or_digest), .headers = {accepted}});
    if (response.status != 200)
        refuse(response,
               is_digest(tag_or_digest) ? "manifest " + tag_or_digest : "tag " + tag_or_digest);
    Manifest manifest;
    manifest.bytes = std::move(response.body);
    manifest.media_type = trim(split_once(response.header("content-type"), ';').first);
    manifest.digest = "sha256:" + sha256_hex(manifest.bytes);
    const std::string expected =
        is_digest(tag_or_digest) ? tag_or_digest : response.header("docker-content-digest");
    if (is_digest(expected) && manifest.digest != expected)
        throw Error(std::make_error_code(std::errc::protocol_error),
                    "registry " + reference_.domain + " sent a manifest whose digest is " +
                        manifest.digest + " instead of " + expected);
    return manifest;
}

std::vector<std::string> Registry::tags() {
    std::vector<std::string> all;
    std::string next = path("tags/list?n=1000");
    constexpr int most_pages = 100;
    for (int page = 0; !next.empty(); ++page) {
        const HttpResponse response = connection_.ask_patiently({.path = next});
        if (response.status != 200)
            refuse(response, "the list of tags");
        for (auto& tag : tags_in(response.body))
            all.push_back(std::move(tag));
        next = next_page(response.header("link"));
        if (page == most_pages)
            throw Error(std::make_error_code(std::errc::protocol_error),
                        "registry " + reference_.domain + " lists tags of image " +
                            image::familiar(reference_) + " without end");
    }
    return all;
}

std::string Registry::digest_of(const std::string& tag) {
    const HttpResponse response = connection_.ask_patiently(
        {.method = "HEAD", .path = path("manifests/" + tag), .headers = {accepted}});
    const std::string digest = response.header("docker-content-digest");
    return response.status == 200 && is_digest(digest) ? digest : "";
}

void Registry::blob(const std::string& digest,
                    std::int64_t size,
                    std::int64_t offset,
                    const std::function<bool(std::string_view)>& on_bytes) {
    std::int64_t received = offset;
    std::int64_t skip = 0;
    std::int64_t tried_at = offset;
    if (received == size)
        return;
    for (int attempt = 0;; ++attempt) {
        constexpr std::int64_t progress = 1 << 20;
        if (received - tried_at >= progress)
            attempt = 0;  // a connection that breaks now and then gets there, too
        tried_at = received;
        std::vector<std::string> headers;
        if (received > 0)
            headers.push_back("Range: bytes=" + std::to_string(received) + "-");
        bool first = true;
        HttpResponse response;
        std::string broken;
        const auto take = [&](std::string_view bytes, long status) {
            if (first) {  // a server without ranges begins at the beginning
                first = false;
                constexpr long partial_content = 206;
                skip = status == partial_content ? 0 : received;
            }
            const auto skipped =
                std::min<std::int64_t>(skip, static_cast<std::int64_t>(bytes.size()));
            skip -= skipped;
            bytes.remove_prefix(static_cast<std::size_t>(skipped));
            received += static_cast<std::int64_t>(bytes.size());
            if (received > size)
                throw Error(std::make_error_code(std::errc::protocol_error),
                            "blob " + digest + " is longer than the " + std::to_string(size) +
                                " bytes its manifest promises");
            return bytes.empty() || on_bytes(bytes);
        };
        try {
            response = connection_.ask(
                {.path = path("blobs/" + digest), .headers = headers, .on_body = take});
        } catch (const Error& error) {
            if (error.code() != std::errc::connection_reset)
                throw;
            broken = error.what();
        }
        if (broken.empty() && (response.status == 200 || response.status == 206)) {
            if (received == size)
                return;
            broken = "it ended after " + std::to_string(received) + " of " + std::to_string(size) +
                     " bytes";
        } else if (broken.empty() && !worth_another_try(response.status)) {
            refuse(response, "blob " + digest);
        }
        if (attempt + 1 == most_tries)
            throw Error(
                std::make_error_code(std::errc::connection_aborted),
                "blob " + digest + " cannot be downloaded from " + reference_.domain + ": " +
                    (broken.empty() ? "status " + std::to_string(response.status) : broken));
        sys::pause(pause_before(attempt, response));
    }
}

}  // namespace stack::fetch
