"""What `builders` builds: contexts, Dockerfiles, and in what the builders are known to differ, and why."""

import dataclasses
import io
import os
import tarfile

ALL = ("buildah", "buildkit")
RUNS = ("buildah",)  # BuildKit runs no RUN there
NEWER = ("buildkit",)  # than buildah 1.28


@dataclasses.dataclass
class Case:
    name: str
    dockerfile: str
    context: str = "tree"
    peers: tuple = ALL
    options: tuple = ()


def write(place, text="", mode=0o644):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(mode)


def archive(place, mode):
    """A tar of what a tar can have, with owners of its own."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place, mode) as tar:
        def add(name, kind=tarfile.REGTYPE, text=b"", **fields):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.mtime = kind, len(text), 1000
            for field, value in fields.items():
                setattr(entry, field, value)
            tar.addfile(entry, io.BytesIO(text))
        add("packed", tarfile.DIRTYPE, mode=0o750, uid=7, gid=8)
        add("packed/file", text=b"in it", mode=0o640, uid=7, gid=8)
        add("packed/other-name", tarfile.LNKTYPE, linkname="packed/file", mode=0o640, uid=7, gid=8)
        add("packed/link", tarfile.SYMTYPE, linkname="file")
        add("packed/to-root", tarfile.SYMTYPE, linkname="/etc/passwd")
        add("packed/suid", text=b"x", mode=0o4755)
        add("without-parent/file", text=b"y", mode=0o600)


def fill(directory, kind):
    if kind == "base":
        write(directory / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:500:600::/:/bin/sh\n")
        write(directory / "etc/group", "root:x:0:\nstaff:x:601:\n")
        for place in ["dev", "proc", "sys", "run"]:
            (directory / place).mkdir()
        for name in ["hosts", "hostname", "resolv.conf"]:
            write(directory / "etc" / name)
        write(directory / "srv/kept", "kept")
        write(directory / "srv/gone/file", "gone")
        write(directory / "usr/lib/library", "library")
        (directory / "lib").symlink_to("usr/lib")
        (directory / "var/lock").parent.mkdir(parents=True, exist_ok=True)
        (directory / "var/lock").symlink_to("/srv/lock")
        (directory / "srv/lock").mkdir()
        (directory / "tmp").mkdir(mode=0o1777)
        (directory / "tmp").chmod(0o1777)
        return
    write(directory / "one.txt", "1")
    write(directory / "two.txt", "2", 0o600)
    write(directory / "run.sh", "#!/bin/sh\n", 0o755)
    write(directory / "suid", "s", 0o4755)
    write(directory / ".hidden", "h")
    write(directory / "dir/a", "a")
    write(directory / "dir/sub/b", "b", 0o640)
    write(directory / "dir/sub/deep/c", "c")
    (directory / "dir/empty").mkdir()
    (directory / "dir/closed").mkdir(mode=0o700)
    (directory / "dir/link").symlink_to("sub/b")
    (directory / "dir/away").symlink_to("/etc/passwd")
    (directory / "dir/nowhere").symlink_to("missing")
    (directory / "to-dir").symlink_to("dir/sub")
    (directory / "to-file").symlink_to("one.txt")
    os.link(directory / "dir/a", directory / "dir/second-name")
    write(directory / "with blank", "w")
    write(directory / "[x]", "x")
    archive(directory / "plain.tar", "w")
    archive(directory / "packed.tar.gz", "w:gz")
    archive(directory / "packed.tar.bz2", "w:bz2")
    archive(directory / "packed.tar.xz", "w:xz")
    if kind == "ignored":
        write(directory / ".dockerignore", "# a comment\n*.txt\n!one.txt\ndir/**/c\n  run.sh  \n/suid\n**/empty\npacked.*\n")


CASES = [
    Case("metadata", """\
FROM base
LABEL one=1 "two words"="a b" three='3'
LABEL four=4 \\
      five=5
