#include "engine/build/build.h"

#include <stack/error.h>

#include "base/text.h"
#include "model/source_digest.h"
#include "sys/file.h"
#include "sys/process.h"
#include "sys/socket_path.h"
#include "sys/tree.h"
#include "tests/build/workshop.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stack::build {
namespace {

class RealBuild : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(::geteuid(), 0U) << "these tests run as root"; }

    /// Builds and expects an image.
    void build(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        ASSERT_NE(result.image_id, "") << result.failure << shop.output();
    }

    /// Builds, expects no image, and returns why.
    std::string refusal(const std::string& dockerfile) {
        const auto result = shop.build(dockerfile);
        EXPECT_EQ(result.image_id, "");
        return replace_all(result.failure, shop.context() + "/", "");
    }

    BuildBed shop;
};

/// Stages that wait for one another: in a row they would do so for ever.
constexpr const char* two_that_meet = R"(
FROM busybox AS one
RUN --mount=type=cache,id=meet,target=/m touch /m/one; until [ -e /m/two ]; do sleep 0.1; done; echo 1 > /one
FROM busybox AS two
RUN --mount=type=cache,id=meet,target=/m touch /m/two; until [ -e /m/one ]; do sleep 0.1; done; echo 2 > /two
FROM busybox
COPY --from=one /one .
COPY --from=two /two .
)";

TEST_F(RealBuild, BuildsStagesThatDoNotNeedOneAnotherAtOnce) {
    build(two_that_meet);
    EXPECT_EQ(shop.read("one"), "1\n");
    EXPECT_EQ(shop.read("two"), "2\n");
}

TEST_F(RealBuild, KillsTheStepsOfOtherStagesWhereOneFails) {
    const std::string why = refusal(
        "FROM busybox AS one\n"
        "RUN --mount=type=cache,id=fail,target=/m touch /m/one; while true; do sleep 1; done\n"
        "FROM busybox AS two\n"
        "RUN --mount=type=cache,id=fail,target=/m until [ -e /m/one ]; do sleep 0.1; done; exit 7\n"
        "FROM busybox\n"
        "COPY --from=one /one .\n"
        "COPY --from=two /two .\n");
    EXPECT_NE(why.find("Dockerfile:4:1"), std::string::npos) << why;
    EXPECT_NE(why.find("failed with status 7"), std::string::npos) << why;
}

TEST_F(RealBuild, DoesOnceWhatTwoStagesHaveInCommon) {
    shop.no_cache = true;
    build(
        "FROM busybox AS one\n"
        "RUN head -c 16 /dev/urandom > /random\n"
        "FROM busybox AS two\n"
        "RUN head -c 16 /dev/urandom > /random\n"
        "FROM busybox\n"
        "COPY --from=one /random one\n"
        "COPY --from=two /random two\n");
    EXPECT_EQ(shop.read("one"), shop.read("two"));
}

TEST_F(RealBuild, RunsCopiesAndDescribes) {
    shop.write("app.py", "print('hello')\n");
    build(
        "FROM busybox\n"
        "ARG WHO=world\n"
        "ENV GREETING=hello\n"
        "WORKDIR /srv/app\n"
        "COPY app.py .\n"
        "RUN echo \"$GREETING $WHO\" > said && pwd > where\n"
        "USER web\n"
        "EXPOSE 5000\n"
        "LABEL a=b\n"
        "CMD [\"sh\", \"-c\", \"cat said\"]\n");
    EXPECT_EQ(shop.read("srv/app/app.py"), "print('hello')\n");
    EXPECT_EQ(shop.read("srv/app/said"), "hello world\n");
    EXPECT_EQ(shop.read("srv/app/where"), "/srv/app\n");
    const auto config = shop.image().config;
    EXPECT_EQ(config.command, (Strings{"sh", "-c", "cat said"}));
    EXPECT_EQ(config.environment, (Strings{"PATH=/usr/local/bin:/usr/bin:/bin", "GREETING=hello"}));
    EXPECT_EQ(config.working_dir, "/srv/app");
    EXPECT_EQ(config.user, "web");
    EXPECT_EQ(config.exposed_ports, Strings{"5000/tcp"});
    EXPECT_EQ(config.labels, (StringMap{{"a", "b"}}));
    EXPECT_EQ(shop.image().layers.size(), 4U);
    const auto json = shop.image().config_json;
    EXPECT_NE(json.find("RUN |1 WHO=world /bin/sh -c echo"), std::string::npos) << json;
    EXPECT_NE(json.find("COPY app.py . # buildkit"), std::string::npos) << json;
}

