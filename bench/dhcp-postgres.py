#!/usr/bin/env python3
"""DHCPv4 over PostgreSQL side by side: Kea and Purlin with the same database settings, on one machine, in a network of
their own, in alternation. Needs root, iproute2, and Debian's postgresql, kea-dhcp4-server and kea-admin.

  bench/dhcp-postgres.py [--rounds 3] [--seconds 4] [--servers kea-pg,kea,purlin-pg,purlin-pg-3] [--out DIR]

Servers: kea = memfile, the yardstick for renewals; kea-pg = the pgsql lease database, two threads; purlin-pg = one node on
PostgreSQL; purlin-pg-3 = three nodes that share the addresses, of which the load asks one: it hands two packets of three on.
PostgreSQL has its defaults but for shared_buffers (512 MB) and max_connections; fsync and synchronous_commit stay on.
PURLIN names the binary (default target/release/purlin), LOAD the generator (default: the crate's example `load`).
CPU is user and system time of the DHCP processes, and apart from it that of PostgreSQL, per finished DORA.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
PURLIN = os.environ.get("PURLIN", TARGET / "release/purlin")
LOAD = os.environ.get("LOAD", TARGET / "release/examples/load")
PGBIN = next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
NETS = (f"dhcp-pg-s-{os.getpid()}", f"dhcp-pg-c-{os.getpid()}")
IN_FLIGHT = (64, 256, 768, 1024)
TICK = os.sysconf("SC_CLK_TCK")
ALONE = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
KEA = {"kea": None, "kea-pg": '"type": "postgresql", "name": "kea", "user": "postgres", "host": "127.0.0.1"'}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def make_network():
    server, client = NETS
    ip("netns", "add", server)
    ip("netns", "add", client)
    ip("-n", server, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", client)
    for host in (1, 11, 12):
        ip("-n", server, "addr", "add", f"10.0.0.{host}/8", "dev", "v0")
    ip("-n", client, "addr", "add", "10.0.0.2/8", "dev", "v1")
    for net, link in ((server, "v0"), (server, "lo"), (client, "v1"), (client, "lo")):
        ip("-n", net, "link", "set", link, "up")


def inside(*command, **options):
    return subprocess.Popen(["ip", "netns", "exec", NETS[0], *map(str, command)], **options)


def inside_and_done(*command):
    subprocess.run(["ip", "netns", "exec", NETS[0], *map(str, command)], check=True, stdout=subprocess.DEVNULL)


def until(what, holds, limit=60):
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited in vain until {what}")
        time.sleep(0.1)


class Postgres:
    """A new database in a folder, ended by `stop`."""

    def __init__(self, folder):
        self.folder = folder / "pg"
        self.folder.mkdir()
        shutil.chown(self.folder, "postgres", "postgres")
        quiet = {"check": True, "stdout": subprocess.DEVNULL}
        subprocess.run([*ALONE, PGBIN / "initdb", "-D", self.folder, "-U", "postgres", "-A", "trust", "--no-sync"], **quiet)
        options = "-c shared_buffers=512MB -c max_connections=100 -c unix_socket_directories= -c max_wal_size=4GB".split()
        command = [*ALONE, PGBIN / "postgres", "-D", self.folder, *options]
        self.process = inside(*command, stderr=open(folder / "pg.log", "ab"))
        until("PostgreSQL answered", lambda: self.ask("postgres", "select 1") == "1")

    def ask(self, database, query):
        psql = [PGBIN / "psql", "-h", "127.0.0.1", "-U", "postgres", "-d", database, "-XAtc", query]
        done = subprocess.run(["ip", "netns", "exec", NETS[0], *map(str, psql)], capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def kea_config(name, state):
    lease = KEA[name] or f'"type": "memfile", "persist": true, "lfc-interval": 0, "name": "{state}/leases.csv"'
    threads = '{"enable-multi-threading": true, "thread-pool-size": 2, "packet-queue-size": 4096}' if KEA[name] else (
        '{"enable-multi-threading": false}')
    return f"""{{"Dhcp4": {{"interfaces-config": {{"interfaces": ["v0/10.0.0.1"], "dhcp-socket-type": "udp"}},
      "lease-database": {{{lease}}}, "valid-lifetime": 86400, "multi-threading": {threads},
      "subnet4": [{{"subnet": "10.0.0.0/8", "pools": [{{"pool": "10.1.0.0-10.250.255.255"}}]}}],
      "loggers": [{{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{{"output": "stderr"}}]}}]}}}}"""


def purlin_config(state, number, host):
    return f"""[node]
