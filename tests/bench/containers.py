"""Single containers: run, reached, kept, and what they print."""

import statistics
import subprocess
import time

from bench import HERE, RUNS, STACK, cpu_time, processes, proportional_memory, show, show_bound, timed
from stacks import services


def run(bench):
    """`container run --rm` of true, from the shell: wall, and CPU of all that takes part."""
    assert bench.root.exists()
    bare = ["container", "run", "--rm", "--network", "none", "busybox", "true"]
    published = ["container", "run", "--rm", "-p", "20000:80", "busybox", "true"]
    show_life(bench, "run.none", bare, "floor, one container's life", bench.floor_at_rest(RUNS, "-N")["total"])
    show_life(bench, "run.bridge.alone", published, "floor, the life of a container and of its bridge",
              bench.floor_at_rest(RUNS, "-B")["total"])
    bench.stack("container", "run", "-d", "--name", "other", "busybox", "sleep", "1000")  # the bridge is there, as for the floor
    show_life(bench, "run.bridge", published, "floor, one container's life", bench.floor_at_rest(RUNS)["total"])
    bench.stack("container", "rm", "-f", "other")
    show("run.none.cpu", cpu_time(lambda: [bench.stack(*bare) for _ in range(20)]) / 20, "floor, CPU of one container's life",
         bench.floor("-N", "-n", "20")["cpu"])


def show_life(bench, figure, words, versus, floor):
    bench.stack(*words)
    show(figure, statistics.median(timed(lambda: bench.stack(*words)) for _ in range(RUNS)), versus, floor)


def execute(bench):
    assert bench.root.exists()
    bench.stack("container", "run", "-d", "--name", "host", "busybox", "sleep", "1000")
    words = ["container", "exec", "host", "true"]
    show("exec.true", statistics.median(timed(lambda: bench.stack(*words)) for _ in range(RUNS * 3)), "floor, exec",
         bench.floor("-x", "-n", "50")["exec"])
    bench.stack("container", "rm", "-f", "host")


def light(bench):
    """Commands that look: against a fork and exec of true."""
    directory = bench.project("bench1", services(1))
    bench.stack("up", "-d", cwd=directory)
    floor = bench.floor("-s", "-n", "100")["fork_exec_wait"]
    for name, words in {"ps": ["ps"], "version": ["--version"]}.items():
        show(f"light.{name}", statistics.median(timed(lambda: bench.stack(*words, cwd=directory)) for _ in range(RUNS * 3)),
             "fork+exec of true", floor)
    bench.stack("down", "-t", "0", cwd=directory)


def memory(bench):
    directory = bench.project("bench300", services(300))
    bench.stack("up", "-d", cwd=directory)
    time.sleep(2)
    shims = processes("stack-shim", "run")
    show_bound("memory.shim", statistics.mean(proportional_memory(pid) for pid in shims), "KiB", 150)
    supervisor, = processes("stack", "supervise")
    show_bound("memory.supervisor_of_300", proportional_memory(supervisor) / 1024, "MiB", 10)
    time.sleep(12)  # it looks every ten seconds
    show_bound("memory.supervisor_of_300_after_a_look", proportional_memory(supervisor) / 1024, "MiB", 10)
    bench.stack("down", "-t", "0", cwd=directory)


def logs(bench):
    """A container that prints as fast as it can, beside a pipe and cat into a file of the same disk."""
    size = 512
    spam = bench.root / "bin/spam"
    subprocess.run(["gcc", "-O2", "-static", "-o", spam, HERE / "spam.c"], check=True)
    bench.stack("image", "import", f"rootfs:{bench.root}", "spam")
    disk = bench.work / "printed"
    pipe = timed(lambda: subprocess.run(f"{spam} {size} | cat > {disk}", shell=True, check=True))
    disk.unlink()

    def printed():
        bench.stack("container", "run", "-d", "--name", "spam", "--log-opt", "max-size=100m", "--log-opt", "max-file=10", "spam",
                    "/bin/spam", f"{size}")
        bench.stack("container", "wait", "spam")

    show("logs.512_MiB", timed(printed), "a pipe and cat into a file", pipe)
    command = [STACK, "--root", bench.work / "root", "container", "logs", "spam"]
    kept = int(subprocess.run(f"{' '.join(map(str, command))} | wc -c", shell=True, check=True, capture_output=True).stdout)
    show_bound("logs.kept", kept, "bytes", int(subprocess.run(f"{spam} {size} | wc -c", shell=True, check=True,
                                                              capture_output=True).stdout), "printed")
    bench.stack("container", "rm", "-f", "spam")
