"""Stack files: read, and refused."""

import os
import statistics
import time

from bench import RUNS, STACK, show_bound


def big_file(services):
    """A file of services as people write them: an image, variables, a port, a volume, a dependency."""
    yield "services:\n  s0: {image: busybox}\n"
    for i in range(1, services):
        yield (f"  s{i}:\n    image: registry.example.org/team/app{i % 50}:1.{i % 30}\n    restart: unless-stopped\n"
               f"    environment:\n      DATABASE_URL: postgres://db/app{i}\n      LOG_LEVEL: info\n"
               f"    ports: [\"{10000 + i}:80\"]\n    volumes:\n      - data:/var/lib/app\n    depends_on: [s{i - 1}]\n")
    yield "volumes: {data: }\n"


def hostile_files():
    """What must be refused soon and in little memory, by name."""
    web = "services: {web: {image: x}}\n"
    yield "alias_bomb", "x-a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"x-a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)) + web
    yield "deep_nesting", "x-a: " + "[" * 1000000 + "\n" + web
    yield "brackets", "x-a: " + "[]" * 7500000 + "\n" + web
    yield "endless_includes", "include: [compose.yaml]\n"
    yield "many_values", "x-a: [" + "1," * 7000000 + "1]\n" + web
    yield "long_comment", "# " + "x" * (15 << 20) + "\n" + web
    yield "one_gigabyte", None


def usage(directory, *words):
    """Seconds and peak MiB of one `stack config -q` there; or of `words`."""
    words = words or ["--project-directory", directory, "-f", directory / "compose.yaml", "config", "-q"]
    begin = time.monotonic()
    child = os.posix_spawn(STACK, [STACK, *words],
                           os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)])
    used = os.wait4(child, 0)[2]
    return time.monotonic() - begin, used.ru_maxrss / 1024


def load(bench):
    directory = bench.work / "load"
    directory.mkdir()
    file = directory / "compose.yaml"

    def measure(name, milliseconds, mebibytes):
        runs = [usage(directory) for _ in range(RUNS)]
        show_bound(f"load.{name}", statistics.median(run[0] for run in runs) * 1e3, "ms", milliseconds)
        show_bound(f"load.{name}.memory", max(run[1] for run in runs), "MiB", mebibytes)

    file.write_text("".join(big_file(2)))
    rest, whole = (statistics.median(usage(directory, *words)[0] for _ in range(RUNS * 5)) for words in (["--version"], []))
    show_bound("load.2_services", (whole - rest) * 1e3, "ms beyond `stack --version`", 2)
    file.write_text("".join(big_file(10000)))
    measure("10000_services", 1000, 400)
    for name, text in hostile_files():
        if text is None:
            os.truncate(file, 1 << 30)
        else:
            file.write_text(text)
        measure(name, 1000, 256)
