// login, logout: who we are to a registry.

#include "base/text.h"
#include "cli/cli11.h"
#include "cli/commands.h"
#include "cli/image_commands.h"
#include "engine/image/credentials.h"
#include "sys/prompt.h"
#include "sys/terminal.h"

namespace stack::cli {
namespace {

struct LoginOptions {
    std::string registry;
    std::string username;
    std::string password;
    bool password_stdin = false;
};

/// As a reference's domain has it.
std::string domain_of(std::string registry) {
    for (const auto* scheme : {"https://", "http://"})
        if (registry.starts_with(scheme))
            registry.erase(0, std::string_view(scheme).size());
    registry = registry.substr(0, registry.find('/'));
    const bool hub =
        registry.empty() || registry == "index.docker.io" || registry == "registry-1.docker.io";
    return hub ? "docker.io" : registry;
}

image::Credentials credentials_of(LoginOptions options) {
    if (options.password_stdin) {
        if (options.username.empty())
            give_up("--password-stdin takes the password only: give -u NAME, too");
        options.password = sys::read_standard_input(1U << 16U);
        while (options.password.ends_with('\n') || options.password.ends_with('\r'))
            options.password.pop_back();
    } else if (!options.password.empty()) {
        warn("a password on the command line can be seen by others: use --password-stdin");
    } else if (!sys::is_terminal(0)) {
        give_up("there is no terminal to ask for a password: use -u NAME --password-stdin");
    }
    if (options.username.empty())
        options.username = sys::ask_line("Username: ");
    if (options.password.empty())
        options.password = sys::ask_secret("Password: ");
    if (options.username.empty() || options.password.empty())
        give_up("a login needs a name and a password");
    return {options.username, options.password, "", ""};
}

void log_in(Context& context, const LoginOptions& options) {
    const std::string domain = domain_of(options.registry);
    const auto credentials = credentials_of(options);
    std::string result;
    context.exit_code = show_fetch(context,
                                   image::start_login(context.paths, domain, credentials),
                                   "Registry " + domain,
                                   "Asking",
                                   "Accepted",
                                   result);
    if (context.exit_code != 0)
        return;
    const std::string place = image::store_credentials(domain, credentials);
    sys::write_out("Login Succeeded (kept in " + place + ")\n");
}

}  // namespace

void add_login(CLI::App& app, Context& context) {
    const auto options = std::make_shared<LoginOptions>();
    app.add_option("REGISTRY", options->registry, "host[:port] (default: Docker Hub)");
    app.add_option("-u,--username", options->username, "Name; asked for where it is missing");
    app.add_option("-p,--password", options->password, "Password or token; others may see it here");
    app.add_flag(
        "--password-stdin", options->password_stdin, "Read the password from standard input");
    app.footer(
        "The registry is asked before anything is kept: in ~/.docker/config.json, or by the\n"
        "credential helper that this names.");
    app.callback([&context, options] {
        require_root();
        log_in(context, *options);
    });
}

void add_logout(CLI::App& app, Context& /*context*/) {
    const auto registry = std::make_shared<std::string>();
    app.add_option("REGISTRY", *registry, "host[:port] (default: Docker Hub)");
    app.callback([registry] {
        const std::string domain = domain_of(*registry);
        sys::write_out(image::erase_credentials(domain) ? "Removed the login of " + domain + "\n"
                                                        : "There was no login of " + domain + "\n");
    });
}

}  // namespace stack::cli
