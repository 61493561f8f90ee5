#include "engine/build/secrets.h"

#include <stack/error.h>

#include "sys/file.h"

#include <utility>

namespace stack::build {
namespace {

constexpr std::size_t largest_secret = 500 * 1024;  // bytes, as BuildKit has it

}  // namespace

std::optional<BuildSecret> find_secret(const Build& build,
                                       const StringMap& environment,
                                       const std::string& id) {
    for (auto secret : build.secrets) {
        if (id != (secret.target.empty() ? secret.source : secret.target))
            continue;
        const auto variable = environment.find(secret.source);
        if (!secret.content && variable != environment.end())
            secret.content = variable->second;
        if (secret.content || secret.source.starts_with('/'))
            return secret;
    }
    return std::nullopt;
}

std::string content_of(const BuildSecret& secret) {
    if (secret.content)
        return *secret.content;
    auto content = sys::read_file(secret.source, largest_secret);
    if (!content)
        throw Error(std::make_error_code(std::errc::no_such_file_or_directory),
                    "the file " + secret.source + " of the build secret " +
                        (secret.target.empty() ? secret.source : secret.target) +
                        " does not exist");
    return *std::move(content);
}

}  // namespace stack::build
