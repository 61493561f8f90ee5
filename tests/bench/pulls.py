"""Pulls, from a registry on loopback."""

import gzip
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tarfile
import time
import urllib.request

from bench import HERE, RUNS, STACK, cpu_time, show, show_bound, timed

ADDRESS = "127.0.0.1:5000"


def serve(directory):
    """Starts a registry that keeps its blobs there, and says in `log` what it was asked."""
    (directory / "registry.yml").write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {directory}}}}}\n"
                                            f"http: {{addr: '{ADDRESS}'}}\n")
    with open(directory / "log", "wb") as log:
        child = subprocess.Popen(["docker-registry", "serve", directory / "registry.yml"], stdout=log, stderr=log)
    while True:
        try:
            urllib.request.urlopen(f"http://{ADDRESS}/v2/").read()
            return child
        except OSError:
            time.sleep(0.05)


def files_of_this_machine():
    """Regular files as images have them, in a fixed order."""
    for directory, subdirectories, names in os.walk("/usr"):
        subdirectories.sort()
        for name in sorted(names):
            path = pathlib.Path(directory) / name
            if path.is_file() and not path.is_symlink():
                yield path


def push(bench, name, layers, layer_size):
    """An image of so many layers of so many bytes each, built of this machine's files, pushed and removed here."""
    context = bench.work / name
    files = files_of_this_machine()
    for i in range(layers):
        size = 0
        while size < layer_size:
            file = next(files)
            target = context / f"l{i}" / file.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
            size += file.stat().st_size
    (context / "Dockerfile").write_text("FROM scratch\n" + "".join(f"COPY l{i} /\n" for i in range(layers)))
    reference = f"{ADDRESS}/{name}"
    bench.stack("image", "build", "-q", "-t", reference, context)
    bench.stack("image", "push", reference)
    forget(bench, reference)
    shutil.rmtree(context)
    return reference


def forget(bench, reference):
    bench.stack("image", "rm", "-f", reference)
    bench.stack("builder", "prune", "-a", "-f")


def peak_memory(words):
    """MiB that all processes of a command have at their peak together, looked at each few milliseconds."""
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    peak = 0
    while child.poll() is None:
        total = 0
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if (entry / "exe").readlink().parent == STACK.resolve().parent:
                    rollup = (entry / "smaps_rollup").read_text().splitlines()
                    total += next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
            except (OSError, StopIteration):
                pass  # it has just ended
        peak = max(peak, total)
        time.sleep(0.005)
    return peak / 1024


def floor(bench, registry):
    """Wall and CPU of the least that the blobs in the registry need."""
    program = bench.work / "unpack"
    subprocess.run(["gcc", "-O2", "-o", program, HERE / "unpack.c", "-lisal", "-lcrypto"], check=True)
    blobs = [path for path in registry.rglob("data") if path.open("rb").read(2) == b"\x1f\x8b"]
    place = bench.work / "unpacked"
    place.mkdir()
    out = subprocess.run([program, place, *blobs], check=True, capture_output=True, text=True).stdout
    shutil.rmtree(place)
    return [float(word) for word in out.split()]


def measure(bench, name, layers, layer_size):
    registry = bench.work / "registry"
    registry.mkdir()
    server = serve(registry)
    reference = push(bench, name, layers, layer_size)
    wall, cpu = [], []

    def pull():
        bench.stack("image", "pull", reference)

    for _ in range(3):
        wall.append(timed(pull))
        forget(bench, reference)
        cpu.append(cpu_time(pull, {server.pid}))
        removal = timed(lambda: bench.stack("image", "rm", reference))
    floor_wall, floor_cpu = floor(bench, registry)
    show(f"pull.{name}", statistics.median(wall), "floor, one thread", floor_wall)
    show(f"pull.{name}.cpu", statistics.median(cpu), "floor", floor_cpu)
    show_bound(f"pull.{name}.memory", peak_memory([STACK, "--root", bench.work / "root", "--progress", "quiet", "image",
                                                         "pull", reference]), "MiB", 64)
    show_bound(f"pull.{name}.again", timed(pull) * 1e3, "ms", 100)
    show_bound(f"pull.{name}.rm", removal * 1e3, "ms", 1000)
    server.terminate()
    server.wait()
    shutil.rmtree(registry)


