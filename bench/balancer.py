#!/usr/bin/env python3
"""What `purlin lb` costs before a DHCP node: DORA latency straight to the node and through the front, in alternation, and
the CPU time that the front's process has per datagram and per DORA. On loopback, without privileges.

  bench/balancer.py [--rounds 5] [--rate 2000] [--seconds 5] [--backends 1] [--json FILE]

The node answers the front and the front its client, so that every DORA passes the front four times: twice as many as behind
relays and port 67, where answers go past it. CPU time is of all threads of the process, in nanoseconds as the scheduler
counts them, what it has while nobody asks included (shown apart). PURLIN names the binary (default target/release/purlin; figures of
a debug build mean nothing). The load is an open loop: latencies are those of that rate, not of a server at its limit.
"""

import argparse
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
PURLIN = os.environ.get("PURLIN", str(TARGET / "release/purlin"))
RELAY = "10.0.0.5@127.0.0.1:0"
WAYS = ("direct", "front")


def free_ports(count):
    """Ports that are free for UDP and TCP now."""
    held, ports = [], []
    while len(ports) < count:
        udp, tcp = socket.socket(type=socket.SOCK_DGRAM), socket.socket()
        held += [udp, tcp]
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            continue
        ports.append(udp.getsockname()[1])
    for one in held:
        one.close()
    return ports


def node_config(number, api, metrics, dhcp):
    return f"""[node]
id = "n{number}"
[api]
http = ["127.0.0.1:{api}"]
https = []
metrics = ["127.0.0.1:{metrics}"]
[dhcp]
listen = ["127.0.0.1:{dhcp}"]
server_id = "10.0.0.1"
[[dhcp.subnets]]
name = "bench"
network = "10.0.0.0/8"
pools = ["10.{16 * number}.0.0-10.{16 * number + 15}.255.255"]
"""


def front_config(api, listen, nodes):
    backends = "".join(
        f'{{ name = "n{number}", address = "127.0.0.1:{dhcp}", check = "127.0.0.1:{metrics}" }},\n'
        for number, (_, metrics, dhcp) in enumerate(nodes, 1)
    )
    return f"""[node]
id = "lb"
[api]
http = ["127.0.0.1:{api}"]
https = []
metrics = []
[[balancer.fronts]]
name = "dhcp"
service = "dhcp"
listen = "127.0.0.1:{listen}"
clients_max = 1000000
backends = [
{backends}]
"""


class Program:
    """A running `purlin`, with its files below `folder`."""

    def __init__(self, verb, name, folder, text):
        self.data, self.log = folder / name, folder / f"{name}.log"
        config = folder / f"{name}.toml"
        config.write_text(text)
        command = [PURLIN, verb, "--config", str(config), "--data-dir", str(self.data)]
        self.process = subprocess.Popen(command, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT)

    def until_up(self):
        end = time.monotonic() + 60
        while not (self.data / "node.json").is_file():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"{self.log} says why it does not run:\n{self.log.read_text()}")
            time.sleep(0.05)

    def ask(self, *words):
        command = [PURLIN, *words, "-o", "json", "--data-dir", str(self.data)]
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    def cpu(self):
        """Nanoseconds on a processor so far."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def load(port, arguments, seed):
    """A run of the generator: DORAs done, messages sent again, and percentiles of a whole DORA in us."""
    clients = max(1, int(arguments.rate * arguments.seconds))
    command = [PURLIN, "bench", "dhcp", f"127.0.0.1:{port}", "--relay", RELAY, "-q", "-o", "json"]
    command += ["--rate", str(arguments.rate), "--clients", str(clients), "--operations", str(clients), "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}") from None
    phase = next(one for one in report["phases"] if one["name"] == "load")
    if report["verification"]["violations"]:
        raise SystemExit(f"promises were broken: {report['verification']['violations']}")
    dora = next((one for one in phase["latency"] if one["step"] == "DORA"), None)
    if dora is None:
        raise SystemExit(f"no DORA came to its end: {phase}")
    return {"done": phase["done"], "again": phase["retransmitted"], "p50_us": dora["p50_us"], "p99_us": dora["p99_us"]}


def through(front, port, arguments, seed):
    """The same through the front, with what the front had for it."""
    count = lambda: front.ask("lb", "status")["fronts"][0]
    before, cpu = count(), front.cpu()
    run = load(port, arguments, seed)
    cpu, after = front.cpu() - cpu, count()
    run["datagrams"] = sum(after[key] - before[key] for key in ("taken", "answers"))
    run["cpu_us_per_datagram"] = cpu / 1000 / max(1, run["datagrams"])
    run["cpu_us_per_dora"] = cpu / 1000 / max(1, run["done"])
    return run


def measure(arguments, folder):
    ports = free_ports(3 * arguments.backends + 2)
    nodes = [tuple(ports[3 * index : 3 * index + 3]) for index in range(arguments.backends)]
    api, listen = ports[-2:]
    programs = []
    try:
        for number, node in enumerate(nodes, 1):
            programs.append(Program("up", f"n{number}", folder, node_config(number, *node)))
        for program in programs:
            program.until_up()
        front = Program("lb", "lb", folder, front_config(api, listen, nodes))
        programs.append(front)
        front.until_up()
        for warm, port in enumerate((nodes[0][2], listen)):
            load(port, argparse.Namespace(rate=min(200, arguments.rate), seconds=1), 250 + warm)
        idle, since = front.cpu(), time.monotonic()
        time.sleep(1)
        idle = (front.cpu() - idle) / 1000 / (time.monotonic() - since)
        rounds = []
        for number in range(1, arguments.rounds + 1):
            runs = {"direct": load(nodes[0][2], arguments, 2 * number), "front": through(front, listen, arguments, 2 * number + 1)}
            rounds.append(runs)
            print(f"round {number}: {runs}", file=sys.stderr, flush=True)
        return {"idle_us_per_second": idle, "rounds": rounds}
    finally:
        for program in reversed(programs):
            program.stop()


def table(result):
    """Medians over the rounds, with the lowest and the highest."""

    def cell(way, key):
        values = [runs[way][key] for runs in result["rounds"] if key in runs[way]]
        return f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})" if values else ""

    rows = [["", *WAYS]]
    for key in ("p50_us", "p99_us", "done", "again", "datagrams", "cpu_us_per_datagram", "cpu_us_per_dora"):
        rows.append([key, *(cell(way, key) for way in WAYS)])
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    added = [runs["front"]["p50_us"] - runs["direct"]["p50_us"] for runs in result["rounds"]]
    print(f"added to a DORA at the median: {statistics.median(added):.1f} us; idle front: {result['idle_us_per_second']:.0f} us CPU/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=2000, help="DORAs begun per second")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--backends", type=int, default=1, help="nodes behind the front; direct runs ask the first")
    parser.add_argument("--json", help="write all figures there")
    arguments = parser.parse_args()
    if not pathlib.Path(PURLIN).is_file():
        raise SystemExit(f"{PURLIN} is not there: cargo build --release -p purlin, or name it with PURLIN")
    with tempfile.TemporaryDirectory(prefix="purlin-balancer-") as folder:
        result = measure(arguments, pathlib.Path(folder))
    result["purlin"], result["asked"] = PURLIN, vars(arguments)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(result, indent=1) + "\n")
    table(result)


if __name__ == "__main__":
    main()
