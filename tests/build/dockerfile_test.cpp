#include "engine/build/dockerfile.h"

#include "tests/build/describe.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace stack::build {
namespace {

using Table = std::vector<std::pair<std::string, std::string>>;

/// Instructions are parsed below a `FROM x`, which is left out of the expectation.
void expect_instructions(const Table& table) {
    for (const auto& [text, expected] : table) {
        const auto file = parse_dockerfile("FROM x\n" + text, "Dockerfile");
        const std::string described = describe(file);
        EXPECT_EQ(described, "FROM x\n" + expected) << text;
    }
}

/// Files as a whole, or their errors.
void expect_files(const Table& table) {
    for (const auto& [text, expected] : table)
        EXPECT_EQ(describe(parse_dockerfile(text, "Dockerfile")), expected) << text;
}

/// Errors of an instruction in line 2.
void expect_errors(const Table& table) {
    for (const auto& [text, expected] : table)
        EXPECT_EQ(describe(parse_dockerfile("FROM x\n" + text, "Dockerfile")), expected) << text;
}

TEST(Dockerfile, ReadsEveryFormOfFrom) {
    expect_files({
        {"FROM a", "FROM a"},
        {"from a", "FROM a"},
        {"FROM a:1@sha256:0", "FROM a:1@sha256:0"},
        {"FROM localhost:5000/a/b:c", "FROM localhost:5000/a/b:c"},
        {"FROM a AS b", "FROM a AS b"},
        {"FROM a as B-1_2.x", "FROM a AS b-1_2.x"},
        {"FROM --platform=linux/amd64 a AS b", "FROM --platform=linux/amd64 a AS b"},
        {"FROM --platform=$BUILDPLATFORM a", "FROM --platform=$BUILDPLATFORM a"},
        {"FROM ${A:-b}", "FROM ${A:-b}"},
        {"FROM scratch", "FROM scratch"},
        {"ARG A=1\nFROM a:$A", "ARG [A=1]\nFROM a:$A"},
        {"ARG A\nARG B=2 C\nFROM a", "ARG [A]\nARG [B=2|C]\nFROM a"},
        {"FROM a AS b\nFROM b", "FROM a AS b\nFROM b"},
        {"\n\n  FROM a  \n\n", "FROM a"},
        {"\xEF\xBB\xBF"
         "FROM a",
         "FROM a"},
        {"FROM a\r\nRUN b\r\n", "FROM a\nRUN shell [b]"},
    });
}

TEST(Dockerfile, RefusesAWrongFrom) {
    expect_files({
        {"", "0:0 the Dockerfile has no instructions"},
        {"# only a comment\n", "0:0 the Dockerfile has no instructions"},
        {"FROM", "1:1 FROM is `FROM image` or `FROM image AS name`"},
        {"FROM a b", "1:6 FROM is `FROM image` or `FROM image AS name`"},
        {"FROM a AS", "1:6 FROM is `FROM image` or `FROM image AS name`"},
        {"FROM a AS b c", "1:6 FROM is `FROM image` or `FROM image AS name`"},
        {"FROM a IS b", "1:6 FROM is `FROM image` or `FROM image AS name`"},
        {"FROM a AS 1b",
         "1:11 `1b` cannot be the name of a stage | a letter, then letters, digits, `-`, `_` and "
         "`.`"},
        {"FROM a AS b/c",
         "1:11 `b/c` cannot be the name of a stage | a letter, then letters, digits, `-`, `_` and "
         "`.`"},
        {"FROM --platfrom=x a", "1:6 FROM has no flag --platfrom | did you mean `--platform`?"},
        {"FROM --platform a", "1:6 the flag --platform needs a value"},
        {"RUN a", "1:1 no build stage yet: a Dockerfile begins with FROM"},
        {"RUN a\nRUN b\nFROM c", "1:1 no build stage yet: a Dockerfile begins with FROM"},
        {"ARG a", "0:0 the Dockerfile has no build stage: it needs a FROM"},
        {"FORM a", "1:1 unknown instruction `FORM` | did you mean `FROM`?"},
    });
}

TEST(Dockerfile, JoinsContinuedLines) {
    expect_instructions({
        {"RUN a \\\n  b", "RUN shell [a   b]"},
        {"RUN a\\\nb", "RUN shell [ab]"},
        {"RUN a \\  \t\n  b", "RUN shell [a   b]"},
        {"RUN a && \\\n# a comment\n  b", "RUN shell [a &&   b]"},
        {"RUN a && \\\n   # a comment\n  b", "RUN shell [a &&   b]"},
        {"RUN a \\\n\n  b", "RUN shell [a   b]"},
        {"RUN a \\\\\nRUN b", "RUN shell [a \\\\]\nRUN shell [b]"},
        {"RUN a \\\n", "RUN shell [a]"},
        {"RUN \\\n a", "RUN shell [a]"},
        {"R\\\nUN a", "RUN shell [a]"},
        {"RUN a # not a comment", "RUN shell [a # not a comment]"},
        {"# a comment\nRUN a", "RUN shell [a]"},
        {"   # a comment\nRUN a", "RUN shell [a]"},
        {"ENV a=1 \\\n    b=2 \\\n    c=3", "ENV [a=1|b=2|c=3]"},
        {"\\\nRUN a", "RUN shell [a]"},
    });
}

TEST(Dockerfile, HonoursDirectivesAtTheTop) {
    expect_files({
        {"# syntax=docker/dockerfile:1\nFROM a", "FROM a"},
        {"#syntax = docker/dockerfile:1.4\n# escape=`\nFROM a\nRUN b `\n c",
         "FROM a\nRUN shell [b  c]"},
        {"# escape=`\nFROM a\nCOPY b c:\\", "FROM a\nCOPY [b] c:\\"},
        {"# ESCAPE = `\nFROM a\nRUN b `\n c", "FROM a\nRUN shell [b  c]"},
        {"# check=skip=JSONArgsRecommended;error=true\nFROM a", "FROM a"},
        {"# a comment\n# escape=`\nFROM a\nRUN b \\\n c", "FROM a\nRUN shell [b  c]"},
        {"\n# escape=`\nFROM a\nRUN b \\\n c", "FROM a\nRUN shell [b  c]"},
        {"# unknown=1\n# escape=`\nFROM a\nRUN b \\\n c", "FROM a\nRUN shell [b  c]"},
        {"#!/usr/bin/env x\n# escape=`\nFROM a\nRUN b `\n c", "FROM a\nRUN shell [b  c]"},
        {"# escape=x\nFROM a", "1:1 the escape character is \\ or `, not x"},
        {"# escape=`\n# escape=\\\nFROM a", "2:1 the directive `escape` is given twice"},
        {"FROM a\n# escape=`\nRUN b \\\n c", "FROM a\nRUN shell [b  c]"},
    });
}

TEST(Dockerfile, ReadsHeredocs) {
    expect_instructions({
        {"RUN <<EOF\na\nb\nEOF", "RUN shell [<<EOF] <EOF:a$b$>"},
        {"RUN <<'EOF'\n$a\nEOF\nRUN b", "RUN shell [<<'EOF'] <EOF raw:$a$>\nRUN shell [b]"},
        {"RUN <<\"EOF\"\n$a\nEOF", "RUN shell [<<\"EOF\"] <EOF raw:$a$>"},
        {"RUN <<E\"O\"F\n$a\nEOF", "RUN shell [<<E\"O\"F] <EOF raw:$a$>"},
        {"RUN <<-EOF\n\ta\n\t\tb\n\tEOF", "RUN shell [<<-EOF] <EOF:a$b$>"},
        {"RUN <<EOF\n\ta\nEOF", "RUN shell [<<EOF] <EOF:\ta$>"},
        {"RUN 3<<EOF cat /dev/fd/3\na\nEOF", "RUN shell [3<<EOF cat /dev/fd/3] <EOF:a$>"},
        {"RUN cat <<A <<B\na\nA\nb\nB", "RUN shell [cat <<A <<B] <A:a$> <B:b$>"},
        {"RUN cat <<EOF > /x\na\nEOF", "RUN shell [cat <<EOF > /x] <EOF:a$>"},
        {"RUN <<EOF\n# not a comment\n\nEOF", "RUN shell [<<EOF] <EOF:# not a comment$$>"},
        {"RUN <<EOF\na \\\nb\nEOF", "RUN shell [<<EOF] <EOF:a \\$b$>"},
        {"RUN <<EOF\n EOF\nEOF", "RUN shell [<<EOF] <EOF: EOF$>"},
        {"RUN <<EOF\nEOF", "RUN shell [<<EOF] <EOF:>"},
        {"RUN --mount=type=tmpfs,target=/t <<EOF\na\nEOF",
         "RUN --mount=type=tmpfs,target=/t shell [<<EOF] <EOF:a$>"},
        {"RUN echo '<<EOF'", "RUN shell [echo '<<EOF']"},
        {"RUN cat <<<word", "RUN shell [cat <<<word]"},
        {"RUN echo $((1<<2))", "RUN shell [echo $((1<<2))]"},
        {"RUN echo 1 << 2", "RUN shell [echo 1 << 2]"},
        {"RUN [\"cat\", \"<<EOF\"]", "RUN exec [cat|<<EOF]"},
        {"CMD cat <<EOF", "CMD shell [cat <<EOF]"},
        {"COPY <<EOF /a\nb\nEOF", "COPY [] /a <EOF:b$>"},
        {"COPY <<a.txt <<'b.txt' c /d/\n1\na.txt\n2\nb.txt",
         "COPY [c] /d/ <a.txt:1$> <b.txt raw:2$>"},
        {"ADD --chmod=755 <<run.sh /\n#!/bin/sh\nrun.sh",
         "ADD --chmod=755 [] / <run.sh:#!/bin/sh$>"},
        {"ONBUILD RUN <<EOF\na\nEOF", "ONBUILD RUN <<EOF$a$EOF"},
    });
    expect_errors({
        {"RUN <<EOF\na\n",
         "2:1 the heredoc `EOF` does not end | a line with nothing but EOF ends it"},
        {"RUN <<A <<B\nA\n",
         "2:1 the heredoc `B` does not end | a line with nothing but B ends it"},
        {"COPY a <<EOF\nEOF", "2:6 a heredoc cannot be the destination of COPY"},
    });
}

TEST(Dockerfile, ReadsRun) {
    expect_instructions({
        {"RUN a b", "RUN shell [a b]"},
        {"run a", "RUN shell [a]"},
        {"RUN   a   b  ", "RUN shell [a   b]"},
        {"RUN\ta", "RUN shell [a]"},
        {"RUN [\"a\", \"b c\"]", "RUN exec [a|b c]"},
        {"RUN [ \"a\" , \"\\\"b\\\"\" ]", "RUN exec [a|\"b\"]"},
        {"RUN ['a', 'b']", "RUN shell [['a', 'b']]"},
        {"RUN [\"a\", \"b\"", "RUN shell [[\"a\", \"b\"]"},
        {"RUN [\"a\"] b", "RUN shell [[\"a\"] b]"},
        {"RUN [ -d /x ]", "RUN shell [[ -d /x ]]"},
        {"RUN --network=none a", "RUN --network=none shell [a]"},
        {"RUN --network=host a", "RUN --network=host shell [a]"},
        {"RUN --network=default a", "RUN shell [a]"},
        {"RUN --security=sandbox a", "RUN shell [a]"},
        {"RUN -- --a", "RUN shell [--a]"},
        {"RUN --mount=type=cache,target=/a --mount=target=/b,source=b make",
         "RUN --mount=type=cache,target=/a --mount=target=/b,source=b shell [make]"},
        {"RUN --mount=type=bind,from=b,source=/x,target=/y,rw a",
         "RUN --mount=type=bind,from=b,source=/x,target=/y,rw shell [a]"},
        {"RUN --mount=type=secret,id=a,required=true,mode=0440,uid=1 a",
         "RUN --mount=type=secret,id=a,required=true,mode=0440,uid=1 shell [a]"},
        {"RUN --mount=type=secret,id=a,env=A a", "RUN --mount=type=secret,id=a,env=A shell [a]"},
        {"RUN --mount=type=ssh a", "RUN --mount=type=ssh shell [a]"},
        {"RUN --mount=type=tmpfs,target=/t,size=64m a",
         "RUN --mount=type=tmpfs,target=/t,size=64m shell [a]"},
        {"RUN --mount=type=cache,id=$X,target=${Y},uid=$Z a",
         "RUN --mount=type=cache,id=$X,target=${Y},uid=$Z shell [a]"},
    });
    expect_errors({
        {"RUN", "2:1 RUN needs a command"},
        {"RUN []", "2:1 RUN needs a command"},
        {"RUN [\"a\", 1]", "2:5 the JSON form of RUN holds strings and nothing else"},
        {"RUN --network=bridge a", "2:5 --network is default, none or host, not `bridge`"},
        {"RUN --security=insecure a",
         "2:5 a step cannot run without isolation: --security is `sandbox`"},
        {"RUN --mont=type=cache a", "2:5 RUN has no flag --mont | did you mean `--mount`?"},
        {"RUN --device=x a", "2:5 RUN has no flag --device"},
        {"RUN --network=none --network=host a", "2:20 the flag --network is given twice"},
        {"RUN --mount=type=cahce,target=/a b",
         "2:5 unknown mount type `cahce`, did you mean `cache`?"},
        {"RUN --mount=tagret=/a b", "2:5 unknown mount option `tagret`, did you mean `target`?"},
        {"RUN --mount=type=cache b", "2:5 a mount needs a `target`"},
        {"RUN --mount=target=/ b", "2:5 a mount cannot replace the root directory"},
        {"RUN --mount=target b", "2:5 `target` is not of the form key=value"},
        {"RUN --mount=type=secret b", "2:5 a secret mount needs an `id`"},
        {"RUN --mount=type=secret,id=a,from=b b", "2:5 a secret mount has no `from`"},
        {"RUN --mount=type=secret,id=a,source=b b",
         "2:5 `source` and `id` of a secret are the same thing: give one"},
        {"RUN --mount=target=/a,sharing=locked b", "2:5 `sharing` is for cache mounts"},
        {"RUN --mount=type=cache,target=/a,sharing=none b",
         "2:5 `sharing` is shared, private or locked, not `none`"},
        {"RUN --mount=target=/a,mode=0755 b",
         "2:5 `mode`, `uid` and `gid` are for cache, secret and ssh mounts"},
        {"RUN --mount=type=cache,target=/a,mode=9 b", "2:5 `mode` is an octal number, not `9`"},
        {"RUN --mount=type=cache,target=/a,uid=x b", "2:5 `uid` is a number, not `x`"},
        {"RUN --mount=type=cache,target=/a,size=1 b", "2:5 `size` is for tmpfs mounts"},
        {"RUN --mount=type=tmpfs,target=/a,size=x b", "2:5 `size` is a number of bytes, not `x`"},
        {"RUN --mount=target=/a,ro=x b", "2:5 `ro` is true or false, not `x`"},
        {"RUN --mount=target=/a,required b", "2:5 `required` is for secret and ssh mounts"},
        {"RUN --mount=from=$A,target=/a b",
         "2:5 `from` of a mount takes no variables | name a stage: FROM ${…} AS name, then "
         "from=name"},
    });
}

TEST(Dockerfile, ReadsCopyAndAdd) {
    expect_instructions({
        {"COPY a b", "COPY [a] b"},
        {"COPY a b c/", "COPY [a|b] c/"},
        {"COPY . .", "COPY [.] ."},
        {"COPY [\"a b\", \"c d\"]", "COPY [a b] c d"},
        {"COPY \"a b\" c", "COPY [\"a|b\"] c"},
        {"COPY --from=b /a /c", "COPY --from=b [/a] /c"},
        {"COPY --from=0 /a /c", "COPY --from=0 [/a] /c"},
        {"COPY --from=nginx:1 /a /c", "COPY --from=nginx:1 [/a] /c"},
        {"COPY --chown=1:2 --chmod=0755 a b", "COPY --chown=1:2 --chmod=0755 [a] b"},
        {"COPY --chown=$U --chmod=u=rwX,go=rX a b", "COPY --chown=$U --chmod=u=rwX,go=rX [a] b"},
        {"COPY --link a b", "COPY --link [a] b"},
        {"COPY --link=false a b", "COPY [a] b"},
        {"COPY --link=TRUE a b", "COPY --link [a] b"},
        {"COPY --parents a/./b c/", "COPY --parents [a/./b] c/"},
        {"COPY --exclude=*.md --exclude=x a b", "COPY --exclude=*.md --exclude=x [a] b"},
        {"COPY --chown=\"a b\" c d", "COPY --chown=a b [c] d"},
        {"COPY -- --a b", "COPY [--a] b"},
        {"COPY *.txt /d/", "COPY [*.txt] /d/"},
        {"ADD a b", "ADD [a] b"},
        {"ADD https://x/y.tgz /d/", "ADD [https://x/y.tgz] /d/"},
        {"ADD --checksum=sha256:0 https://x/y /d", "ADD --checksum=sha256:0 [https://x/y] /d"},
        {"ADD --keep-git-dir=true https://x/y.git /d", "ADD --keep-git-dir [https://x/y.git] /d"},
        {"ADD --unpack=false a.tar /d", "ADD --unpack=false [a.tar] /d"},
        {"ADD --unpack https://x/y.tar /d", "ADD --unpack [https://x/y.tar] /d"},
        {"ADD [\"a\", \"b\"]", "ADD [a] b"},
    });
    expect_errors({
        {"COPY", "2:1 COPY needs a source and a destination"},
        {"COPY a", "2:6 COPY needs a source and a destination"},
        {"COPY [\"a\"]", "2:6 COPY needs a source and a destination"},
        {"COPY [\"a\", 1]", "2:6 the JSON form of COPY holds strings and nothing else"},
        {"COPY --form=a b c", "2:6 COPY has no flag --form | did you mean `--from`?"},
        {"COPY --form=a b", "2:6 COPY has no flag --form | did you mean `--from`?"},
        {"COPY --checksum=x a b", "2:6 COPY has no flag --checksum"},
        {"COPY --keep-git-dir a b", "2:6 COPY has no flag --keep-git-dir"},
        {"COPY --link=maybe a b", "2:6 --link is true or false, not `maybe`"},
        {"COPY --chown a b", "2:6 the flag --chown needs a value"},
        {"COPY --from=a --from=b c d", "2:15 the flag --from is given twice"},
        {"COPY --from=$A b c",
         "2:6 --from takes no variables | name a stage: FROM ${…} AS name, then --from=name"},
        {"COPY https://x/y /z", "2:6 COPY takes no URL | use ADD"},
        {"ADD --from=x a b", "2:5 ADD has no flag --from"},
        {"ADD --checksum=x a b", "2:5 --checksum is for exactly one remote source"},
    });
}

TEST(Dockerfile, ReadsNamesAndValues) {
    expect_instructions({
        {"ENV a=b", "ENV [a=b]"},
        {"ENV a=b c=d", "ENV [a=b|c=d]"},
        {"ENV a=", "ENV [a=]"},
        {"ENV a=\"b c\" d='e f'", "ENV [a=\"b c\"|d='e f']"},
        {"ENV a=b\\ c d=e", "ENV [a=b\\ c|d=e]"},
        {"ENV a=$b c=${d:-e}", "ENV [a=$b|c=${d:-e}]"},
        {"ENV a b", "ENV [a=b]"},
        {"ENV a   b c  d", "ENV [a=b c  d]"},
        {"ENV a b=c", "ENV [a=b=c]"},
        {"ENV a=b=c", "ENV [a=b=c]"},
        {"ENV \"a\"=b", "ENV [\"a\"=b]"},
        {"ENV a=\"\\\"b\\\"\"", "ENV [a=\"\\\"b\\\"\"]"},
        {"ENV a='\\' b=c", "ENV [a='\\'|b=c]"},
        {"LABEL a=b", "LABEL [a=b]"},
        {"LABEL com.x.y=\"a b\" \"c\"=d", "LABEL [com.x.y=\"a b\"|\"c\"=d]"},
        {"LABEL a b c", "LABEL [a=b c]"},
        {"ARG a", "ARG [a]"},
        {"ARG a=b", "ARG [a=b]"},
        {"ARG a= b", "ARG [a=|b]"},
        {"ARG a=\"b c\" d=${e}", "ARG [a=\"b c\"|d=${e}]"},
    });
    expect_errors({
        {"ENV", "2:1 ENV needs a name and a value"},
        {"ENV a", "2:5 ENV needs a value: ENV NAME=VALUE"},
        {"ENV a=b c", "2:9 `c` is not of the form name=value"},
        {"ENV =b", "2:5 a name of ENV cannot be empty"},
        {"LABEL", "2:1 LABEL needs a name and a value"},
        {"LABEL a", "2:7 LABEL needs a value: LABEL NAME=VALUE"},
        {"LABEL a=b \\\n  c", "3:3 `c` is not of the form name=value"},
        {"ARG", "2:1 ARG needs a name"},
        {"ARG =a", "2:5 the name of an ARG cannot be empty"},
        {"ENV --a=b c=d", "2:5 ENV has no flag --a"},
    });
}

TEST(Dockerfile, ReadsWhatRunsInTheContainer) {
    expect_instructions({
        {"CMD a b", "CMD shell [a b]"},
        {"CMD [\"a\", \"b\"]", "CMD exec [a|b]"},
        {"CMD []", "CMD exec []"},
        {"CMD", "CMD shell []"},
        {"ENTRYPOINT a b", "ENTRYPOINT shell [a b]"},
        {"ENTRYPOINT [\"a\"]", "ENTRYPOINT exec [a]"},
        {"ENTRYPOINT []", "ENTRYPOINT exec []"},
        {"CMD [ \"a\", \"\\u00e4\" ]", "CMD exec [a|ä]"},
        {"CMD [\"a\",\\\n\"b\"]", "CMD exec [a|b]"},
        {"SHELL [\"/bin/bash\", \"-c\"]", "SHELL [/bin/bash|-c]"},
        {"USER a", "USER a"},
        {"USER 1000:1000", "USER 1000:1000"},
        {"USER ${U:-a}", "USER ${U:-a}"},
        {"WORKDIR /a b", "WORKDIR /a b"},
        {"WORKDIR a", "WORKDIR a"},
        {"EXPOSE 80", "EXPOSE [80]"},
        {"EXPOSE 80/tcp 53/udp $P", "EXPOSE [80/tcp|53/udp|$P]"},
        {"EXPOSE 7000-7010", "EXPOSE [7000-7010]"},
        {"VOLUME /a", "VOLUME [/a]"},
        {"VOLUME /a /b", "VOLUME [/a|/b]"},
        {"VOLUME [\"/a b\"]", "VOLUME [/a b]"},
        {"STOPSIGNAL SIGTERM", "STOPSIGNAL SIGTERM"},
        {"STOPSIGNAL 9", "STOPSIGNAL 9"},
        {"MAINTAINER A B <a@b>", "MAINTAINER A B <a@b>"},
        {"ONBUILD COPY . /a", "ONBUILD COPY . /a"},
        {"ONBUILD run a", "ONBUILD run a"},
    });
    expect_errors({
        {"CMD [\"a\", null]", "2:5 the JSON form of CMD holds strings and nothing else"},
        {"CMD --x a", "2:5 CMD has no flag --x"},
        {"ENTRYPOINT [[]]", "2:12 the JSON form of ENTRYPOINT holds strings and nothing else"},
        {"SHELL a -c", "2:7 SHELL needs the JSON form | such as SHELL [\"/bin/bash\", \"-c\"]"},
        {"SHELL []", "2:7 SHELL needs the JSON form | such as SHELL [\"/bin/bash\", \"-c\"]"},
        {"USER", "2:1 USER needs an argument"},
        {"WORKDIR", "2:1 WORKDIR needs an argument"},
        {"EXPOSE", "2:1 EXPOSE needs a port"},
        {"VOLUME", "2:1 VOLUME needs a path"},
        {"VOLUME []", "2:1 VOLUME needs a path"},
        {"VOLUME [\"\"]", "2:8 the path of a VOLUME cannot be empty"},
        {"VOLUME [1]", "2:8 the JSON form of VOLUME holds strings and nothing else"},
        {"STOPSIGNAL", "2:1 STOPSIGNAL needs an argument"},
        {"ONBUILD", "2:1 ONBUILD needs an instruction"},
        {"ONBUILD FROM a", "2:9 FROM cannot be triggered by ONBUILD"},
        {"ONBUILD ONBUILD RUN a", "2:9 ONBUILD cannot be triggered by ONBUILD"},
        {"ONBUILD MAINTAINER a", "2:9 MAINTAINER cannot be triggered by ONBUILD"},
        {"ONBUILD RNU a", "2:9 unknown instruction `RNU` | did you mean `RUN`?"},
        {"ONBUILD COPY a", "2:9 COPY needs a source and a destination"},
    });
}

TEST(Dockerfile, ReadsHealthchecks) {
    expect_instructions({
        {"HEALTHCHECK NONE", "HEALTHCHECK [NONE]"},
        {"HEALTHCHECK none", "HEALTHCHECK [NONE]"},
        {"HEALTHCHECK CMD a b", "HEALTHCHECK [CMD-SHELL|a b]"},
        {"HEALTHCHECK cmd a", "HEALTHCHECK [CMD-SHELL|a]"},
        {"HEALTHCHECK CMD [\"a\", \"b\"]", "HEALTHCHECK [CMD|a|b]"},
        {"HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --start-interval=1s --retries=4 "
         "CMD a",
         "HEALTHCHECK --interval=5s --timeout=3s --start-period=1m --start-interval=1s --retries=4 "
         "[CMD-SHELL|a]"},
        {"HEALTHCHECK --interval=0s CMD a", "HEALTHCHECK [CMD-SHELL|a]"},
        {"HEALTHCHECK --interval=5s \\\n  CMD a", "HEALTHCHECK --interval=5s [CMD-SHELL|a]"},
    });
    expect_errors({
        {"HEALTHCHECK", "2:1 HEALTHCHECK needs CMD or NONE"},
        {"HEALTHCHECK CMD", "2:13 HEALTHCHECK CMD needs a command"},
        {"HEALTHCHECK CMD []", "2:13 HEALTHCHECK CMD needs a command"},
        {"HEALTHCHECK NONE a", "2:18 HEALTHCHECK NONE takes no arguments"},
        {"HEALTHCHECK a", "2:13 `a` is not CMD or NONE"},
        {"HEALTHCHECK CDM a", "2:13 `CDM` is not CMD or NONE | did you mean `CMD`?"},
        {"HEALTHCHECK --intervall=5s CMD a",
         "2:13 HEALTHCHECK has no flag --intervall | did you mean `--interval`?"},
        {"HEALTHCHECK --interval=x CMD a",
         "2:13 --interval is a duration of a millisecond or more, not `x`"},
        {"HEALTHCHECK --interval=1us CMD a",
         "2:13 --interval is a duration of a millisecond or more, not `1us`"},
        {"HEALTHCHECK --retries=x CMD a", "2:13 --retries is a number, not `x`"},
        {"HEALTHCHECK --retries=-1 CMD a", "2:13 --retries is a number, not `-1`"},
    });
}

TEST(Dockerfile, ReportsEveryMistakeAtItsPlace) {
    expect_files({
        {"FROM a\nRNU b\nCOPY c\n",
         "2:1 unknown instruction `RNU` | did you mean `RUN`?\n"
         "3:6 COPY needs a source and a destination"},
        {"FROM a\n  ENV b=1 \\\n  ä=2 c", "3:7 `c` is not of the form name=value"},
        {"FROM a\nFOO bar", "2:1 unknown instruction `FOO`"},
    });
}

TEST(Dockerfile, IsBounded) {
    const auto error_of = [](const std::string& text) {
        const auto file = parse_dockerfile(text, "Dockerfile");
        return has_errors(file.diagnostics) ? file.diagnostics.back().message : "";
    };
    EXPECT_EQ(error_of("FROM a\nRUN " + std::string(70000, 'x')),
              "the line is longer than 65535 bytes");
    std::string many = "FROM a\n";
    for (int i = 0; i < 10001; ++i)
        many += "ENV a=b\n";
    EXPECT_EQ(error_of(many), "a Dockerfile has at most 10000 instructions");
    EXPECT_EQ(error_of("FROM a\nRUN " + std::string(60000, '[')), "");
}

}  // namespace
}  // namespace stack::build