TEST_F(RealBuild, DoesNothingTwiceAndOnlyWhatAChangedFileAsksFor) {
    shop.write("a", "1");
    shop.write("b", "1");
    const std::string file =
        "FROM busybox\nWORKDIR /w\nCOPY a .\nRUN cat a > x\nCOPY b .\nRUN cat b > y\n";
    build(file);
    const auto first = shop.image();
    build(file);
    EXPECT_EQ(shop.steps(),
              (Strings{"Done FROM busybox",
                       "CACHED WORKDIR /w",
                       "CACHED COPY a .",
                       "CACHED RUN cat a > x",
                       "CACHED COPY b .",
                       "CACHED RUN cat b > y"}));
    EXPECT_EQ(shop.image().id, first.id);
    shop.write("b", "2");
    build(file);
    EXPECT_EQ(shop.steps(),
              (Strings{"Done FROM busybox",
                       "CACHED WORKDIR /w",
                       "CACHED COPY a .",
                       "CACHED RUN cat a > x",
                       "Done COPY b .",
                       "Done RUN cat b > y"}));
    EXPECT_EQ(shop.read("w/y"), "2");
    shop.no_cache = true;
    build(file);
    EXPECT_EQ(shop.steps()[1], "Done WORKDIR /w");
}

TEST_F(RealBuild, RunsTheStagesAgainThatItIsToldTo) {
    const std::string file =
        "FROM busybox AS one\nRUN echo 1 > /a\nFROM busybox AS two\n"
        "COPY --from=one /a /a\nRUN echo 2 > /b\n";
    build(file);
    shop.options.no_cache_filter = {"one"};
    build(file);
    const auto steps = shop.steps();
    EXPECT_NE(std::find(steps.begin(), steps.end(), "Done RUN echo 1 > /a"), steps.end());
    EXPECT_NE(std::find(steps.begin(), steps.end(), "CACHED RUN echo 2 > /b"), steps.end());
}

TEST_F(RealBuild, SaysInTheManifestWhatItIsToldTo) {
    const std::string file = "FROM busybox\nLABEL a=b\n";
    build(file);
    const auto plain = shop.image();
    shop.annotations = {{"org.example", "x"}};
    build(file);
    const auto said = shop.image();
    EXPECT_EQ(said.id, plain.id);
    EXPECT_NE(said.manifest_digest, plain.manifest_digest);
    EXPECT_NE(said.manifest.find(R"("annotations":{"org.example":"x"})"), std::string::npos)
        << said.manifest;
    image::Store store(shop.paths);
    store.tag(said.id, "app");  // as a push does
    store.tag(said.manifest_digest, "other");
    for (const auto* name : {"app", "other"})
        EXPECT_EQ(shop.image(name).manifest_digest, said.manifest_digest) << name;
    build(file);
    EXPECT_EQ(shop.image().manifest_digest, said.manifest_digest);
    shop.annotations.clear();
    build(file);
    EXPECT_EQ(shop.image().manifest_digest, plain.manifest_digest);
}

TEST_F(RealBuild, IgnoresTimesAndWhatDockerignoreExcludes) {
    shop.write("keep/a", "1");
    shop.write("skip/b", "1");
    shop.write(".dockerignore", "skip\nDockerfile\n.dockerignore\n");
    build("FROM busybox\nCOPY . /w/\n");
    EXPECT_EQ(shop.read("w/keep/a"), "1");
    EXPECT_EQ(shop.attributes("w/skip"), "");
    EXPECT_EQ(shop.attributes("w/Dockerfile"), "");
    shop.write("skip/b", "2");
    shop.write("keep/a", "1");
    build("FROM busybox\nCOPY . /w/\n");
    EXPECT_EQ(shop.steps()[1], "CACHED COPY . /w/");
    EXPECT_NE(refusal("FROM busybox\nCOPY skip /w/\n")
                  .find("Dockerfile:2:1: error: `skip` is not in the build context"),
              std::string::npos);
}

TEST_F(RealBuild, TakesFromStagesThatTheTargetNeeds) {
    build(
        "FROM busybox AS base\nRUN echo base > /base\n"
        "FROM busybox AS unused\nRUN false\n"
        "FROM base AS builder\nRUN echo built > /out && chown web:staff /out\n"
        "FROM busybox\nCOPY --from=builder /out /base /d/\nCOPY --from=0 /base /zero\n");
    EXPECT_EQ(shop.read("d/out"), "built\n");
    EXPECT_EQ(shop.read("d/base"), "base\n");
    EXPECT_EQ(shop.read("zero"), "base\n");
    EXPECT_EQ(shop.attributes("d/out"), "0644 500:601");
    shop.options.target = "base";
    build("FROM busybox AS base\nRUN echo base > /base\nFROM busybox\nRUN false\n");
    EXPECT_EQ(shop.read("base"), "base\n");
}

