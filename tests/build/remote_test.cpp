#include "engine/build/remote.h"

#include <stack/error.h>

#include "base/base64.h"
#include "base/text.h"
#include "engine/build/downloads.h"
#include "sys/file.h"
#include "sys/poll.h"
#include "sys/process.h"
#include "sys/terminal.h"
#include "tests/build/workshop.h"
#include "tests/support/web_server.h"

#include <csignal>
#include <map>

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

constexpr const char* hello_digest =
    "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

class RemoteBuild : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "these tests run as root"; }

    void build(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        ASSERT_NE(result.image_id, "") << result.failure << shop.output();
    }

    std::string refusal(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        EXPECT_EQ(result.image_id, "");
        return result.failure;
    }

    BuildBed shop;
};

std::string answer(const test::WebRequest& request) {
    const std::string date = "Wed, 21 Oct 2015 07:28:00 GMT";
    if (request.path == "/moved")
        return test::web_answer(302, "", {{"Location", "/files/hello"}});
    if (request.path != "/files/hello")
        return test::web_answer(404, "no");
    if (request.headers.contains("if-modified-since") &&
        request.headers.at("if-modified-since") == date)
        return test::web_answer(304, "");
    return test::web_answer(200, "hello", {{"Last-Modified", date}});
}

TEST_F(RemoteBuild, AddsAFileOfTheWebWithItsTime) {
    const test::WebServer server(answer);
    build("FROM busybox\nADD http://" + server.host() +
          "/files/hello /in/\nRUN stat -c %Y /in/hello > /time\n");
    EXPECT_EQ(shop.read("in/hello"), "hello");
    EXPECT_EQ(shop.attributes("in/hello"), "0600 0:0");
    EXPECT_EQ(shop.read("time"), "1445412480\n");
}

TEST_F(RemoteBuild, AsksOnlyForWhatIsNewer) {
    const test::WebServer server(answer);
    const std::string file =
        "FROM busybox\nADD --chmod=644 http://" + server.host() + "/moved /a\n";
    build(file);
    build(file);
    EXPECT_EQ(shop.steps().back().substr(0, 6), "CACHED");
    ASSERT_EQ(server.requests().size(), 4U);
    EXPECT_TRUE(server.requests().back().headers.contains("if-modified-since"));
}

TEST_F(RemoteBuild, KeepsAndForgetsDownloads) {
    const test::WebServer server(answer);
    const std::string url = "http://" + server.host() + "/files/hello";
    const Downloads downloads(shop.paths);
    const SourceFile file = downloads.fetch(url, "");
    EXPECT_EQ("sha256:" + file.digest, hello_digest);
    const std::string directory = shop.paths.state + "/build/downloads/";
    sys::replace_file(directory + file.path, "hellO");
    EXPECT_EQ("sha256:" + downloads.fetch(url, "").digest, hello_digest);  // damage is noticed
    EXPECT_FALSE(server.requests().back().headers.contains("if-modified-since"));
    EXPECT_EQ(downloads.forget(1000), 0);
    EXPECT_EQ(downloads.forget(0), 5);
    EXPECT_EQ(sys::list_directory(directory), Strings{});
}

TEST_F(RemoteBuild, ChecksADigestAndAsksNobodyForWhatHasIt) {
    std::string file;
    {
        const test::WebServer server(answer);
        file = "FROM busybox\nADD --checksum=" + std::string(hello_digest) + " http://" +
               server.host() + "/files/hello /a\n";
        build(file);
    }
    build(file);
    EXPECT_EQ(shop.read("a"), "hello");
}

TEST_F(RemoteBuild, RefusesAnotherDigestAndWhatIsNotThere) {
    const test::WebServer server(answer);
    build("FROM busybox\nADD http://" + server.host() + "/files/hello /a\n");  // kept from now on
    const std::string other = "sha256:" + std::string(64, '0');
    EXPECT_NE(refusal("FROM busybox\nADD --checksum=" + other + " http://" + server.host() +
                      "/files/hello /a\n")
                  .find(std::string("has the digest ") + hello_digest),
              std::string::npos);
    const std::string missing = refusal("FROM busybox\nADD http://" + server.host() + "/none /a\n");
    EXPECT_NE(missing.find("status 404"), std::string::npos) << missing;
    EXPECT_NE(missing.find("2:1"), std::string::npos) << missing;
}

