"""Pulls, from a registry on loopback."""

import gzip
import os
import pathlib
import shutil
import statistics
import subprocess
import tarfile
import time
import urllib.request

from bench import HERE, STACK, cpu_time, show, show_bound, timed

ADDRESS = "127.0.0.1:5000"


def serve(directory):
    """Starts a registry that keeps its blobs there."""
    (directory / "registry.yml").write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {directory}}}}}\n"
                                            f"http: {{addr: '{ADDRESS}'}}\n")
    child = subprocess.Popen(["docker-registry", "serve", directory / "registry.yml"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
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
    """A large image of five layers, one of thirty small layers, and one that is refused for what it unpacks to."""
    assert bench.root.exists()
    measure(bench, "large", 5, 100_000_000)
    measure(bench, "small", 30, 1_000_000)
    archive = bomb(bench.work / "bomb.tar.gz", 10 << 30)
    show_bound("pull.bomb.memory", peak_memory([STACK, "--root", bench.work / "root", "--progress", "quiet", "image", "import",
                                                "--max-unpacked", "2GB", f"tar:{archive}", "bomb"]), "MiB", 64)