TEST_F(RealBuild, PassesArgumentsDownTheirScopes) {
    shop.options.args = {{"GIVEN", "given"}, {"FROM_ENV", std::nullopt}, {"http_proxy", "p"}};
    shop.environment = {{"FROM_ENV", "env"}};
    build(
        "ARG TAG=latest\nARG GLOBAL=g\nFROM busybox:${TAG}\n"
        "RUN echo \"[$GLOBAL]\" > /undeclared\n"
        "ARG GLOBAL\nARG GIVEN=default\nARG FROM_ENV\nARG UNSET\nARG TARGETARCH\n"
        "ENV E=${GIVEN}-${UNSET:-none}\n"
        "RUN echo \"$GLOBAL $GIVEN $FROM_ENV $E $TARGETARCH $http_proxy\" > /declared\n");
    EXPECT_EQ(shop.read("undeclared"), "[]\n");
    EXPECT_EQ(shop.read("declared"), "g given env given-none amd64 p\n");
    EXPECT_EQ(shop.image().config.environment.back(), "E=given-none");
}

TEST_F(RealBuild, RunsHeredocs) {
    build(
        "FROM busybox\n"
        "RUN <<EOF\necho one > /one\necho two > /two\nEOF\n"
        "RUN <<'EOF'\n#!/bin/cat\nthe script itself\nEOF\n"
        "RUN cat <<A > /a && cat <<-B > /b\nin a\nA\n\tin b\n\tB\n"
        "ENV NAME=n\n"
        "COPY <<c.txt <<'d.txt' /files/\n$NAME\nc.txt\n$NAME\nd.txt\n");
    EXPECT_EQ(shop.read("one"), "one\n");
    EXPECT_EQ(shop.read("two"), "two\n");
    EXPECT_NE(shop.output().find("the script itself"), std::string::npos);
    EXPECT_EQ(shop.read("a"), "in a\n");
    EXPECT_EQ(shop.read("b"), "in b\n");
    EXPECT_EQ(shop.read("files/c.txt"), "n\n");
    EXPECT_EQ(shop.read("files/d.txt"), "$NAME\n");
}

TEST_F(RealBuild, MountsCachesBindsAndSecretsForAStepOnly) {
    shop.write("src/data", "data");
    shop.options.secrets = {{"TOKEN", "token"}};
    shop.environment = {{"TOKEN", "canary-secret"}};
    build(
        "FROM busybox\n"
        "RUN --mount=type=cache,target=/cache echo 1 >> /cache/count\n"
        "RUN --mount=type=cache,target=/cache echo 2 >> /cache/count && cp /cache/count /count\n"
        "RUN --mount=target=/in,source=src,rw cat /in/data > /read && echo changed > /in/data\n"
        "RUN --mount=type=secret,id=token cat /run/secrets/token | wc -c > /secret-size\n"
        "RUN --mount=type=secret,id=token,env=T test \"${T#canary}\" = -secret\n"
        "RUN --mount=type=tmpfs,target=/scratch touch /scratch/x\n");
    EXPECT_EQ(shop.read("count"), "1\n2\n");
    EXPECT_EQ(shop.read("read"), "data");
    EXPECT_EQ(*sys::read_file(shop.context() + "/src/data"), "data");
    EXPECT_EQ(shop.read("secret-size"), "13\n");
    for (const auto* path : {"cache", "in", "run", "scratch", "etc/hosts", "etc/resolv.conf"})
        EXPECT_EQ(shop.attributes(path), "") << path;
    EXPECT_EQ(shop.image().config_json.find("canary-secret"), std::string::npos);
    EXPECT_NE(refusal("FROM busybox\nRUN --mount=type=secret,id=other,required true\n")
                  .find("the secret `other` is required"),
              std::string::npos);
}

TEST_F(RealBuild, ReportsAFailingStepWithItsOutput) {
    const auto result = shop.build("FROM busybox\nRUN echo before; \\\n  exit 3\n");
    EXPECT_EQ(result.image_id, "");
    const std::string why = replace_all(result.failure, shop.context() + "/", "");
    EXPECT_NE(why.find("Dockerfile:2:1: error: `RUN echo before;   exit 3` failed with status 3\n"
                       "    2 | RUN echo before; \\\n      | ^^^\n"),
              std::string::npos)
        << why;
    EXPECT_NE(why.find("Its last output:\nbefore\n"), std::string::npos) << why;
}

