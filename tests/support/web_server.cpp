#include "tests/support/web_server.h"

#include "base/text.h"

#include <array>
#include <optional>
#include <sstream>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace stack::test {
namespace {

bool read_more(int connection, std::string& text) {
    std::array<char, 4096> buffer{};
    const auto count = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (count > 0)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
}

WebRequest parse(const std::string& head) {
    WebRequest request;
    std::istringstream lines(head);
    lines >> request.method >> request.path;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && line != "\r") {
        const auto [name, value] = split_once(line, ':');
        request.headers[to_lower(name)] = trim(value);
    }
    return request;
}

/// A whole request; no test looks at its body, but one left unread would reset the connection.
std::optional<WebRequest> read_request(int connection) {
    std::string text;
    while (text.find("\r\n\r\n") == std::string::npos)
        if (!read_more(connection, text))
            return std::nullopt;
    const std::size_t head = text.find("\r\n\r\n") + 4;
    WebRequest request = parse(text.substr(0, head));
    const auto length = request.headers.find("content-length");
    const auto body =
        length == request.headers.end() ? 0 : parse_number<std::size_t>(length->second).value_or(0);
    while (text.size() < head + body && read_more(connection, text)) {
    }
    return request;
}

}  // namespace

std::string web_answer(int status,
                       const std::string& body,
                       const std::map<std::string, std::string>& headers) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " As told\r\nConnection: close\r\n" +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n";
    for (const auto& [name, value] : headers)
        text += name + ": " + value + "\r\n";
    return text + "\r\n" + body;
}

WebServer::WebServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    host_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
}

WebServer::~WebServer() {
    ::shutdown(listener_, SHUT_RDWR);  // accept() returns
    thread_.join();
    ::close(listener_);
}

std::vector<WebRequest> WebServer::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

void WebServer::serve() {
    for (;;) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0)
            return;
        if (const auto request = read_request(connection)) {
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(*request);
            }
            const std::string answer = handler_(*request);
            for (std::size_t sent = 0; sent < answer.size();) {
                const auto count =
                    ::send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
                if (count <= 0)
                    break;
                sent += static_cast<std::size_t>(count);
            }
        }
        ::close(connection);
    }
}

}  // namespace stack::test
