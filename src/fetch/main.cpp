// The fetch worker: everything that touches bytes from a registry or an archive, in a process of
// its own that is told what to do once and can do little else. Descriptor 3: the request, as JSON.
// Standard output: JSON lines.
//
//   stack-fetch           pull or import, as the request says
//   stack-fetch unpack    the archive on descriptor 3 into the directory on descriptor 4

#include <stack/error.h>

#include "fetch/confine.h"
#include "fetch/import.h"
#include "fetch/output.h"
#include "fetch/pull.h"
#include "model/codec.h"
#include "sys/file.h"

#include <csignal>
#include <string_view>

#include <curl/curl.h>

namespace {

using namespace stack;

std::string work() {
    constexpr int request_fd = 3;
    const auto request = model::Json::parse(sys::read_all(sys::Fd(request_fd)));
    Paths paths;
    paths.state = request.value("state", "");
    paths.run = request.value("run", "");
    paths.instance = request.value("instance", "");
    curl_global_init(CURL_GLOBAL_DEFAULT);
    fetch::confine(paths.state, paths.run);
    if (request.value("verb", "") == "pull")
        return fetch::pull(paths, request.value("reference", ""), request.value("platform", ""));
    ImageConfig config;
    model::decode(request.value("config", model::Json::object()), config);
    return fetch::import_image(
        paths, request.value("source", ""), request.value("reference", ""), config);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    try {
        if (argc > 1 && std::string_view(argv[1]) == "unpack") {
            fetch::unpack(3, 4);
            return 0;
        }
        fetch::say_result(work());
        return 0;
    } catch (const std::exception& error) {
        fetch::say_error(error.what());
        return 1;
    }
}