id = "n{number}"
data_dir = "{state}/n{number}"
[api]
http = ["127.0.0.1:{8080 + number}"]
https = []
metrics = []
[store]
engine = "postgres"
url = "postgresql://postgres@127.0.0.1/purlin"
[cluster]
enabled = true
node_ip = "10.0.0.{host}"
secret = "a secret of the benchmark"
peer_port = {8067 + number}
takeover = "fast"
[dhcp]
listen = ["10.0.0.{host}:67"]
server_id = "10.0.0.1"
[[dhcp.subnets]]
name = "bench"
network = "10.0.0.0/8"
pools = ["10.1.0.0-10.250.255.255"]
lease_time = "24h"
"""


class Server:
    """Some processes that serve DHCP at 10.0.0.1, over a new PostgreSQL where they want one."""

    def __init__(self, name, folder):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="state-", dir=folder))
        self.folder.chmod(0o755)
        self.postgres = None if name == "kea" else Postgres(self.folder)
        log = open(folder / f"{name}.log", "ab")
        if name in KEA:
            self.processes = [self.kea(name, log)]
        else:
            self.postgres.ask("postgres", "create database purlin")
            nodes = ((1, 1), (2, 11), (3, 12)) if name.endswith("-3") else ((1, 1),)
            self.processes = [self.purlin(number, host, log) for number, host in nodes]
            until("all slots were held", lambda: self.alive() and self.slots() == 4096)
        until("it answered", lambda: self.alive() and generate("seed=250", "clients=1", "ops=1", "timeout_ms=50", "attempts=1")["done"] == 1)

    def kea(self, name, log):
        if self.postgres:
            self.postgres.ask("postgres", "create database kea")
            inside_and_done("kea-admin", "db-init", "pgsql", "-h", "127.0.0.1", "-u", "postgres", "-n", "kea")
        path = self.folder / "kea.json"
        path.write_text(kea_config(name, self.folder))
        places = {key: str(self.folder) for key in ("KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR", "KEA_DHCP_DATA_DIR")}
        environment = {**os.environ, **places, "KEA_LOGGER_DESTINATION": "stderr"}
        return inside("kea-dhcp4", "-c", path, stdout=log, stderr=log, env=environment)

    def purlin(self, number, host, log):
        path = self.folder / f"n{number}.toml"
        path.write_text(purlin_config(self.folder, number, host))
        return inside(PURLIN, "up", "--config", path, stdout=log, stderr=log)

    def alive(self):
        if any(process.poll() is not None for process in self.processes):
            raise RuntimeError("a node ended; see its log")
        return True

    def slots(self):
        """How many every node holds together; none until each holds some."""
        held = []
        for number in range(1, len(self.processes) + 1):
            try:
                token = (self.folder / f"n{number}/admin-token").read_text().strip()
            except OSError:
                return 0
            url = f"http://127.0.0.1:{8080 + number}/api/v1/cluster"
            curl = ["curl", "-s", "-m", "2", "-H", f"authorization: Bearer {token}", url]
            done = subprocess.run(["ip", "netns", "exec", NETS[0], *curl], capture_output=True, text=True)
            try:
                held.append(json.loads(done.stdout)["slots"])
            except (ValueError, KeyError):
                return 0
        return sum(held) if all(held) else 0

    def cpu(self):
        """Seconds that the servers and that PostgreSQL have had so far."""
        served = sum(cpu_of(process.pid) for process in self.processes)
        return served, cpu_of(self.postgres.process.pid, True) if self.postgres else 0.0

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def cpu_of(pid, with_children=False):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        seconds = sum(map(int, fields[11:13])) / TICK
        if with_children:
            # Those that have ended and were waited for, and those that live.
            seconds += sum(map(int, fields[13:15])) / TICK
            children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            seconds += sum(cpu_of(child) for child in children)
        return seconds
    except OSError:
        return 0.0


def generate(*arguments):
    """The first and, with `then`, the second phase of a load through a relay in the client's namespace."""
    command = ["ip", "netns", "exec", NETS[1], str(LOAD), "server=10.0.0.1:67", "relays=10.0.0.2@10.0.0.2:67", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    report = json.loads(done.stdout)
    if report["verification"]["violations"]:
        say("  PROMISES BROKEN:", report["verification"]["violations"])
    phases = report["phases"]
    return phases[0] if len(phases) == 1 else phases


def mean_of(phase, step):
    return next((entry["mean_us"] / 1000 for entry in phase["latency"] if entry["step"] == step), None)


def measured(server, *arguments):
    before, phases = server.cpu(), generate(*arguments)
    served, stored = (after - first for after, first in zip(server.cpu(), before))
    return phases, served, stored


def turn(name, folder, seconds):
    server, row = Server(name, folder), {}
    try:
        # 768 at three nodes is 256 at each: what a node does for each batch is shared by as many leases as at one node.
        for in_flight in IN_FLIGHT:
            phase, served, stored = measured(
                server, f"load=closed:{in_flight}", f"seconds={seconds}", "clients=4000000", f"seed={in_flight % 200}",
                "timeout_ms=1000")
            row[f"dora{in_flight}"] = phase["per_second"]
            row[f"us{in_flight}"], row[f"us_pg{in_flight}"] = (1e6 * s / max(phase["done"], 1) for s in (served, stored))
        # The same clients come again: every one has a lease and renews it.
        for in_flight in (1, 64, 256):
            phases, *_ = measured(
                server, f"load=closed:{in_flight}", "ops=8000", "clients=8000", f"seed={200 + in_flight % 50}", "then=renew",
                "timeout_ms=1000")
            row[f"renew{in_flight}"] = phases[1]["per_second"]
            row[f"renew{in_flight}_ms"] = mean_of(phases[1], "RENEW-ACK")
    finally:
        server.stop()
    say("  " + name + ": " + ", ".join(f"{key} {value:,.2f}" for key, value in row.items() if value is not None))
    return row


def table(rows):
    keys = [f"{what}{n}" for what in ("dora", "us", "us_pg") for n in IN_FLIGHT] + ["renew1", "renew1_ms", "renew64", "renew64_ms", "renew256",
            "renew256_ms"]
    print("| server | " + " | ".join(keys) + " |\n|---|" + "---|" * len(keys))
    for name, turns in rows.items():
        cells = []
        for key in keys:
            values = [turn[key] for turn in turns if turn.get(key) is not None]
            cells.append(f"{statistics.median(values):,.2f}" if values else "-")
        print(f"| {name} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--servers", default="kea-pg,kea,purlin-pg,purlin-pg-3")
    parser.add_argument("--out", type=pathlib.Path)
    asked = parser.parse_args()
    folder = asked.out or pathlib.Path(tempfile.mkdtemp(prefix="dhcp-postgres."))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    names = asked.servers.split(",")
    rows = {name: [] for name in names}
    make_network()
    try:
        for number in range(asked.rounds):
            say(f"round {number + 1}")
            for name in names:
                rows[name].append(turn(name, folder, asked.seconds))
        (folder / "rows.json").write_text(json.dumps(rows, indent=1))
        table(rows)
        print(f"\n{os.uname().release}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the end")
    finally:
        for net in NETS:
            subprocess.run(["ip", "netns", "del", net], check=False)


if __name__ == "__main__":
    main()