TEST_F(RealBuild, CopiesAsTheReferenceSays) {
    shop.write("dir/a", "a");
    shop.write("dir/sub/b", "b", 0755);
    shop.write("one.txt", "1");
    shop.write("two.txt", "2");
    build(
        "FROM busybox\n"
        "WORKDIR /w\n"
        "COPY dir /contents\n"
        "COPY one.txt renamed\n"
        "COPY one.txt into/\n"
        "COPY one.txt /tmp\n"
        "COPY *.txt /wild/\n"
        "COPY --chown=web:staff --chmod=0640 one.txt /owned\n"
        "COPY --chown=web one.txt /made/here/\n"
        "COPY --chmod=u=rwX,go= dir /modes\n"
        "COPY --exclude=sub dir /without\n"
        "COPY --parents dir/./sub/b dir/a /kept/\n"
        "COPY --parents **/*.txt /all/\n"
        "COPY --link one.txt /linked/\n");
    EXPECT_EQ(shop.read("contents/sub/b"), "b");
    EXPECT_EQ(shop.attributes("contents/sub/b"), "0755 0:0");
    EXPECT_EQ(shop.read("w/renamed"), "1");
    EXPECT_EQ(shop.read("w/into/one.txt"), "1");
    EXPECT_EQ(shop.read("tmp/one.txt"), "1");
    EXPECT_EQ(shop.read("wild/two.txt"), "2");
    EXPECT_EQ(shop.attributes("owned"), "0640 500:601");
    EXPECT_EQ(shop.attributes("made/here"), "0755 500:600");
    EXPECT_EQ(shop.attributes("modes/a"), "0600 0:0");
    EXPECT_EQ(shop.attributes("modes/sub"), "0700 0:0");
    EXPECT_EQ(shop.attributes("without/sub"), "");
    EXPECT_EQ(shop.read("without/a"), "a");
    EXPECT_EQ(shop.read("kept/sub/b"), "b");
    EXPECT_EQ(shop.read("kept/dir/a"), "a");
    EXPECT_EQ(shop.read("all/two.txt"), "2");
    EXPECT_EQ(shop.attributes("all/dir"), "");
    EXPECT_EQ(shop.read("linked/one.txt"), "1");
}

TEST_F(RealBuild, CopiesWhatIsInADirectoryAndNotThatItself) {
    shop.write("closed/a", "a", 0600);
    ASSERT_EQ(::chmod((shop.context() + "/closed").c_str(), 0700), 0);
    build(
        "FROM busybox AS made\n"
        "RUN mkdir -m 700 /in && touch /in/a && chown 7:8 /in /in/a\n"
        "FROM busybox\n"
        "COPY closed /one\n"
        "COPY --chown=web --chmod=711 closed /two\n"
        "COPY --from=made /in /three\n"
        "COPY --from=made / /four\n");
    EXPECT_EQ(shop.attributes("one"), "0755 0:0");
    EXPECT_EQ(shop.attributes("one/a"), "0600 0:0");
    EXPECT_EQ(shop.attributes("two"), "0755 500:600");
    EXPECT_EQ(shop.attributes("two/a"), "0711 500:600");
    EXPECT_EQ(shop.attributes("three"), "0755 0:0");
    EXPECT_EQ(shop.attributes("three/a"), "0644 7:8");
    EXPECT_EQ(shop.attributes("four/in"), "0700 7:8");
}

TEST_F(RealBuild, LeavesOutAFileThatIsNamedAndExcluded) {
    for (const auto* name : {"home", "hom.txt", "homely.md"})
        shop.write(name, name);
    build(
        "FROM busybox\n"
        "COPY --exclude=*.txt hom* /wild/\n"
        "COPY --exclude=hom.txt --exclude=*.md hom.txt home homely.md /named/\n");
    EXPECT_EQ(shop.read("wild/home"), "home");
    EXPECT_EQ(shop.read("wild/homely.md"), "homely.md");
    EXPECT_EQ(shop.attributes("wild/hom.txt"), "");
    EXPECT_EQ(shop.read("named/home"), "home");
    EXPECT_EQ(shop.attributes("named/hom.txt"), "");
    EXPECT_EQ(shop.attributes("named/homely.md"), "");
}

