#include "fetch/http.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>

#include <curl/curl.h>

namespace stack::fetch {
namespace {

struct Transfer {
    const HttpRequest& request;
    HttpResponse& response;
    const OnBody& on_body;
    bool refused = false;
    std::exception_ptr thrown;  // an exception must not cross libcurl's frames
};

std::size_t take_header(char* data, std::size_t size, std::size_t count, void* context) {
    auto& response = static_cast<Transfer*>(context)->response;
    const std::string_view line(data, size * count);
    if (line.starts_with("HTTP/")) {
        response.headers.clear();  // a new response, after a 100 Continue
        return line.size();
    }
    const auto [name, value] = split_once(line, ':');
    if (!value.empty())
        response.headers.emplace(to_lower(trim(name)), trim(value));
    return line.size();
}

std::size_t take_body(char* data, std::size_t size, std::size_t count, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    const std::string_view bytes(data, size * count);
    const bool good = transfer.response.status >= 200 && transfer.response.status < 300;
    if (transfer.on_body && good) {
        try {
            transfer.refused = !transfer.on_body(bytes, transfer.response.status);
        } catch (...) {
            transfer.thrown = std::current_exception();
        }
        return transfer.refused || transfer.thrown ? 0 : bytes.size();
    }
    auto& body = transfer.response.body;
    body.append(bytes.substr(
        0, transfer.request.body_limit - std::min(transfer.request.body_limit, body.size())));
    return bytes.size();
}

/// The status is known when the first byte of a body comes.
std::size_t take_body_with_status(char* data, std::size_t size, std::size_t count, void* context) {
    auto& pair = *static_cast<std::pair<Transfer*, CURL*>*>(context);
    curl_easy_getinfo(pair.second, CURLINFO_RESPONSE_CODE, &pair.first->response.status);
    return take_body(data, size, count, pair.first);
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
}

std::optional<HttpFailure> perform(const HttpRequest& request,
                                   HttpResponse& response,
                                   const OnBody& on_body) {
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl)
        return HttpFailure{"libcurl cannot be started", false};
    Transfer transfer{request, response, on_body};
    std::pair<Transfer*, CURL*> context{&transfer, curl.get()};
    std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(nullptr, curl_slist_free_all);
    for (const auto& header : request.headers)
        headers.reset(curl_slist_append(headers.release(), header.c_str()));
    constexpr long connect_seconds = 15;
    constexpr long stall_seconds = 60;
    curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, connect_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl.get(), CURLOPT_LOW_SPEED_TIME, stall_seconds);
    curl_easy_setopt(curl.get(), CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(curl.get(), CURLOPT_USERAGENT, "stack/0.1");
    curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, take_body_with_status);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &context);
    if (!request.ca_file.empty())
        curl_easy_setopt(curl.get(), CURLOPT_CAINFO, request.ca_file.c_str());
    if (!request.verify) {
        curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (request.method == "HEAD")
        curl_easy_setopt(curl.get(), CURLOPT_NOBODY, 1L);
    else if (request.method != "GET")
        curl_easy_setopt(curl.get(), CURLOPT_CUSTOMREQUEST, request.method.c_str());
    if (!request.body.empty()) {
        curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(
            curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    std::array<char, CURL_ERROR_SIZE> message{};
    curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, message.data());
    const CURLcode code = curl_easy_perform(curl.get());
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &response.status);
    if (transfer.thrown)
        std::rethrow_exception(transfer.thrown);
    if (code == CURLE_OK || transfer.refused)
        return std::nullopt;
    double connected = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_CONNECT_TIME, &connected);
    return HttpFailure{message[0] != 0 ? message.data() : curl_easy_strerror(code), connected > 0};
}

}  // namespace stack::fetch