TEST_F(RemoteBuild, NamesAFileOfTheWebThatHasNoName) {
    const test::WebServer server(
        [](const test::WebRequest&) { return test::web_answer(200, "hello"); });
    const std::string url = "http://" + server.host();
    build("FROM busybox\nADD " + url + "/ /in/\nADD " + url + "/d/?q=1 /in/\nADD " + url +
          "/ /plain\nRUN mkdir /there\nADD " + url + " /there\n");
    EXPECT_EQ(shop.read("in/__unnamed__"), "hello");
    EXPECT_EQ(shop.read("in/d"), "hello");
    EXPECT_EQ(shop.read("plain"), "hello");
    EXPECT_EQ(shop.read("there/__unnamed__"), "hello");
}

TEST(RemotePlaces, HaveTheNameOfTheirFile) {
    EXPECT_EQ(file_name_of("https://a.b/c/d.tar?x=/y#/z"), "d.tar");
    EXPECT_EQ(file_name_of("https://a.b/c%20d%2Fe"), "e");
    for (const auto* nameless : {"https://a.b",
                                 "https://a.b/",
                                 "https://a.b//",
                                 "https://a.b/..",
                                 "https://a.b/c/%2E",
                                 "https://a.b/c%00",
                                 "https://a.b/c%4",
                                 "https://a.b?c"})
        EXPECT_EQ(file_name_of(nameless), "__unnamed__") << nameless;
}

TEST(RemotePlaces, AreGitsOrFiles) {
    using Kind = RemotePlace::Kind;
    const auto place =
        [](Kind kind, const char* url, const char* reference = "", const char* directory = "") {
            return RemotePlace{kind, url, reference, directory};
        };
    EXPECT_EQ(parse_remote("https://a.b/c.git"), place(Kind::git, "https://a.b/c.git"));
    EXPECT_EQ(parse_remote("https://a.b/c.git#v1:sub/dir"),
              place(Kind::git, "https://a.b/c.git", "v1", "sub/dir"));
    EXPECT_EQ(parse_remote("https://a.b/c.git#:sub"),
              place(Kind::git, "https://a.b/c.git", "", "sub"));
    EXPECT_EQ(parse_remote("github.com/a/b#main"),
              place(Kind::git, "https://github.com/a/b", "main"));
    EXPECT_EQ(parse_remote("git://a.b/c"), place(Kind::git, "git://a.b/c"));
    EXPECT_EQ(parse_remote("https://a.b/c.tar.gz"), place(Kind::file, "https://a.b/c.tar.gz"));
    EXPECT_EQ(parse_remote("git@a.b:c#v1:d"), place(Kind::git, "git@a.b:c", "v1", "d"));
    EXPECT_EQ(parse_remote("ssh://me@a.b:22/c.git?branch=d"),
              place(Kind::git, "ssh://me@a.b:22/c.git", "refs/heads/d"));
    EXPECT_EQ(parse_remote("https://a.b/c.git?branch=v1&subdir=sub/dir"),
              place(Kind::git, "https://a.b/c.git", "refs/heads/v1", "sub/dir"));
    RemotePlace tag = place(Kind::git, "https://a.b/c.git", "refs/tags/v1");
    tag.commit = "12ab";
    tag.keep_git_dir = true;
    tag.submodules = false;
    EXPECT_EQ(parse_remote("https://a.b/c.git?tag=v1&commit=12ab&keep-git-dir=1&submodules=false"),
              tag);
    RemotePlace known = place(Kind::git, "https://a.b:1/c@d.git");
    known.credentials = "me:p@:w";
    EXPECT_EQ(parse_remote("https://me:p%40:w@a.b:1/c@d.git"), known);
    EXPECT_EQ(parse_remote("https://a.b/c.tar?branch=v1"),
              place(Kind::file, "https://a.b/c.tar?branch=v1"));
    for (const auto* wrong : {"https://a.b/c.git?depth=1",
                              "https://a.b/c.git?branch=a&tag=b",
                              "https://a.b/c.git?branch=a#b",
                              "https://a.b/c.git?subdir=a#:b",
                              "https://a.b/c.git?submodules=perhaps"})
        EXPECT_THROW(static_cast<void>(parse_remote(wrong)), Error) << wrong;
    EXPECT_FALSE(is_remote("./github.com/a"));
}