TEST_F(RealBuild, CopiesMoreDirectoriesThanFilesCanBeOpen) {
    constexpr rlim_t few = 128;

    struct rlimit limit {};

    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (rlim_t i = 0; i < 2 * few; ++i)
        shop.write("d/" + std::to_string(i) + "/file", "");
    const timespec old{1000, 0};
    const std::array<timespec, 2> times{old, old};
    ASSERT_EQ(::utimensat(AT_FDCWD, (shop.context() + "/d/7").c_str(), times.data(), 0), 0);

    struct rlimit lower = limit;

    lower.rlim_cur = few;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &lower), 0);
    build("FROM busybox\nCOPY d /d\n");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_EQ(shop.read("d/255/file"), "");
    build("FROM busybox\nCOPY d /d\nRUN [ $(stat -c %Y /d/7) = 1000 ]\n");
}

TEST_F(RealBuild, RefusesWrongCopiesAtTheirLine) {
    shop.write("a", "a");
    EXPECT_NE(refusal("FROM busybox\nCOPY a b /c\n")
                  .find("Dockerfile:2:1: error: several sources need a directory"),
              std::string::npos);
    EXPECT_NE(refusal("FROM busybox\nCOPY --chown=nobody a /c\n")
                  .find("Dockerfile:2:1: error: there is no user `nobody`"),
              std::string::npos);
    EXPECT_NE(
        refusal("FROM busybox\nCOPY a /bin\nCOPY a /bin/a/b\n").find("Dockerfile:3:1: error:"),
        std::string::npos);
    EXPECT_NE(refusal("FROM busybox\nCOPY --chmod=z a /c\n")
                  .find("Dockerfile:2:1: error: `z` is not a mode"),
              std::string::npos);
}

TEST_F(RealBuild, LeadsNoLinkOutOfTheContextOrAStage) {
    shop.write("x", "x");
    ASSERT_EQ(::symlink("/etc/passwd", (shop.context() + "/absolute").c_str()), 0);
    ASSERT_EQ(::symlink("../../../../../../etc/passwd", (shop.context() + "/relative").c_str()), 0);
    ASSERT_EQ(::symlink("/etc", (shop.context() + "/directory").c_str()), 0);
    for (const auto* source : {"absolute", "relative", "directory/passwd", "../../../etc/passwd"})
        EXPECT_NE(refusal("FROM busybox\nCOPY " + std::string(source) + " /stolen\n")
                      .find("is not in the build context"),
                  std::string::npos)
            << source;
    const std::string outside = shop.root() + "/outside";
    sys::ensure_directory(outside);
    build("FROM busybox\nRUN ln -s " + outside + " /way-out && ln -s ../../../.." + outside +
          " /way\n"
          "COPY x /way-out/a\nCOPY x /way/b\n");
    EXPECT_TRUE(sys::list_directory(outside).empty());
    EXPECT_EQ(shop.read(outside.substr(1) + "/a"), "x");
}

TEST_F(RealBuild, LeavesOutWhatIsNoFile) {
    shop.write("x", "x");
    ASSERT_EQ(::symlink("loop", (shop.context() + "/loop").c_str()), 0);
    build("FROM busybox\nCOPY . /w/\n");
    EXPECT_EQ(shop.read("w/x"), "x");
}

TEST_F(RealBuild, RecordsRemovalsInALayer) {
    build(
        "FROM busybox\nRUN mkdir /d && echo 1 > /d/a && echo 2 > /d/b\nRUN rm /d/a\nRUN rm -r /d "
        "&& mkdir /d && echo 3 > /d/c\n");
    EXPECT_EQ(shop.attributes("d/a"), "");
    EXPECT_EQ(shop.attributes("d/b"), "");
    EXPECT_EQ(shop.read("d/c"), "3\n");
}

TEST_F(RealBuild, FailsByAWarningWhereTheDockerfileAsksForThat) {
    const auto refused = shop.build("# check=error=true\nFROM busybox\nCMD a\n");
    EXPECT_EQ(refused.image_id, "");
    ASSERT_EQ(refused.diagnostics.size(), 1U);
    EXPECT_EQ(refused.diagnostics[0].code, "JSONArgsRecommended");
    build("# check=error=true;skip=JSONArgsRecommended\nFROM busybox\nCMD a\n");
    shop.options.args["BUILDKIT_DOCKERFILE_CHECK"] = "skip=all";
    build("# check=error=true\nFROM busybox\nCMD a\n");
}

TEST_F(RealBuild, LimitsTheProcessesOfItsSteps) {
    shop.options.ulimits["nofile"] = {512, 1024};
    build("FROM busybox\nRUN ulimit -n > /soft; ulimit -Hn > /hard\n");
    EXPECT_EQ(shop.read("soft"), "512\n");
    EXPECT_EQ(shop.read("hard"), "1024\n");
}

