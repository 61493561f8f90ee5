// The registry's half for those who write (distribution-spec "Push").

#include <stack/error.h>

#include "base/text.h"
#include "fetch/auth.h"
#include "fetch/registry.h"
#include "sys/poll.h"

#include <algorithm>
#include <utility>

namespace stack::fetch {
namespace {

constexpr long created = 201;
constexpr long accepted_status = 202;
constexpr long no_content = 204;
constexpr long too_large = 413;

std::string with_digest(const std::string& location, const std::string& digest) {
    return location + (location.find('?') == std::string::npos ? "?" : "&") + "digest=" + digest;
}

/// One upload session: where it is, and how much has arrived.
class Session {
  public:
    Session(Connection& connection,
            std::string digest,
            const sys::Fd& file,
            std::int64_t size,
            const std::function<void(std::int64_t)>& on_progress)
        : connection_(connection),
          digest_(std::move(digest)),
          file_(file),
          size_(size),
          on_progress_(on_progress) {}

    /// `start` is where uploads begin. Returns the last response: 201 where all went well.
    HttpResponse run(const std::string& start) {
        HttpResponse response;
        for (int attempt = 0; attempt < most_tries; ++attempt) {
            if (attempt > 0)
                sys::pause(pause_before(attempt - 1, response));
            try {
                if (location_.empty() && !begin(start, response))
                    return response;
                response = offset_ == 0 && !in_pieces_ ? send_whole() : send_pieces();
                if (response.status == too_large && !in_pieces_) {
                    in_pieces_ = true;
                    location_.clear();
                    continue;
                }
                if (!worth_another_try(response.status))
                    return response;
            } catch (const Error& error) {
                if (error.code() != std::errc::connection_reset || attempt + 1 == most_tries)
                    throw;
            }
            in_pieces_ = true;
            recover();
        }
        return response;
    }

  private:
    static constexpr std::int64_t piece = 32 << 20;

    bool begin(const std::string& start, HttpResponse& response) {
        response = connection_.ask_patiently({.method = "POST", .path = start});
        offset_ = 0;
        if (response.status != accepted_status)
            return false;
        return follow(response);
    }

    /// Every response says where the next request goes.
    bool follow(const HttpResponse& response) {
        const std::string next = response.header("location");
        if (next.empty())
            return false;
        if (!next.starts_with('/'))
            location_ = next;
        else if (location_.find("://") != std::string::npos)
            location_ = origin(location_) + next;
        else
            location_ = next.starts_with("/v2/") ? next.substr(4) : next;
        return true;
    }

    HttpResponse send_whole() {
        return connection_.ask({.method = "PUT",
                                .path = with_digest(location_, digest_),
                                .headers = {"Content-Type: application/octet-stream"},
                                .upload = FilePart{&file_, 0, size_},
                                .on_upload = on_progress_});
    }

    HttpResponse send_pieces() {
        while (offset_ < size_) {
            const auto length = std::min(piece, size_ - offset_);
            const HttpResponse response = connection_.ask(
                {.method = "PATCH",
                 .path = location_,
                 .headers = {"Content-Type: application/octet-stream",
                             "Content-Range: " + std::to_string(offset_) + "-" +
                                 std::to_string(offset_ + length - 1)},
                 .upload = FilePart{&file_, offset_, length},
                 .on_upload = [&](std::int64_t sent) { on_progress_(offset_ + sent); }});
            if (response.status != accepted_status || !follow(response))
                return response;
            offset_ += length;
        }
        return connection_.ask({.method = "PUT",
                                .path = with_digest(location_, digest_),
                                .headers = {"Content-Type: application/octet-stream"}});
    }

    /// How far it got, by the registry's word; from the beginning where it does not know.
    void recover() {
        const std::string where = std::exchange(location_, {});
        offset_ = 0;
        if (where.empty())
            return;
        const HttpResponse response = connection_.ask({.path = where});
        const auto end =
            parse_number<std::int64_t>(split_once(response.header("range"), '-').second);
        if (response.status != no_content || !end || *end + 1 > size_)
            return;
        location_ = where;
        follow(response);
        offset_ = *end == 0 ? 0 : *end + 1;
    }

    Connection& connection_;
    std::string digest_;
    const sys::Fd& file_;
    std::int64_t size_;
    const std::function<void(std::int64_t)>& on_progress_;
    std::string location_;
    std::int64_t offset_ = 0;
    bool in_pieces_ = false;
};

}  // namespace

bool Registry::has_blob(const std::string& digest) {
    const HttpResponse response =
        connection_.ask_patiently({.method = "HEAD", .path = path("blobs/" + digest)});
    if (response.status == 401 || response.status == 403)
        refuse(response, "blob " + digest);
    return response.status == 200;
}

bool Registry::mount(const std::string& digest, const std::string& repository) {
    Connection other = connection_.with_scope("repository:" + repository + ":pull");
    try {
        const HttpResponse response = other.ask_patiently(
            {.method = "POST",
             .path = path("blobs/uploads/?mount=" + digest + "&from=" + repository)});
        return response.status == created;
    } catch (const Error& error) {
        if (error.code() != std::errc::permission_denied)
            throw;
        return false;  // no token is given for the other repository: the blob is sent
    }
}

void Registry::upload(const std::string& digest,
                      const sys::Fd& file,
                      std::int64_t size,
                      const std::function<void(std::int64_t)>& on_progress) {
    Session session(connection_, digest, file, size, on_progress);
    const HttpResponse response = session.run(path("blobs/uploads/"));
    if (response.status != created)
        refuse(response, "the upload of blob " + digest);
}

std::string Registry::put_manifest(const std::string& tag_or_digest,
                                   const std::string& bytes,
                                   const std::string& media_type) {
    const HttpResponse response =
        connection_.ask_patiently({.method = "PUT",
                                   .path = path("manifests/" + tag_or_digest),
                                   .headers = {"Content-Type: " + media_type},
                                   .body = bytes});
    if (response.status != created && response.status != accepted_status && response.status != 200)
        refuse(response, "the manifest");
    return response.header("docker-content-digest");
}

}  // namespace stack::fetch