def share(bench, services):
    """So many services, each with an image of its own, all of which have the layers of one base."""
    registry = bench.work / "registry"
    registry.mkdir()
    server = serve(registry)
    base = push(bench, "base", 4, 10_000_000)
    references = [f"{ADDRESS}/app{i}" for i in range(services)]
    for reference in references:
        context = bench.work / "own"
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(f"FROM {base}\nLABEL of={reference}\n")
        bench.stack("image", "build", "-q", "-t", reference, context)
        bench.stack("image", "push", reference)
    for reference in references:
        bench.stack("image", "rm", "-f", reference)
    forget(bench, base)
    directory = bench.project("shared", "".join(f"  s{i}:\n    image: {reference}\n" for i, reference in enumerate(references)))
    log = registry / "log"
    said_before = log.stat().st_size
    both = timed(lambda: bench.stack("pull", cwd=directory))
    answered = re.findall(r'"GET /v2/\S+/blobs/(sha256:\w+) HTTP/1.1" 20[06]', log.read_text()[said_before:])
    for reference in references:
        bench.stack("image", "rm", "-f", reference)
    bench.stack("builder", "prune", "-a", "-f")
    alone = timed(lambda: bench.stack("image", "pull", references[0]))
    show(f"pull.{services}_of_one_base", both, "pull of one of them", alone)
    show_bound(f"pull.{services}_of_one_base.most_of_a_blob", max(map(answered.count, answered)), "downloads", 1)
    server.terminate()
    server.wait()
    shutil.rmtree(registry)


def deep(bench, layers):
    """A container on so many layers, beside one on a single layer."""
    context = bench.work / "deep"
    shutil.copytree(bench.root, context / "l0")
    for i in range(1, layers):
        (context / f"l{i}").mkdir()
        (context / f"l{i}" / f"file{i}").write_text("x")
    (context / "Dockerfile").write_text("FROM scratch\n" + "".join(f"COPY l{i} /\n" for i in range(layers)))
    bench.stack("image", "build", "-q", "-t", "deep", context)

    def life(image):
        words = ["container", "run", "--rm", "--network", "none", image, "true"]
        bench.stack(*words)
        return statistics.median(timed(lambda: bench.stack(*words)) for _ in range(RUNS))

    show(f"layers.{layers}", life("deep"), "of one layer", life("busybox"))


def bomb(place, size):
    """An archive of one file with so many bytes, all of them 0: a stretch of them, compressed once, again and again."""
    stretch = 1 << 26
    head = tarfile.TarInfo("zeros")
    head.size = size
    zeros = gzip.compress(bytes(stretch), 1)
    with open(place, "wb") as file:
        file.write(gzip.compress(head.tobuf(tarfile.GNU_FORMAT)))
        for _ in range(size // stretch):
            file.write(zeros)
        file.write(gzip.compress(bytes(1024)))
    return place


def pull(bench):
    """A large image of five layers, one of thirty small layers, twenty of one base, one of many layers, and one that is
    refused for what it unpacks to."""
    assert bench.root.exists()
    measure(bench, "large", 5, 100_000_000)
    measure(bench, "small", 30, 1_000_000)
    share(bench, 20)
    deep(bench, 200)
    archive = bomb(bench.work / "bomb.tar.gz", 10 << 30)
    show_bound("pull.bomb.memory", peak_memory([STACK, "--root", bench.work / "root", "--progress", "quiet", "image", "import",
                                                "--max-unpacked", "2GB", f"tar:{archive}", "bomb"]), "MiB", 64)
