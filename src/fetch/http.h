#pragma once

// One HTTP request at a time (libcurl). Redirects are not followed here: who follows decides what
// may be sent there.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stack::fetch {

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::string> headers;
    std::string body;
    std::string ca_file;  // empty: the system's
    bool verify = true;
    std::size_t body_limit = 4U << 20U;  // of what is kept in HttpResponse::body
};

struct HttpResponse {
    long status = 0;
    std::multimap<std::string, std::string> headers;  // names in lower case
    std::string body;

    [[nodiscard]] std::string header(const std::string& name) const;
};

/// Gets what follows a 2xx status, and that status; false ends the transfer.
using OnBody = std::function<bool(std::string_view, long status)>;

/// Why no response came: the host could not be reached, or the transfer broke.
struct HttpFailure {
    std::string sentence;
    bool connected = false;  // the connection stood: it is worth trying again
};

/// The response, or why there is none. With `on_body`, the body of a 2xx response goes there.
[[nodiscard]] std::optional<HttpFailure> perform(const HttpRequest& request,
                                                 HttpResponse& response,
                                                 const OnBody& on_body = {});

}  // namespace stack::fetch