/// A repository with two commits, the second on the branch `next`, served by git itself.
class GitServer {
  public:
    explicit GitServer(const std::string& root) : root_(root + "/git") {
        sys::ensure_directory(root_ + "/r.git/sub");
        sys::ensure_directory(root_ + "/s.git");
        run("-C ../s.git init -q -b main && cd ../s.git && echo inner > inner && git add . && "
            "git commit -qm inner");
        run("init -q -b main && echo one > file && echo 'FROM busybox' > sub/Dockerfile && "
            "echo 'COPY . /sub' >> sub/Dockerfile && ln -s /etc sub/out && ln -s / up && "
            "git add . && git commit -qm one && git checkout -qb next && echo two > file && "
            "git commit -qam two && git checkout -q main && git checkout -qb joined && "
            "printf '[submodule \"m\"]\n\tpath = m\n\turl = ../s.git\n' > .gitmodules && "
            "git add .gitmodules && git update-index --add --cacheinfo "
            "160000,$(git -C ../s.git rev-parse HEAD),m && git commit -qm joined && "
            "git checkout -q main");
        sys::SpawnOptions options;
        options.arguments = {"git",
                             "-c",
                             "safe.directory=*",
                             "daemon",
                             "--export-all",
                             "--listen=127.0.0.1",
                             "--port=9418",
                             "--reuseaddr",
                             "--base-path=" + root_,
                             root_};
        daemon_ = sys::spawn("/usr/bin/git", options);
        for (int i = 0;
             i < 100 && ::system("bash -c 'exec 3<>/dev/tcp/127.0.0.1/9418' 2> /dev/null") != 0;
             ++i)
            sys::pause(std::chrono::milliseconds(20));
    }

    ~GitServer() {
        sys::send_signal(daemon_.pidfd, SIGTERM);
        static_cast<void>(sys::wait(daemon_));
    }

  private:
    void run(const std::string& words) const {
        const std::string command = "cd " + root_ +
                                    "/r.git && export HOME=/nonexistent "
                                    "GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
                                    "GIT_COMMITTER_EMAIL=a@b && git " +
                                    words;
        ASSERT_EQ(::system(command.c_str()), 0);
    }

    std::string root_;
    sys::Child daemon_;
};

constexpr const char* repository = "git://127.0.0.1/r.git";

TEST_F(RemoteBuild, AddsACommitOfARepository) {
    const GitServer server(shop.root());
    const std::string url = repository;
    build("FROM busybox\nADD " + url + " /r\nADD --keep-git-dir=true " + url + "#next /n\n");
    EXPECT_EQ(shop.read("r/file"), "one\n");
    EXPECT_EQ(shop.attributes("r/file"), "0644 0:0");
    EXPECT_EQ(shop.attributes("r/.git"), "");
    EXPECT_EQ(shop.read("n/file"), "two\n");
    EXPECT_NE(shop.attributes("n/.git"), "");
}

TEST_F(RemoteBuild, TakesWhatIsInASubmodule) {
    const GitServer server(shop.root());
    const std::string url = repository;
    build("FROM busybox\nADD " + url + "#joined /with\nADD " + url +
          "?branch=joined&submodules=0 /without\n");
    EXPECT_EQ(shop.read("with/m/inner"), "inner\n");
    EXPECT_EQ(shop.read("without/m/inner"), std::nullopt);
    EXPECT_EQ(shop.read("without/file"), "one\n");
}

