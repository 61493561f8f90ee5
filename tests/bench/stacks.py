"""Stacks: brought up, looked at again, changed, kept and taken down."""

import pathlib
import statistics
import subprocess
import time

from bench import RUNS, STACK, processes, show, show_bound, timed


def services(count, changed=None):
    """Services with a port each; one of them is another than before."""
    return "".join(f'  s{i}:\n    image: busybox\n    command: sleep {1001 if i == changed else 1000}\n'
                   f'    ports: ["{20000 + i}:80"]\n' for i in range(count))


def start(bench):
    """One container with its network and port. Started and removed, client and all included, while the bridge is there, as it is
    for the floor; and a whole `up` and `down`, which make and remove a bridge and a supervisor for it as well."""
    assert bench.root.exists()
    bench.stack("container", "run", "-d", "--name", "other", "busybox", "sleep", "1000")
    show("start.container", statistics.median(timed(lambda: start_and_remove(bench)) for _ in range(RUNS)),
         "floor, one container's life", bench.floor_at_rest(RUNS)["total"])
    bench.stack("container", "rm", "-f", "other")

    directory = bench.project("bench1", services(1))
    times = [timed(lambda: (bench.stack("up", "-d", cwd=directory), bench.stack("down", "-t", "0", cwd=directory)))
             for _ in range(RUNS)]
    show("start.up_and_down", statistics.median(times), "floor, the life of a container and of its bridge",
         bench.floor_at_rest(RUNS, "-B")["total"])


def start_and_remove(bench):
    bench.stack("container", "run", "-d", "--name", "one", "-p", "20000:80", "busybox", "sleep", "1000")
    bench.stack("container", "rm", "-f", "one")


def measure_batch(bench, count):
    directory = bench.project(f"bench{count}", services(count))
    up, down = [], []
    for _ in range(3):
        up.append(timed(lambda: bench.stack("up", "-d", cwd=directory)))
        down.append(timed(lambda: bench.stack("down", "-t", "0", cwd=directory)))
    floor = bench.floor_at_rest(3, "-b", f"{count}")
    floor_up = next(value for name, value in floor.items() if "up" in name)
    floor_down = next(value for name, value in floor.items() if "down" in name)
    show(f"batch.up_{count}", statistics.median(up), f"floor, a batch of {count}", floor_up)
    show(f"batch.down_{count}", statistics.median(down), f"floor, a batch of {count}", floor_down)


def batch(bench):
    measure_batch(bench, 50)
    measure_batch(bench, 300)


def noop(bench):
    """50 services that are as wanted, and two of 50 that are not."""
    directory = bench.project("bench50", services(50))
    bench.stack("up", "-d", cwd=directory)
    times = [timed(lambda: bench.stack("up", "-d", cwd=directory)) for _ in range(RUNS)]
    show("noop.up_50", statistics.median(times), "fork+exec of true", bench.floor("-s", "-n", "100")["fork_exec_wait"])
    show_bound("noop.up_50.wall", statistics.median(times) * 1e3, "ms", 40)
    times = []
    for i in range(RUNS):
        bench.project("bench50", services(50, changed=i))
        times.append(timed(lambda: bench.stack("up", "-d", "-t", "0", cwd=directory)))
    show_bound("noop.two_of_50", statistics.median(times[1:]) * 1e3, "ms", 128)  # the last one's change is taken back
    bench.stack("down", "-t", "0", cwd=directory)


def chain(bench):
    """Five services, each of which waits until the one before is healthy. A check leaves a file at its begin."""
    out = bench.work / "checks"
    out.mkdir()
    links = "".join(
        f"  s{i}:\n    image: busybox\n    command: sleep 1000\n    volumes: [\"{out}:/out\"]\n"
        f"    healthcheck: {{test: [CMD, sh, -c, \"echo > /out/s{i}\"], interval: 60s, start_period: 60s, start_interval: 100ms}}\n"
        + (f"    depends_on: {{s{i - 1}: {{condition: service_healthy}}}}\n" if i else "") for i in range(5))
    directory = bench.project("chain", links)
    late = []
    for _ in range(RUNS):
        timed(lambda: bench.stack("up", "-d", "--wait", cwd=directory))
        late.append(time.time() - (out / "s4").stat().st_mtime)
        bench.stack("down", "-t", "0", cwd=directory)
    show_bound("chain.after_last_check", statistics.median(late) * 1e3, "ms", 50)


def restart(bench):
    """From the end of a container until it runs again, without the back-off's 100 ms.

    Each run leaves a file and ends, and is one program: what a shell and its children cost is not ours.
    """
    out = bench.work / "runs"
    gaps = []
    directory = bench.project("restart", f"  web:\n    image: busybox\n    command: busybox mktemp /out/XXXXXX\n"
                                         f"    restart: always\n    volumes: [\"{out}:/out\"]\n")
    for _ in range(RUNS):
        out.mkdir()
        bench.stack("up", "-d", cwd=directory)
        while len(list(out.iterdir())) < 2:
            time.sleep(0.01)
        first, second = sorted(run.stat().st_mtime for run in out.iterdir())[:2]
        gaps.append(second - first)
        bench.stack("down", "-t", "0", cwd=directory)
        subprocess.run(["rm", "-r", out], check=True)
    show_bound("restart.beyond_backoff", (statistics.median(gaps) - 0.1) * 1e3, "ms", 20)


def switches(pid):
    """How often the process has slept and gone on."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))


def idle(bench):
    """What a supervisor of 50 services does when there is nothing to do."""
    directory = bench.project("bench50", services(50))
    bench.stack("up", "-d", cwd=directory)
    supervisor, = processes("stack", "supervise")
    time.sleep(2)
    before, seconds = switches(supervisor), 30
    time.sleep(seconds)
    show_bound("idle.wake_ups_a_minute", (switches(supervisor) - before) * 60 / seconds, "", 12, "a look each ten seconds,")
    bench.stack("down", "-t", "0", cwd=directory)


def plan(bench):
    """1,000 services beside 1,000 live containers, which the planner's own code tells by itself."""
    subprocess.run([STACK.parent / "plan_bench"], check=True)
