#include "model/native_probe.h"

#include "base/text.h"

namespace stack {
namespace {

constexpr std::uint16_t http_port = 80;

/// `host` may have the brackets of an IPv6 address.
std::optional<IpAddress> parse_host(std::string_view host) {
    if (host == "localhost")
        return parse_ip("127.0.0.1");
    if (!host.starts_with('['))
        return host.find(':') == std::string_view::npos ? parse_ip(host) : std::nullopt;
    return host.ends_with(']') && host.find(':') != std::string_view::npos
               ? parse_ip(host.substr(1, host.size() - 2))
               : std::nullopt;
}

/// The colon before a port; npos where there is none.
std::size_t find_port(std::string_view authority) {
    const std::size_t bracket = authority.rfind(']');
    return authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
}

/// `HOST[:PORT]`; offsets of what is wrong count from its first character.
Expected<NativeProbe> parse_authority(std::string_view text, std::optional<std::uint16_t> port) {
    const std::size_t colon = find_port(text);
    const auto address = parse_host(text.substr(0, colon));
    if (!address)
        return malformed(
            "the host is `localhost` or an IP address: it is asked from inside the container");
    if (colon != std::string_view::npos) {
        port = parse_number<std::uint16_t>(text.substr(colon + 1));
        if (!port || *port == 0)
            return malformed("a port is a number from 1 to 65535", colon + 1);
    }
    if (!port)
        return malformed("it needs a port: write it as `" + std::string(text) + ":80`");
    return NativeProbe{*address, *port, std::nullopt};
}

}  // namespace

Expected<NativeProbe> parse_http_probe(std::string_view url) {
    constexpr std::string_view scheme = "http://";
    if (url.starts_with("https://"))
        return malformed(
            "only http is spoken here; for https, let `test` run a client of the image");
    if (!url.starts_with(scheme))
        return malformed("expected a URL such as `http://localhost:8080/health`");
    for (std::size_t i = 0; i < url.size(); ++i)
        if (url[i] <= ' ' || url[i] == '\x7f' || url[i] == '#')
            return malformed("a URL has no such character here", i);
    const std::string_view rest = url.substr(scheme.size());
    const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
    auto probe = parse_authority(rest.substr(0, slash), http_port);
    if (!probe)
        return malformed(probe.error().message, probe.error().offset + scheme.size());
    std::string target(rest.substr(slash));
    if (!target.starts_with('/'))
        target.insert(0, "/");
    probe->http = HttpQuestion{std::string(rest.substr(0, slash)), std::move(target)};
    return probe;
}

Expected<NativeProbe> parse_tcp_probe(std::string_view address) {
    if (address.find_first_not_of("0123456789") != std::string_view::npos)
        return parse_authority(address, std::nullopt);
    const auto port = parse_number<std::uint16_t>(address);
    if (!port || *port == 0)
        return malformed("expected a port from 1 to 65535, or an address such as `localhost:5432`");
    return NativeProbe{*parse_ip("127.0.0.1"), *port, std::nullopt};
}

std::optional<NativeProbe> native_probe(const Healthcheck& check) {
    if (check.test.size() != 2)
        return std::nullopt;
    Expected<NativeProbe> probe = malformed("a command");
    if (check.test.front() == "HTTP")
        probe = parse_http_probe(check.test.back());
    else if (check.test.front() == "TCP")
        probe = parse_tcp_probe(check.test.back());
    return probe ? std::optional(*std::move(probe)) : std::nullopt;
}

}  // namespace stack