TEST_F(RealBuild, RefusesSeveralPlatforms) {
    shop.options.platforms = {"linux/amd64", "linux/arm64"};
    EXPECT_THROW(static_cast<void>(shop.build("FROM busybox\n")), Error);
}

TEST_F(RealBuild, RefusesANameBeforeAnyStep) {
    shop.options.tags = {"Bad Name"};
    EXPECT_THROW(static_cast<void>(shop.build("FROM busybox\nRUN echo ran\n")), Error);
    EXPECT_EQ(shop.output().find("ran"), std::string::npos) << shop.output();
}

TEST_F(RealBuild, ForwardsAnAgentWhereAStepMountsIt) {
    const sys::Fd agent = sys::listen_at(sys::SocketPath(shop.root(), "agent"));
    shop.options.ssh = {"default", "other=" + shop.root() + "/agent"};
    shop.environment["SSH_AUTH_SOCK"] = shop.root() + "/agent";
    build(R"(
FROM busybox
RUN --mount=type=ssh,required,mode=0660,uid=1,gid=2 stat -c '%F %a %u:%g' $SSH_AUTH_SOCK > /default
RUN --mount=type=ssh,id=other,target=/run/agent [ -S /run/agent ] && echo $SSH_AUTH_SOCK > /other
RUN --mount=type=ssh,id=unknown echo none $SSH_AUTH_SOCK > /unknown
RUN [ ! -e /run/agent ] && echo gone > /gone
)");
    EXPECT_EQ(shop.read("default"), "socket 660 1:2\n");
    EXPECT_EQ(shop.read("other"), "/run/agent\n");
    EXPECT_EQ(shop.read("unknown"), "none\n");
    EXPECT_EQ(shop.read("gone"), "gone\n");
    const auto result = shop.build("FROM busybox\nRUN --mount=type=ssh,id=unknown,required true\n");
    ASSERT_EQ(result.diagnostics.size(), 1U);
    EXPECT_EQ(result.diagnostics[0].message, "the ssh agent `unknown` is required and not given");
}

TEST_F(RealBuild, AddsWhatIsPackedAndNoTarAsItIs) {
    shop.write("dump.sql", "select 1;\n");
    shop.write("tree/a", "a");
    const std::string context = shop.context();
    for (const auto& command : {"gzip -k dump.sql",
                                "bzip2 -k dump.sql",
                                "xz -k dump.sql",
                                "tar -C tree -cJf t.txz .",
                                "chmod 700 tree && tar --owner=7 --group=7 -C tree -cf own.tar ."})
        ASSERT_EQ(sys::run_and_capture(
                      "/bin/sh", {"sh", "-c", "cd '" + context + "' && " + std::string(command)})
                      .first,
                  0)
            << command;
    build(
        "FROM busybox\n"
        "ADD dump.sql.gz dump.sql.bz2 dump.sql.xz /in/\n"
        "ADD t.txz /tree/\n"
        "RUN mkdir -m 755 /there\n"
        "ADD --chown=5:6 own.tar /there\n");
    for (const auto* name : {"gz", "bz2", "xz"})
        EXPECT_EQ(shop.read("/in/dump.sql." + std::string(name)),
                  sys::read_file(context + "/dump.sql." + name));
    EXPECT_EQ(shop.read("/tree/a"), "a");
    EXPECT_EQ(shop.attributes("/there"), "0755 0:0") << "the archive's `.` is not it";
    EXPECT_EQ(shop.attributes("/there/a"), "0644 5:6");
}

TEST_F(RealBuild, CopiesOntoWhatIsThereAsOthersDo) {
    shop.write("app/data/file", "1");
    shop.write("default", "new");
    build(
        "FROM busybox\n"
        "RUN mkdir -p /app/data /sites /other && chmod 700 /app /app/data && "
        "echo old > /other/default && ln -s /other/default /sites/default\n"
        "COPY --chown=5:6 app /app\n"
        "COPY default /sites/\n");
    EXPECT_EQ(shop.attributes("/app"), "0700 0:0") << "the destination itself stays";
    EXPECT_EQ(shop.attributes("/app/data"), "0755 5:6");
    EXPECT_EQ(shop.read("/other/default"), "old\n");
    EXPECT_EQ(shop.read("/sites/default"), "new");
}

TEST_F(RealBuild, GetsTheHostsNetworkWhereItIsEntitledToIt) {
    const std::string dockerfile = "FROM busybox\nRUN --network=host true\n";
    EXPECT_EQ(shop.build(dockerfile).image_id, "");
    shop.options.entitlements = {"network.host"};
    build(dockerfile);
}

