#pragma once

// A web server on loopback that answers what a test tells it to, to the byte: also what no real
// server says.

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace stack::test {

struct WebRequest {
    std::string method;
    std::string path;                            // with the query
    std::map<std::string, std::string> headers;  // names in lower case
};

/// `HTTP/1.1 <status>`, Content-Length and these headers, then `body`.
[[nodiscard]] std::string web_answer(int status,
                                     const std::string& body,
                                     const std::map<std::string, std::string>& headers = {});

class WebServer {
  public:
    /// The bytes to send, after which the connection is closed.
    using Handler = std::function<std::string(const WebRequest&)>;

    explicit WebServer(Handler handler);
    ~WebServer();
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

    /// 127.0.0.1:PORT
    [[nodiscard]] const std::string& host() const { return host_; }

    [[nodiscard]] std::vector<WebRequest> requests() const;

  private:
    void serve();

    Handler handler_;
    int listener_ = -1;
    std::string host_;
    mutable std::mutex mutex_;
    std::vector<WebRequest> requests_;
    std::thread thread_;
};

}  // namespace stack::test
