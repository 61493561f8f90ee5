"""Networks and names."""

import contextlib
import json
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


def answers_at_once(askers):
    """How many answers come to `askers` that ask for both families at once, as C libraries do; each has its own socket."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(askers)]
    for one in sockets:
        one.connect(("127.0.0.1", 53))
        one.settimeout(2)
    question = dns_question("s0")
    for one in sockets:
        one.send(question)
        one.send(question[:-4] + struct.pack(">2H", 28, 1))
    answers = 0
    for one in sockets:
        with contextlib.suppress(TimeoutError), one:
            for _ in range(2):
                answers += len(one.recv(512)) > 0
    return answers


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
    show_bound("names.answered_to_300_at_once", min(answers_at_once(300) for _ in range(5)), "answers", 600)


UPLINK = "192.0.2.1"
TRAFFIC = """
  web:
    image: traffic
    command: nginx -c /etc/web.conf
    ports: ["8080:80"]
    tmpfs: [/tmp, /var/log/nginx]
    configs: [{source: web, target: /etc/web.conf}, {source: users, target: /etc/passwd}, {source: groups, target: /etc/group}]
  stream:
    image: traffic
    command: iperf3 -s
    ports: ["5201:5201"]
    tmpfs: [/tmp]
configs:
  users: {content: "root:x:0:0::/:"}
  groups: {content: "root:x:0:"}
  web:
    content: |
      daemon off; user root; worker_processes 1; pid /tmp/pid; error_log /dev/null;
      events { worker_connections 1024; }
      http {
        access_log off; keepalive_requests 10000000;
        client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
        uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
        server { listen 80; location / { return 200 "hello"; } }
      }
"""


def requests(host, port):
    """Requests a second of one client with 32 connections."""
    out = subprocess.run(["wrk", "-t1", "-c32", "-d2", f"http://{host}:{port}/"], check=True, capture_output=True, text=True).stdout
    return next(float(line.split()[1]) for line in out.splitlines() if line.startswith("Requests/sec:"))


def throughput(host):
    """Gigabits a second of one connection."""
    out = subprocess.run(["iperf3", "-c", host, "-t", "2", "-J"], check=True, capture_output=True, text=True).stdout
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9


def traffic(bench):
    """What goes through a published port, beside the same to the container's own address, in turns: on two cores that
    others may use as well, only what is measured side by side can be compared."""
    subprocess.run(f"ip link add up0 type veth peer name out0 && ip addr add {UPLINK}/24 dev up0 && ip link set up0 up && ip link set out0 up", shell=True, check=True)
    bench.stack("image", "collect", "-t", "traffic", "/usr/sbin/nginx", "/usr/bin/iperf3")
    directory = bench.project("traffic", TRAFFIC)
    bench.stack("up", "-d", cwd=directory)
    own = {service: json.loads(subprocess.run(
        [STACK, "--root", bench.work / "root", "container", "inspect", f"traffic-{service}-1"], check=True, capture_output=True,
        text=True).stdout)[0]["NetworkSettings"]["Networks"]["traffic_default"]["IPAddress"] for service in ("web", "stream")}
    time.sleep(1)

    def compare(name, unit, measure):
        """`measure` gives the figures for the own address, the host's and localhost, each time anew."""
        rounds = [measure() for _ in range(5)]
        bare, published, localhost = (statistics.median(values) for values in zip(*rounds))
        show_bound(f"traffic.{name}.published", published, unit, round(bare, 2), "to the container's own address")
        show_bound(f"traffic.{name}.localhost", localhost, unit, round(bare, 2), "to the container's own address")

    compare("requests", "a second", lambda: (requests(own["web"], 80), requests(UPLINK, 8080), requests("127.0.0.1", 8080)))
    compare("throughput", "Gbit/s", lambda: (throughput(own["stream"]), throughput(UPLINK), throughput("127.0.0.1")))
    bench.stack("down", "-t", "0", cwd=directory)
    subprocess.run(["ip", "link", "delete", "up0"], check=True)
