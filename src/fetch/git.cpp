#include "fetch/git.h"

#include <stack/error.h>

#include "base/text.h"
#include "fetch/connection.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/tree.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::fetch {
namespace {

constexpr unsigned nobody = 65534;
constexpr const char* program = "/usr/bin/git";
constexpr const char* place = "/tmp";
constexpr const char* ssh_program = "/usr/bin/ssh";
constexpr const char* ssh_place = "/mnt";
constexpr const char* ssh_command =
    "/usr/bin/ssh -F /dev/null -o BatchMode=yes -o ForwardAgent=no -o ConnectTimeout=30 "
    "-o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null "
    "-o UserKnownHostsFile=/mnt/known_hosts";

bool is_plain(const std::string& text) {
    return !text.starts_with('-') && std::none_of(text.begin(), text.end(), [](unsigned char c) {
        return c <= ' ' || c == 0x7F;
    });
}

void check_request(const GitRequest& request) {
    if (!is_plain(request.url) || !is_plain(request.reference))
        throw Error("`" + request.url + "#" + request.reference +
                    "` cannot be a repository: neither part begins with `-` or has blanks");
    if (std::any_of(request.authorization.begin(),
                    request.authorization.end(),
                    [](unsigned char c) { return c < ' ' || c == 0x7F; }))
        throw Error("what GIT_AUTH_TOKEN or GIT_AUTH_HEADER holds for " + request.server +
                    " has several lines, or characters that no header has");
    if (::access(program, X_OK) != 0)
        throw Error(request.url + " needs git, and there is no " + program +
                    " on this machine: install the package git");
    if (!request.ssh.empty() && ::access(ssh_program, X_OK) != 0)
        throw Error(request.url + " needs ssh, and there is no " + ssh_program +
                    " on this machine: install the package openssh-client");
}

std::string path_of(const sys::Fd& file) {
    return "/proc/self/fd/" + std::to_string(file.get());
}

/// What is mounted at one place may hide what is to be mounted at the next: `source` is open.
void mount_at(const sys::Fd& source, const char* target, const char* what) {
    sys::check(::mount(path_of(source).c_str(), target, nullptr, MS_BIND, nullptr), what);
}

void become_nobody(const sys::Fd& directory, const std::string& ssh) {
    sys::check(::fchown(directory.get(), nobody, nobody), "give git its directory");
    sys::check(::unshare(CLONE_NEWNS), "make a mount namespace for git");
    sys::check(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "make mounts private");
    // By its path, which is our own state's: the descriptor belongs to the namespace left behind.
    const auto source = sys::real_path(path_of(directory));
    const sys::Fd files = sys::open_file(source.value_or(""), O_PATH);
    const sys::Fd agent = ssh.empty() ? sys::Fd() : sys::open_file(ssh, O_PATH);
    mount_at(files, place, "mount git's directory");
    if (agent)
        mount_at(agent, ssh_place, "mount what ssh needs");
    sys::check(::chdir(place), "enter git's directory");
    ::umask(022);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sys::check(::setgroups(0, nullptr), "leave all groups");
    sys::check(::setresgid(nobody, nobody, nobody), "become nobody");
    sys::check(::setresuid(nobody, nobody, nobody), "become nobody");
}

/// This process and git, which is of its group.
void end_all(int /*signal*/) {
    ::kill(0, SIGKILL);
}

/// Variables that say how the network is reached, and what keeps git from looking around. What a
/// server is told is among them: a command line is for all to read.
std::vector<std::string> environment(const GitRequest& request) {
    std::vector<std::string> all{
        "PATH=/usr/bin:/bin",
        "HOME=/nonexistent",
        "GIT_CONFIG_NOSYSTEM=1",
        "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_TERMINAL_PROMPT=0",
        std::string("GIT_ALLOW_PROTOCOL=http:https:git") + (request.ssh.empty() ? "" : ":ssh"),
        "GIT_LFS_SKIP_SMUDGE=1"};
    for (const auto* name : {"http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"})
        if (const char* value = std::getenv(name))
            all.push_back(std::string(name) + "=" + value);
    if (!request.authorization.empty())
        all.insert(all.end(),
                   {"GIT_CONFIG_COUNT=2",
                    "GIT_CONFIG_KEY_0=http." + request.server + "/.extraHeader",
                    "GIT_CONFIG_VALUE_0=Authorization: " + request.authorization,
                    "GIT_CONFIG_KEY_1=http." + request.server + "/.followRedirects",
                    "GIT_CONFIG_VALUE_1=false"});
    if (!request.ssh.empty())
        all.insert(all.end(),
                   {std::string("SSH_AUTH_SOCK=") + ssh_place + "/agent",
                    std::string("GIT_SSH_COMMAND=") + ssh_command});
    return all;
}

/// What is to be done about what git says.
std::string advice_on(const std::string& text) {
    if (text.find("Host key verification failed") != std::string::npos)
        return " (the host's key is not among those in ~/.ssh/known_hosts or "
               "/etc/ssh/ssh_known_hosts: ssh-keyscan prints it)";
    return {};
}

/// Where the repository is, as its server says: git would tell whomever it is sent to what only the
/// server is to be told.
void follow_redirects(GitRequest& request) {
    constexpr std::string_view asked_for = "/info/refs?service=git-upload-pack";
    HttpClient client;
    for (int i = 0; i <= most_redirects; ++i) {
        HttpRequest question;
        question.url = request.url + std::string(asked_for);
        question.headers = {"Authorization: " + request.authorization};
        HttpResponse response;
        const auto failure =
            client.perform(question, response, [](std::string_view, long) { return false; });
        const std::string location = response.header("location");
        if (failure || location.empty() || !is_redirect("GET", response.status))
            return;  // git says what is wrong, if anything is
        const std::string target = redirect_target(question.url, location);
        if (!target.ends_with(asked_for))
            throw Error(request.url + " redirects to " + target + ", which is no repository");
        request.url = target.substr(0, target.size() - asked_for.size());
        if (!request.url.starts_with(request.server + "/")) {
            request.authorization.clear();
            return;
        }
    }
    throw Error(request.url + " redirects without end");
}

/// Runs git and returns what it printed; throws with that where it fails.
std::string git(const GitRequest& request, const std::vector<std::string>& words) {
    constexpr std::size_t most_output = 64U << 10U;
    sys::Pipe output = sys::make_pipe();
    sys::SpawnOptions options;
    options.arguments = {
        "git", "-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"};
    options.arguments.insert(options.arguments.end(), words.begin(), words.end());
    options.environment = environment(request);
    options.descriptors = {{output.write.get(), 1}, {output.write.get(), 2}};
    const auto child = sys::spawn(program, options);
    output.write.reset();
    std::string text;
    sys::read_each(output.read, [&](std::string_view bytes) {
        text += bytes.substr(0, most_output - std::min(most_output, text.size()));
    });
    if (sys::wait(child) != 0)
        throw Error(std::make_error_code(std::errc::io_error),
                    request.url +
                        (request.reference.empty() ? "" : " at `" + request.reference + "`") +
                        " cannot be fetched: " + std::string(trim(text)) + advice_on(text));
    return std::string(trim(text));
}

/// Where they are relative, they are so to the repository's own address.
void fetch_submodules(const GitRequest& request) {
    if (!sys::find_in_root(sys::open_directory(place), ".gitmodules", O_PATH | O_NOFOLLOW))
        return;
    static_cast<void>(git(request, {"remote", "add", "origin", request.url}));
    static_cast<void>(
        git(request, {"submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"}));
}

}  // namespace

std::string check_out(GitRequest request, const sys::Fd& directory) {
    check_request(request);
    become_nobody(directory, request.ssh);
    sys::end_with_parent();  // which the change of the user has undone
    std::signal(SIGTERM, end_all);
    if (!request.authorization.empty())
        follow_redirects(request);
    const std::string what = request.reference.empty() ? "HEAD" : request.reference;
    static_cast<void>(git(request, {"init", "-q"}));
    static_cast<void>(git(
        request, {"fetch", "-q", "--depth=1", "--no-recurse-submodules", "--", request.url, what}));
    static_cast<void>(git(request, {"checkout", "-q", "FETCH_HEAD"}));
    if (request.submodules)
        fetch_submodules(request);
    std::string commit = git(request, {"rev-parse", "HEAD"});
    if (!request.keep_git_dir)
        sys::remove_tree(sys::open_directory(place), ".git");
    return commit;
}

}  // namespace stack::fetch