/// In the place of ssh: it wants a key of the agent and of the host, and goes to git's daemon.
class SshOfTests {
  public:
    explicit SshOfTests(const std::string& root) {
        const std::string script = root + "/ssh";
        sys::replace_file(script,
                          "#!/bin/bash\n"
                          "ssh-add -l >&2 || exit 255\n"
                          "if ! grep -q known /mnt/known_hosts; then\n"
                          "    echo 'Host key verification failed.' >&2; exit 255\n"
                          "fi\n"
                          "exec 3<> /dev/tcp/127.0.0.1/9418\n"
                          "printf '0024git-upload-pack /r.git\\0host=a.b\\0' >&3\n"
                          "cat <&3 & cat >&3; wait\n",
                          0755);
        sys::check(::mount(script.c_str(), "/usr/bin/ssh", nullptr, MS_BIND, nullptr),
                   "replace ssh");
        ::setenv("HOME", root.c_str(), 1);
    }

    ~SshOfTests() {
        ::umount2("/usr/bin/ssh", MNT_DETACH);
        ::setenv("HOME", home_.c_str(), 1);
    }

    SshOfTests(const SshOfTests&) = delete;
    SshOfTests& operator=(const SshOfTests&) = delete;

  private:
    std::string home_ = sys::home_directory();
};

TEST_F(RemoteBuild, FetchesBySshWithTheBuildsAgent) {
    const GitServer server(shop.root());
    const SshOfTests ssh(shop.root());
    const std::string key = shop.root() + "/key";
    ASSERT_EQ(::system(("ssh-keygen -q -t ed25519 -N '' -f " + key).c_str()), 0);
    const std::string file = "FROM busybox\nADD git@a.b:r.git#next /r\n";
    EXPECT_NE(refusal(file).find("needs an ssh agent"), std::string::npos);
    shop.options.ssh = {"default=" + key + "2"};
    EXPECT_NE(refusal(file).find("where nothing is"), std::string::npos);
    shop.options.ssh = {"default=" + key};
    EXPECT_NE(refusal(file).find("ssh-keyscan"), std::string::npos);
    sys::ensure_directory(shop.root() + "/.ssh");
    sys::replace_file(shop.root() + "/.ssh/known_hosts", "a.b known", 0600);
    build(file);
    EXPECT_EQ(shop.read("r/file"), "two\n");
    shop.options.context = "ssh://git@a.b/r.git#main:sub";
    build("");
    EXPECT_NE(shop.attributes("sub/Dockerfile"), "");
}

TEST_F(RemoteBuild, RefusesAnotherCommitThanItsAddressNames) {
    const GitServer server(shop.root());
    shop.options.context = std::string(repository) + "?branch=next&commit=0123456789";
    EXPECT_THROW(static_cast<void>(shop.build("")), Error);
}

/// What git tells the server when it asks for a repository.
std::string told(const test::WebServer& server) {
    const auto requests = server.requests();
    if (requests.empty())
        return "nobody asked";
    const auto& headers = requests.front().headers;
    const auto header = headers.find("authorization");
    return header == headers.end() ? "" : header->second;
}

TEST_F(RemoteBuild, TellsTheServerOfARepositoryWhoAsks) {
    const auto told_with = [this](const std::string& id, const std::string& content) {
        const test::WebServer server(
            [](const test::WebRequest&) { return test::web_answer(404, ""); });
        shop.options.context = "http://" + server.host() + "/r.git";
        shop.options.secrets = {{"X", replace_all(id, "HOST", server.host()), content}};
        EXPECT_THROW(static_cast<void>(shop.build("")), Error);
        return told(server);
    };
    const std::string basic = "basic " + base64_encode("x-access-token:canary");
    EXPECT_EQ(told_with("GIT_AUTH_TOKEN", "canary\n"), basic);
    EXPECT_EQ(told_with("GIT_AUTH_TOKEN.HOST", "canary"), basic);
    EXPECT_EQ(told_with("GIT_AUTH_HEADER", "Bearer canary"), "Bearer canary");
    EXPECT_EQ(told_with("GIT_AUTH_TOKEN.other.host", "canary"), "");
    EXPECT_EQ(told_with("GIT_AUTH_HEADER", "a\r\nb: c"), "nobody asked");
}