TEST_F(RealBuild, HeedsTheIgnoreFileOfAnAdditionalContext) {
    shop.write("more/kept", "1");
    shop.write("more/.env", "secret");
    shop.write("more/.dockerignore", ".env\n");
    shop.options.additional_contexts["more"] = shop.context() + "/more";
    build("FROM busybox\nCOPY --from=more . /more/\n");
    EXPECT_EQ(shop.read("/more/kept"), "1");
    EXPECT_EQ(shop.read("/more/.env"), std::nullopt);
}

TEST_F(RealBuild, PullsNoContextThatWasMadeHere) {
    shop.options.pull = true;
    shop.options.additional_contexts["other"] = "docker-image://busybox";
    build("FROM other\nRUN echo built > /seen\n");
    EXPECT_EQ(shop.read("seen"), "built\n");
}

TEST_F(RealBuild, StartsFromNothing) {
    shop.write("x", "x");
    build("FROM scratch\nCOPY x /x\nCMD [\"/x\"]\n");
    EXPECT_EQ(shop.read("x"), "x");
    EXPECT_EQ(shop.image().layers.size(), 1U);
}

TEST_F(RealBuild, RunsTheTriggersOfItsBase) {
    shop.write("x", "x");
    shop.options.tags = {"base"};
    build("FROM busybox\nONBUILD COPY x /x\nONBUILD RUN echo triggered > /y\n");
    EXPECT_EQ(shop.image().config.on_build.size(), 2U);
    shop.options.tags = {};
    build("FROM base\nRUN cat /x /y > /z\n");
    EXPECT_EQ(shop.read("z"), "xtriggered\n");
    EXPECT_TRUE(shop.image().config.on_build.empty());
}

TEST_F(RealBuild, BuildsTheStagesThatTriggersTakeFrom) {
    const std::string base = "FROM busybox AS base\nONBUILD COPY --from=made /made /taken\n";
    const std::string made_by = "FROM busybox AS made\nRUN echo made > /made\n";
    build(base + made_by + "FROM base\nRUN cat /taken > /seen\n");
    EXPECT_EQ(shop.read("seen"), "made\n");
    EXPECT_NE(refusal(base + "FROM base AS made\nFROM made\n")
                  .find("`made` is not another stage of this file"),
              std::string::npos);
    EXPECT_NE(refusal(base + "FROM base AS user\nFROM user AS made\nFROM user\n")
                  .find("the stage `user` needs itself"),
              std::string::npos);
}

TEST_F(RealBuild, UnpacksLocalArchivesWithAdd) {
    shop.write("tree/a", "in the archive");
    ASSERT_EQ(sys::run_and_capture(
                  "/bin/tar",
                  {"tar", "-C", shop.context() + "/tree", "-czf", shop.context() + "/t.tgz", "a"})
                  .first,
              0);
    build("FROM busybox\nADD t.tgz /in/\nADD --unpack=false t.tgz /as/\nCOPY t.tgz /c.tgz\n");
    EXPECT_EQ(shop.read("in/a"), "in the archive");
    EXPECT_NE(shop.attributes("as/t.tgz"), "");
    EXPECT_NE(shop.attributes("c.tgz"), "");
}

TEST_F(RealBuild, SourceDigestChangesWithWhatTheImageIsMadeFrom) {
    shop.write("a", "1");
    shop.write("b", "1");
    shop.write("Dockerfile", "FROM busybox\nCOPY a /a\n");
    const auto first = source_digest(shop.paths, shop.options);
    EXPECT_EQ(source_digest(shop.paths, shop.options), first);
    shop.write("b", "2");
    EXPECT_EQ(source_digest(shop.paths, shop.options), first);
    shop.write("a", "2");
    EXPECT_NE(source_digest(shop.paths, shop.options), first);
    shop.write("a", "1");
    EXPECT_EQ(source_digest(shop.paths, shop.options), first);
    shop.options.args["X"] = "1";
    EXPECT_NE(source_digest(shop.paths, shop.options), first);
    shop.options.args.clear();
    shop.options.platforms = {"linux/arm64"};
    EXPECT_NE(source_digest(shop.paths, shop.options), first);
}

