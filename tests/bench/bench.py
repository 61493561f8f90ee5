"""What every figure needs: namespaces, a disk, an image of busybox, the floor to compare with, and a line of JSON."""

import contextlib
import ctypes
import functools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
STACK = HERE.parent.parent / "build/release/stack"
RUNS = 7


def enter_namespaces():
    """Runs this program again where it can touch nothing of the host's."""
    if os.environ.get("STACK_BENCH_INSIDE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["STACK_BENCH_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--mount-proc", "--kill-child",
                          "--propagation", "private", sys.executable, *sys.argv])


def mount_disk(place):
    """An ext4 of its own, in memory: one on which many files were deleted lately passes over each of their inodes whenever
    it makes a file, so that every run would pay for those before it, and who else writes to the machine's disk is no part
    of a figure. Run-time state is in memory, as /run is."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12G", "none", place], check=True)
    image = place / "disk"
    with open(image, "wb") as file:
        file.truncate(4 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", image], check=True)
    disk = place / "mounted"
    disk.mkdir()
    subprocess.run(["mount", "-o", "loop", image, disk], check=True)
    (disk / "root/run").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", disk / "root/run"], check=True)
    return disk


def busybox_root(place):
    (place / "bin").mkdir(parents=True)
    for name in ["etc", "dev", "proc", "sys", "tmp"]:
        (place / name).mkdir()
    shutil.copy("/bin/busybox", place / "bin/busybox")
    for name in ["sh", "true", "sleep"]:
        os.link(place / "bin/busybox", place / "bin" / name)
    for name in ["hosts", "hostname", "resolv.conf", "passwd", "group"]:
        (place / "etc" / name).touch()
    return place


class Bench:
    def __init__(self, work):
        self.work = work

    @functools.cached_property
    def root(self):
        root = busybox_root(self.work / "rootfs")
        self.stack("image", "import", f"rootfs:{root}", "busybox")
        return root

    @functools.cached_property
    def floor_program(self):
        program = self.work / "floor"
        subprocess.run(["gcc", "-O2", "-w", "-o", program, HERE / "floor.c"], check=True)
        return program

    def stack(self, *words, cwd=None):
        subprocess.run([STACK, "--root", self.work / "root", "--progress", "quiet", *words], check=True, cwd=cwd,
                       stdout=subprocess.DEVNULL)

    def floor(self, *words):
        """Medians of the floor program's phases, in seconds."""
        out = subprocess.run([self.floor_program, "-r", self.root, "-w", self.work / "floor-work", "-j", *words], check=True,
                             capture_output=True, text=True).stdout
        return {line["figure"].removeprefix("floor."): line["median"] / 1e6 for line in map(json.loads, out.splitlines())}

    def floor_at_rest(self, runs, *words):
        """The same of so many runs, each with nothing left to clean up by the kernel."""
        phases = []
        for _ in range(runs):
            await_rest()
            phases.append(self.floor("-n", "1", *words))
        return {name: statistics.median(phase[name] for phase in phases) for name in phases[0]}

    def project(self, name, services):
        """The directory of a stack file: `services` is its text."""
        assert self.root.exists()  # and with it the image
        directory = self.work / name
        directory.mkdir(exist_ok=True)
        (directory / "compose.yaml").write_text(f"name: {name}\nservices:\n{services}")
        return directory


def await_rest():
    """The kernel takes network namespaces apart in the background, in their order, each at the price of several RCU grace
    periods, which whoever starts or ends a container then waits for as well. This returns when those that ended before
    are gone: a link that lies in one more has vanished."""
    last = subprocess.Popen(["unshare", "--net", "sleep", "60"])
    while os.stat(f"/proc/{last.pid}/ns/net").st_ino == os.stat("/proc/self/ns/net").st_ino:
        time.sleep(0.001)
    subprocess.run(["ip", "link", "add", "rest", "type", "veth", "peer", "name", "peer", "netns", str(last.pid)], check=True)
    last.kill()
    last.wait()
    while "rest:" in pathlib.Path("/proc/net/dev").read_text():
        time.sleep(0.01)


def timed(call):
    await_rest()
    begin = time.monotonic()
    call()
    return time.monotonic() - begin


def become_reaper():
    """Whatever loses its parent becomes ours, so that its CPU time is counted when it ends."""
    set_child_subreaper = 36
    ctypes.CDLL(None).prctl(set_child_subreaper, 1)


def reap_orphans(servers):
    """Waits for all children but these to end; those that go on for long are not part of what is measured."""
    deadline = time.monotonic() + 5
    children = pathlib.Path("/proc/thread-self/children")
    while time.monotonic() < deadline and set(map(int, children.read_text().split())) - servers:
        if os.waitpid(-1, os.WNOHANG)[0] == 0:
            time.sleep(0.001)


def cpu_time(call, servers=frozenset()):
    """Seconds of CPU of everything that `call` starts, also of what it leaves to itself and that ends soon after.
    `servers`: ids of children that go on."""
    become_reaper()
    reap_orphans(servers)  # of what came before
    before = os.times()
    call()
    reap_orphans(servers)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def proportional_memory(pid):
    """KiB of a process: its own pages, and its part of those that it shares (PSS)."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))


def processes(program, word):
    """The ids of the processes whose command lines begin with that program and have that word."""
    lines = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # one that has just ended
                lines[int(entry.name)] = (entry / "cmdline").read_text().split("\0")
    return [pid for pid, line in lines.items() if pathlib.Path(line[0]).name == program and word in line]


def show(figure, value, versus, base):
    print(json.dumps({"figure": figure, "value": round(value * 1e3, 2), "unit": "ms", "vs": f"{versus} {base * 1e3:.2f} ms",
                      "ratio": round(value / base, 2)}), flush=True)


def show_bound(figure, value, unit, bound, versus="promised"):
    print(json.dumps({"figure": figure, "value": round(value, 2), "unit": unit, "vs": f"{versus} {bound} {unit}",
                      "ratio": round(value / bound, 2)}), flush=True)