ENV A=b B="c d" C=e\\ f
ENV LEGACY some words  here
ENV A=$B-${C}
EXPOSE 80 443/tcp 53/udp 7000-7002
VOLUME /data /more
VOLUME ["/json", "/with blank"]
USER web:staff
STOPSIGNAL SIGUSR1
CMD ["run", "it"]
"""),
    Case("entrypoint-resets-command", "FROM base\nENTRYPOINT [\"e\", \"f\"]\n"),
    Case("entrypoint-and-command", "FROM base\nCMD [\"c\"]\nENTRYPOINT [\"e\"]\n"),
    Case("shell-forms", "FROM base\nENTRYPOINT exec e $A\nCMD c \"d\" | e\n"),
    Case("shell", "FROM base\nSHELL [\"/bin/sh\", \"-eu\", \"-c\"]\nCMD c d\n", peers=NEWER),
    Case("healthcheck", "FROM base\nHEALTHCHECK --interval=5s --timeout=1m --start-period=2h --retries=4 CMD [\"x\", \"y\"]\n"),
    Case("healthcheck-shell", "FROM base\nHEALTHCHECK CMD x || exit 1\n"),
    Case("healthcheck-none", "FROM base\nHEALTHCHECK NONE\n"),
    Case("author", "FROM base\nMAINTAINER Some Body <some@body>\n"),
    Case("onbuild", "FROM base\nONBUILD COPY . /src\nONBUILD RUN make\n"),
    Case("arguments", """\
ARG TAG=latest
ARG GLOBAL=from-above
FROM base:${TAG}
ARG GLOBAL
ARG OWN=default
ARG UNSET
ARG GIVEN=x
ENV G=$GLOBAL O=${OWN} U=${UNSET:-unset} V=${GIVEN} P=${UNSET:+never}${OWN:+always}
ARG OWN=again
LABEL own=$OWN
""", options=("--build-arg", "GIVEN=from-the-command-line")),
    Case("quotes", """\
FROM base
ENV ONE="a \\"b\\" 'c'" TWO='a "$BASE" b' THREE=a\\$b FOUR="$BASE" FIVE=${BASE}x
LABEL six="${BASE:-y}" seven=${NONE:-"q r"}
"""),
    Case("escape-directive", "# escape=`\nFROM base\nENV A=C:\\dir\\ `\n    B=x\nLABEL d=`$A\n"),
    Case("working-directory", "FROM base\nWORKDIR /a\nWORKDIR b/../c\nCOPY one.txt .\nWORKDIR /srv\n", peers=NEWER),
    Case("copy-files", "FROM base\nCOPY one.txt two.txt run.sh suid /f/\nCOPY one.txt /renamed\nCOPY two.txt /etc\nCOPY . /all\n"),
    Case("copy-directories", "FROM base\nCOPY dir /d\nCOPY dir/ /e/\nCOPY dir dir/sub /both/\nCOPY dir /srv\n"),
    Case("copy-wildcards", "FROM base\nCOPY *.txt /w/\nCOPY d*/s*/b /x\nCOPY ?ne.txt /y/\nCOPY [a-o]*.txt /z/\n"),
    Case("copy-odd-names", "FROM base\nCOPY [\"with blank\", \"/a b/\"]\nCOPY [[]x] /bracket\nCOPY .hidden /\n"),
    Case("copy-links", "FROM base\nCOPY to-file /file\nCOPY to-dir /dir\nCOPY dir/link /one\n"),
    Case("copy-through-links", "FROM base\nCOPY one.txt /lib/one\nCOPY dir /var/lock/\nCOPY one.txt /lib\n"),
    Case("copy-owner", "FROM base\nCOPY --chown=7:8 dir /new/dir\nCOPY --chown=9 one.txt /n/one\nCOPY --chown=web:staff one.txt /o/\n"
         "COPY --chown=web two.txt /p\n"),
    Case("copy-mode", "FROM base\nCOPY --chmod=640 one.txt run.sh /m/\nCOPY --chmod=0711 dir /n\n", peers=NEWER),
    Case("copy-replaces", "FROM base\nCOPY one.txt /srv/kept\nCOPY two.txt /srv/kept\nCOPY dir/sub/b /usr/lib/library\n"),
    Case("ignored", "FROM base\nCOPY . /all\n", context="ignored"),
    Case("add-archives", "FROM base\nADD plain.tar /plain\nADD packed.tar.gz /gz/\nADD packed.tar.bz2 /bz2/\nADD packed.tar.xz /xz\n"
         "ADD one.txt /as/\nCOPY plain.tar /copied.tar\n"),
    Case("stages", """\