TEST_F(RealBuild, SourceDigestOfWhatIsElsewhereSaysOnlyWhatIsAskedFor) {
    shop.options.context = "https://example.com/context.tar";
    const auto first = source_digest(shop.paths, shop.options);
    EXPECT_FALSE(model::tells_content(first));
    EXPECT_EQ(source_digest(shop.paths, shop.options), first);
    shop.options.platforms = {"linux/arm64"};
    const auto foreign = source_digest(shop.paths, shop.options);
    EXPECT_NE(foreign, first);
    shop.options.context += ".gz";
    EXPECT_NE(source_digest(shop.paths, shop.options), foreign);
}

TEST_F(RealBuild, SourceDigestChangesWithWhatIsTakenFromAnotherContext) {
    const std::string other = shop.root() + "/other";
    const auto write = [&](const std::string& name, const std::string& text) {
        sys::ensure_directory(other);
        sys::replace_file(other + "/" + name, text);
    };
    write("a", "1");
    write("b", "1");
    shop.options.additional_contexts["other"] = other;
    for (const auto* step : {"COPY --from=other a /a",
                             "RUN --mount=type=bind,from=other,source=a,target=/a true",
                             "RUN --mount=type=cache,from=other,source=a,target=/a true"}) {
        shop.write("Dockerfile", "FROM busybox\n" + std::string(step) + "\n");
        const auto first = source_digest(shop.paths, shop.options);
        write("b", "2");
        EXPECT_EQ(source_digest(shop.paths, shop.options), first) << step;
        write("a", "2");
        EXPECT_NE(source_digest(shop.paths, shop.options), first) << step;
        write("a", "1");
        EXPECT_EQ(source_digest(shop.paths, shop.options), first) << step;
    }
}

TEST_F(RealBuild, DoesAgainOnlyWhatAChangedFileOfAnotherContextAsksFor) {
    const std::string other = shop.root() + "/other";
    sys::ensure_directory(other);
    shop.options.additional_contexts["other"] = other;
    const std::string file =
        "FROM busybox\n"
        "COPY --from=other a /copied\n"
        "RUN --mount=from=other,source=b,target=/b cat /b > /mounted\n";
    const auto built = [&](const std::string& a, const std::string& b) {
        sys::replace_file(other + "/a", a);
        sys::replace_file(other + "/b", b);
        build(file);
        EXPECT_EQ(shop.read("copied"), a);
        EXPECT_EQ(shop.read("mounted"), b);
        return shop.steps();
    };
    const auto was_cached = [](const Strings& steps, const std::string& word) {
        return std::any_of(steps.begin(), steps.end(), [&](const std::string& step) {
            return step.starts_with("CACHED " + word);
        });
    };
    static_cast<void>(built("1", "1"));
    const Strings same = built("1", "1");
    EXPECT_TRUE(was_cached(same, "COPY") && was_cached(same, "RUN"));
    const Strings mounted = built("1", "2");
    EXPECT_TRUE(was_cached(mounted, "COPY") && !was_cached(mounted, "RUN"));
    const Strings copied = built("2", "2");
    EXPECT_TRUE(!was_cached(copied, "COPY") && !was_cached(copied, "RUN"));
    const Strings back = built("1", "1");
    EXPECT_TRUE(was_cached(back, "COPY") && was_cached(back, "RUN"));
}

TEST_F(RealBuild, GivesTheSameImageFromTheSameInputsWhereAnEpochIsSet) {
    shop.environment["SOURCE_DATE_EPOCH"] = "1700000000";
    shop.write("a", "1");
    const std::string file =
        "FROM busybox\nWORKDIR /w\nCOPY a .\nRUN mkdir d && echo 1 > d/b && ln -s b d/c\n";
    shop.no_cache = true;
    build(file);
    const std::string first = shop.image().id;
    shop.write("a", "1");
    build(file + "RUN stat -c %Y d d/b a . > /times\n");
    build(file);
    EXPECT_EQ(shop.image().id, first);
    EXPECT_NE(shop.image().config_json.find("2023-11-14T22:13:20Z"), std::string::npos);
    shop.environment["SOURCE_DATE_EPOCH"] = "yesterday";
    EXPECT_THROW(static_cast<void>(shop.build(file)), Error);
}

TEST_F(RealBuild, SaysAFailureOnceWithItsLineAndOutput) {
    const std::string why = refusal("FROM busybox\nRUN echo said && exit 3\n");
    EXPECT_NE(why.find("Dockerfile:2:1: error: `RUN echo said && exit 3` failed with status 3"),
              std::string::npos)
        << why;
    EXPECT_NE(why.find("    2 | RUN echo said && exit 3\n      | ^"), std::string::npos) << why;
    EXPECT_NE(why.find("Its last output:\nsaid\n"), std::string::npos) << why;
}

}  // namespace
}  // namespace stack::build
