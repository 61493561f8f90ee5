"""Builds of images."""

import statistics
import time

from bench import RUNS, show, show_bound, timed

DOCKERFILE = """\
FROM busybox AS made
WORKDIR /src
COPY . .
""" + "".join(f"RUN echo {i} > /made{i}\n" for i in range(5)) + """\
FROM busybox
WORKDIR /app
COPY --from=made /src /app/src
""" + "".join(f"RUN echo {i} > /app/{i}\n" for i in range(3))


def context_of(directory, files, size):
    """A build context of so many files of so many bytes, a hundred in a directory."""
    for i in range(files):
        if i % 100 == 0:
            (directory / f"d{i // 100}").mkdir(parents=True)
        (directory / f"d{i // 100}/f{i % 100}").write_bytes(i.to_bytes(4, "little") * (size // 4))
    return directory


def build(bench):
    """What a build costs beside its commands: nothing to do, one file changed, a large context that is as it was."""
    assert bench.root.exists()
    directory = context_of(bench.work / "context", 1000, 1000)
    (directory / "Dockerfile").write_text(DOCKERFILE)

    def once():
        bench.stack("image", "build", "-q", directory)

    def changed(i):
        (directory / "d0/f0").write_text(f"{i}")
        return timed(once)

    once()
    time.sleep(2)  # what changed a moment ago is read again
    once()
    show_bound("build.cached", statistics.median(timed(once) for _ in range(RUNS)) * 1e3, "ms", 35)
    runs = DOCKERFILE.count("RUN")
    show("build.changed", statistics.median(changed(i) for i in range(RUNS)), f"floor, {runs} containers' lives",
         runs * bench.floor_at_rest(RUNS)["total"])
    large = context_of(bench.work / "large", 50000, 10000)
    (large / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    time.sleep(2)
    bench.stack("image", "build", "-q", large)
    show_bound("build.unchanged_50000", statistics.median(timed(lambda: bench.stack("image", "build", "-q", large))
                                                          for _ in range(RUNS)) * 1e3, "ms", 300)
