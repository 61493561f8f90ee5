#include "fetch/http.h"

#include <stack/error.h>

#include "base/text.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>

#include <curl/curl.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

struct Transfer {
    const HttpRequest& request;
    HttpResponse& response;
    const OnBody& on_body;
    std::int64_t sent = 0;
    bool refused = false;
    bool too_long = false;
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
    if (body.size() + bytes.size() > transfer.request.body_limit) {
        transfer.too_long = true;
        return 0;
    }
    body.append(bytes);
    return bytes.size();
}

std::size_t give_body(char* data, std::size_t size, std::size_t count, void* context) {
    auto& transfer = *static_cast<Transfer*>(context);
    const FilePart& part = *transfer.request.upload;
    const auto wanted =
        std::min<std::int64_t>(static_cast<std::int64_t>(size * count), part.size - transfer.sent);
    const auto given = ::pread(
        part.file->get(), data, static_cast<std::size_t>(wanted), part.offset + transfer.sent);
    if (given < 0)
        return CURL_READFUNC_ABORT;
    transfer.sent += given;
    if (transfer.request.on_upload)
        transfer.request.on_upload(transfer.sent);
    return static_cast<std::size_t>(given);
}

/// The status is known when the first byte of a body comes.
std::size_t take_body_with_status(char* data, std::size_t size, std::size_t count, void* context) {
    auto& pair = *static_cast<std::pair<Transfer*, CURL*>*>(context);
    curl_easy_getinfo(pair.second, CURLINFO_RESPONSE_CODE, &pair.first->response.status);
    return take_body(data, size, count, pair.first);
}

void set_body(CURL* curl, const HttpRequest& request, Transfer& transfer) {
    if (request.upload) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(curl, CURLOPT_READDATA, &transfer);
        curl_easy_setopt(
            curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.upload->size));
    } else if (request.method != "GET" && request.method != "HEAD") {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
        curl_easy_setopt(
            curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    if (request.method == "HEAD")
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    else if (request.method != "GET")
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void set_limits(CURL* curl, bool streams) {
    constexpr long connect_seconds = 15;
    constexpr long stall_seconds = 60;
    constexpr long answer_seconds = 300;
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, connect_seconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall_seconds);
    if (!streams)
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, answer_seconds);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "stack/0.1");
}

void set_trust(CURL* curl, const HttpRequest& request) {
    if (!request.ca_file.empty())
        curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
    if (!request.verify) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
}

std::optional<std::int64_t> parse_http_date(const std::string& text) {
    const auto seconds = curl_getdate(text.c_str(), nullptr);
    return seconds < 0 ? std::nullopt : std::optional<std::int64_t>(seconds);
}

struct HttpClient::Handle {
    std::unique_ptr<CURL, void (*)(CURL*)> curl{curl_easy_init(), curl_easy_cleanup};
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) {}

HttpClient::~HttpClient() = default;

HttpClient::HttpClient(const HttpClient& /*other*/) : HttpClient() {}

std::optional<HttpFailure> HttpClient::perform(const HttpRequest& request,
                                               HttpResponse& response,
                                               const OnBody& on_body) {
    CURL* curl = handle_->curl.get();
    if (curl == nullptr)
        return HttpFailure{"libcurl cannot be started", false};
    curl_easy_reset(curl);
    Transfer transfer{request, response, on_body};
    std::pair<Transfer*, CURL*> context{&transfer, curl};
    std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(
        curl_slist_append(nullptr, "Expect:"), curl_slist_free_all);  // no 100-continue round trip
    for (const auto& header : request.headers)
        headers.reset(curl_slist_append(headers.release(), header.c_str()));
    set_limits(curl, on_body || request.upload);
    set_trust(curl, request);
    set_body(curl, request, transfer);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body_with_status);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &context);
    std::array<char, CURL_ERROR_SIZE> message{};
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message.data());
    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
    if (transfer.thrown)
        std::rethrow_exception(transfer.thrown);
    if (transfer.too_long)
        throw Error(std::make_error_code(std::errc::message_size),
                    "the answer to " + request.method + " " + request.url + " is longer than " +
                        std::to_string(request.body_limit >> 20U) + " MiB");
    if (code == CURLE_OK || transfer.refused)
        return std::nullopt;
    curl_off_t connected = 0;  // 0 also where a connection was used again
    curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected);
    const bool reached = connected > 0 || response.status != 0 || code == CURLE_SEND_ERROR ||
                         code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
    return HttpFailure{message[0] != 0 ? message.data() : curl_easy_strerror(code), reached};
}

std::vector<std::string> trusted_certificates() {
    std::vector<std::string> all;
    const auto* own = curl_version_info(CURLVERSION_NOW);
    for (const char* place : {own->cainfo, own->capath})
        if (place != nullptr)
            all.emplace_back(place);
    return all;
}

}  // namespace stack::fetch
