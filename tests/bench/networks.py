"""Networks and names."""

import socket
import statistics
import struct
import subprocess
import time

from bench import STACK, show_bound


def network(bench):
    """Attach, published ports and removal, which the engine's own code tells by itself."""
    subprocess.run([STACK.parent / "network_bench", bench.work / "network"], check=True)


def dns_question(name):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


def lookup_time(names, rate=10000, seconds=2):
    """The median time of an answer while there are `rate` questions a second, in seconds."""
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.connect(("127.0.0.1", 53))
    asker.settimeout(1)
    questions = [dns_question(f"s{i}") for i in range(names)]
    times = []
    begin = time.monotonic()
    for i in range(rate * seconds):
        while time.monotonic() < begin + i / rate:
            pass
        asked = time.monotonic()
        asker.send(questions[i % names])
        answer = asker.recv(512)
        times.append(time.monotonic() - asked)
        assert answer[3] & 15 == 0, "a name was not found"
    return statistics.median(times)


def names(bench):
    directory = bench.work / "dns"
    directory.mkdir()

    def with_names(count):
        lines = "".join(f"name 127.0.0.1 s{i} 10.0.{i // 250}.{i % 250 + 1}\n" for i in range(count))
        (directory / "new").write_text("listen 127.0.0.1\n" + lines)
        (directory / "new").rename(directory / "names")
        time.sleep(0.5)  # it is read when it is seen
        return lookup_time(count)

    (directory / "names").write_text("listen 127.0.0.1\n")
    subprocess.run([STACK.parent / "stack-dns", directory], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    few, many = with_names(2), with_names(1000)
    show_bound("names.lookup", few * 1e6, "us", 100)
    show_bound("names.lookup_of_1000", many * 1e6, "us", round(few * 1e6, 2), "of 2 names")
