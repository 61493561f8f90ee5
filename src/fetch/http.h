#pragma once

// HTTP requests, one at a time (libcurl); the connection stays open from one to the next. Redirects
// are not followed here: who follows decides what may be sent there.

#include "sys/fd.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::fetch {

/// A part of a file, sent as a request's body.
struct FilePart {
    const sys::Fd* file = nullptr;
    std::int64_t offset = 0;
    std::int64_t size = 0;
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::string> headers;
    std::string body;
    std::optional<FilePart> upload;                 // instead of `body`
    std::function<void(std::int64_t)> on_upload{};  // bytes sent of it so far
    std::string ca_file;                            // empty: the system's
    bool verify = true;
    std::size_t body_limit = 4U << 20U;  // of what is kept in HttpResponse::body: more is a failure
};

struct HttpResponse {
    long status = 0;
    std::multimap<std::string, std::string> headers;  // names in lower case
    std::string body;

    [[nodiscard]] std::string header(const std::string& name) const;
};

/// Seconds since 1970, of `Wed, 21 Oct 2026 07:28:00 GMT`.
[[nodiscard]] std::optional<std::int64_t> parse_http_date(const std::string& text);

/// Gets what follows a 2xx status, and that status; false ends the transfer.
using OnBody = std::function<bool(std::string_view, long status)>;

/// Why no response came: the host could not be reached, or the transfer broke.
struct HttpFailure {
    std::string sentence;
    bool connected = false;  // the connection stood: it is worth trying again
};

/// A copy has a connection of its own.
class HttpClient {
  public:
    HttpClient();
    ~HttpClient();
    HttpClient(const HttpClient& other);
    HttpClient& operator=(const HttpClient&) = delete;

    /// The response, or why there is none. With `on_body`, the body of a 2xx response goes there.
    [[nodiscard]] std::optional<HttpFailure> perform(const HttpRequest& request,
                                                     HttpResponse& response,
                                                     const OnBody& on_body = {});

  private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
};

/// The file and the directory that the library itself looks for the certificates of authorities in,
/// where it has any.
[[nodiscard]] std::vector<std::string> trusted_certificates();

}  // namespace stack::fetch
