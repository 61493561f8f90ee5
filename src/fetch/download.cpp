#include "fetch/download.h"

#include <stack/error.h>

#include "base/digest.h"
#include "fetch/connection.h"
#include "sys/file.h"
#include "sys/poll.h"

#include <array>
#include <ctime>

#include <sys/stat.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

constexpr std::int64_t largest = std::int64_t{20} << 30U;  // bytes, where the owner says nothing

std::string http_date(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text.data();
}

class Download {
  public:
    Download(const DownloadRequest& request,
             const RegistrySettings& settings,
             const sys::Fd& target)
        : request_(request), settings_(settings), target_(target) {}

    std::string run() {
        const HttpResponse response = ask_patiently();
        if (response.status == 304)
            return unchanged;
        if (response.status != 200)
            throw Error(request_.url + ": the server answered with status " +
                        std::to_string(response.status));
        const timespec modified{parse_http_date(response.header("last-modified")).value_or(0), 0};
        const std::array<timespec, 2> times{modified, modified};
        sys::check(::futimens(target_.get(), times.data()), "set the time of a download");
        return "sha256:" + digest_.finish();
    }

  private:
    HttpResponse ask_patiently() {
        for (int attempt = 0;; ++attempt) {
            const bool last = attempt + 1 == most_tries;
            HttpResponse response;
            const auto failure = ask(response);
            if (failure && (last || !failure->connected))
                throw Error(std::make_error_code(std::errc::host_unreachable),
                            request_.url + " cannot be fetched: " + failure->sentence);
            if (!failure && (last || !worth_another_try(response.status)))
                return response;
            sys::pause(pause_before(attempt, response));
        }
    }

    std::optional<HttpFailure> ask(HttpResponse& response) {
        std::string url = request_.url;
        for (int i = 0; i <= most_redirects; ++i) {
            HttpRequest sent = request_for(url, settings_);
            if (request_.since > 0)
                sent.headers.push_back("If-Modified-Since: " + http_date(request_.since));
            start_over();
            response = {};
            if (auto failure = client_.perform(
                    sent, response, [this](std::string_view bytes, long) { return take(bytes); }))
                return failure;
            const std::string location = response.header("location");
            if (location.empty() || !is_redirect("GET", response.status))
                return std::nullopt;
            url = redirect_target(url, location);
        }
        throw Error(request_.url + " redirects without end");
    }

    void start_over() {
        digest_ = Sha256();
        size_ = 0;
        sys::check(::ftruncate(target_.get(), 0), "empty a download");
        sys::rewind(target_);
    }

    bool take(std::string_view bytes) {
        size_ += static_cast<std::int64_t>(bytes.size());
        const std::int64_t most = settings_.max_unpacked > 0 ? settings_.max_unpacked : largest;
        if (size_ > most)
            throw Error(request_.url + " is larger than " + std::to_string(most) +
                        " bytes: `max_unpacked` of registries.json allows more");
        digest_.update(bytes);
        sys::write_all(target_, bytes);
        return true;
    }

    const DownloadRequest& request_;
    const RegistrySettings& settings_;
    const sys::Fd& target_;
    HttpClient client_;
    Sha256 digest_;
    std::int64_t size_ = 0;
};

}  // namespace

std::string download(const DownloadRequest& request,
                     const RegistrySettings& settings,
                     const sys::Fd& target) {
    return Download(request, settings, target).run();
}

}  // namespace stack::fetch