TEST_F(RemoteBuild, KeepsCredentialsOutOfARepositorysAddress) {
    const test::WebServer server([](const test::WebRequest& request) {
        return request.path.starts_with("/old/")
                   ? test::web_answer(301, "", {{"Location", request.path.substr(4)}})
                   : test::web_answer(404, "");
    });
    const std::string why =
        refusal("FROM busybox\nADD http://me:can%40ary@" + server.host() + "/old/r.git /r\n");
    EXPECT_NE(why.find("http://" + server.host() + "/r.git cannot be fetched"), std::string::npos)
        << why;
    const auto requests = server.requests();
    EXPECT_EQ(requests.back().path, "/r.git/info/refs?service=git-upload-pack");
    for (const auto& request : requests)
        EXPECT_EQ(request.headers.at("authorization"), "basic " + base64_encode("me:can@ary"));
}

TEST_F(RemoteBuild, TellsNobodyElseWhoAsks) {
    const test::WebServer other([](const test::WebRequest&) { return test::web_answer(404, ""); });
    const test::WebServer server([&](const test::WebRequest& request) {
        return test::web_answer(302, "", {{"Location", "http://" + other.host() + request.path}});
    });
    shop.options.context = "http://" + server.host() + "/r.git";
    shop.options.secrets = {{"X", "GIT_AUTH_HEADER", "Bearer canary"}};
    EXPECT_THROW(static_cast<void>(shop.build("")), Error);
    EXPECT_EQ(told(server), "Bearer canary");
    EXPECT_EQ(told(other), "");
    for (const auto& request : other.requests())
        EXPECT_FALSE(request.headers.contains("authorization"));
}

TEST_F(RemoteBuild, TakesARepositorysDirectoryAsItsContext) {
    const GitServer server(shop.root());
    shop.options.context = std::string(repository) + "#next:sub";
    build("");
    EXPECT_NE(shop.attributes("sub/Dockerfile"), "");
    EXPECT_EQ(shop.read("sub/out/hostname"), std::nullopt);  // a link, not what it leads to here
}

TEST_F(RemoteBuild, RefusesADirectoryThatALinkLeadsTo) {
    const GitServer server(shop.root());
    for (const auto* directory : {"sub/out", "up/etc", "../r.git"}) {
        shop.options.context = std::string(repository) + "#main:" + directory;
        EXPECT_THROW(static_cast<void>(shop.build("")), Error) << directory;
    }
}

TEST_F(RemoteBuild, GivesGitNoOptionInThePlaceOfAReference) {
    const std::string marker = shop.root() + "/ran";
    for (const std::string& reference :
         {"--upload-pack=touch " + marker, std::string("-u"), std::string("a b")}) {
        shop.options.context = std::string(repository) + "#" + reference;
        EXPECT_THROW(static_cast<void>(shop.build("")), Error) << reference;
    }
    EXPECT_FALSE(sys::exists(marker));
}

TEST_F(RemoteBuild, SaysThatARepositoryCannotBeReached) {
    shop.options.context = "git://127.0.0.1:1/r.git";
    try {
        static_cast<void>(shop.build(""));
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("git://127.0.0.1:1/r.git cannot be fetched"),
                  std::string::npos)
            << error.what();
    }
}

TEST_F(RemoteBuild, TakesAnArchiveOrADockerfileOfTheWebAsItsContext) {
    shop.write("pack/Dockerfile", "FROM busybox\nCOPY a /a\n");
    shop.write("pack/a", "1");
    const std::string tar = shop.root() + "/c.tar.gz";
    ASSERT_EQ(::system(("tar -C " + shop.context() + "/pack -czf " + tar + " .").c_str()), 0);
    const std::string bytes = sys::read_file(tar).value();
    const test::WebServer server([&](const test::WebRequest& request) {
        return test::web_answer(200, request.path == "/c" ? bytes : "FROM busybox\nLABEL a=web\n");
    });
    shop.options.context = "http://" + server.host() + "/c";
    build("");
    EXPECT_EQ(shop.read("a"), "1");
    shop.options.context = "http://" + server.host() + "/file";
    build("");
    EXPECT_EQ(shop.image().config.labels, (StringMap{{"a", "web"}}));
}

}  // namespace
}  // namespace stack::build