FROM base AS first
COPY dir /made
FROM base AS unused
COPY missing /nowhere
FROM first AS second
COPY one.txt /made/one
ENV FROM_SECOND=1
FROM base
COPY --from=first /made /first
COPY --from=second /made/one /made/sub/b /picked/
COPY --from=0 /made/link /link
COPY --from=second /made/away /away
""", peers=NEWER),
    Case("copy-from-stage", """\
FROM base AS first
COPY --chown=7:8 dir /made
FROM base
COPY --from=first /made /first
COPY --from=first --chown=9:10 /made/sub /second
COPY --from=first /srv/k* /third/
COPY dir/closed /closed
COPY --chown=7 dir/closed /closed/and/owned
"""),
    Case("target", "FROM base AS a\nLABEL stage=a\nCOPY one.txt /a\nFROM a AS b\nLABEL stage=b\nFROM a\nLABEL stage=c\n",
         options=("--target", "b")),
    Case("from-scratch", "FROM scratch\nCOPY dir /\nCMD [\"/a\"]\n"),
    Case("labels-of-the-call", "FROM base\nLABEL a=1\n", options=("--label", "a=2", "--label", "b=3")),
    Case("run-writes", "FROM base\nRUN echo a > /a && mkdir -m 700 /b && ln -s a /c && ln /a /d && touch /b/e && chown 7:8 /b/e\n", peers=RUNS),
    Case("run-removes", "FROM base\nRUN rm -r /srv/gone /usr/lib/library\nRUN rm /srv/kept && mkdir /srv/kept && touch /srv/kept/x\n",
         peers=RUNS),
    Case("run-changes", "FROM base\nRUN chmod 600 /srv/kept && chown web /srv && mv /srv/gone /srv/moved && chmod u+s /usr/lib/library\n",
         peers=RUNS),
    Case("run-as-somebody", "FROM base\nWORKDIR /tmp\nUSER web\nRUN id -u > who && id -g >> who\nUSER 7:8\nRUN id -u > who2 && id -g >> who2\n",
         peers=RUNS),
    Case("run-variables", "FROM base\nARG X=x\nENV Y=y$X\nRUN echo $X $Y ${Z:-z} > /said\nRUN [\"sh\", \"-c\", \"echo $X > /exec\"]\n", peers=RUNS),
    Case("run-mounts", "FROM base\nRUN --mount=type=bind,source=one.txt,target=/in cat /in > /out\nRUN --mount=type=tmpfs,target=/t touch /t/x\n",
         peers=RUNS),
]

# Beginnings of lines of what is known, and why it stays: by case and builder.
DIFFERENCES = {
    # A range is a range there until a container is made of it; here, as in BuildKit, it is its ports.
    ("metadata", "buildah"): ("field ExposedPorts",),
    # It does not heed the directive in values, and the backslashes go.
    ("escape-directive", "buildah"): ("field Env", "field Labels"),
    # It takes set-uid away from what comes from a context; Docker's builders do not.
    ("copy-files", "buildah"): ("file all/suid", "file f/suid"),
    # Its patterns know no class with a bracket in it.
    ("copy-odd-names", "buildah"): ("refused",),
    # What begins with nothing has the root as its directory in BuildKit and here.
    ("from-scratch", "buildah"): ("field WorkingDir", "field Env"),
}
