#!/usr/bin/env python3
"""Chains side by side: the same loads on Purlin chains and on anvil, in alternation, on loopback of one machine.

    bench/chain-side-by-side.py [--rounds N] [--transactions N] [--senders N] [--servers LIST] [--loads LIST] [--out FILE]

Servers: purlin (a development chain, one process), purlin-4 (four validators, four processes; all four take transactions) and
anvil, all with a block each second and a block gas limit of 600 million; each round starts a new, empty chain.
Loads:   transfers flood erc20 storage mixed rate; see LOADS below.
PURLIN names the binary (default target/release/purlin), which is also the generator (`bench chain`). anvil is installed from
npm into target/anvil when it is not there; ANVIL names another. Purlin keeps its chain on disk, durable at each block; anvil
keeps it in memory. CPU is that of all the server's processes, preparation and verification of the load included, for each
transaction. Every step has a time limit. Prints a Markdown table of medians.
"""

import argparse, contextlib, json, os, pathlib, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
PURLIN = os.environ.get("PURLIN", str(HERE.parent / "target/release/purlin"))
GAS_LIMIT = 600_000_000
POOL = 65_536  # transactions; anvil's has no limit
PORTS = 250  # of a demo, from its first
START_LIMIT = 20  # seconds until a server answers
RUN_LIMIT = 300  # seconds for one load with its verification

# name: arguments of `purlin bench chain`.
LOADS = {
    "transfers": "--load transfers --in-flight 8000",
    # More than the default pool holds: a block each second cannot have more transactions than may wait for it.
    "flood": "--load transfers --in-flight 20000",
    "erc20": "--load erc20 --in-flight 8000",
    "storage": "--load storage --in-flight 8000",
    "mixed": "--load mixed --in-flight 8000",
    # By the clock: how long a transaction waits when the server is not full.
    "rate": "--load transfers --rate 500",
}


def anvil():
    """Where anvil is; installs it when it is nowhere."""
    named = os.environ.get("ANVIL") or shutil.which("anvil")
    if named:
        return named
    folder = TARGET / "anvil"
    binary = lambda: next(folder.glob("node_modules/@foundry-rs/anvil-*/bin/anvil"), None)
    if not binary():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "@foundry-rs/anvil"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL, timeout=300)
    return str(binary() or sys.exit("npm has no anvil for this machine; name one with ANVIL"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_ports():
    """The first of a row of ports that are very likely free."""
    return next(port for port in (free_port() for _ in range(100)) if 10_000 < port < 65_000 - PORTS)


def command(server, port, work):
    if server == "anvil":
        return [anvil(), "--host", "127.0.0.1", "--port", str(port), "--block-time", "1", "--gas-limit", str(GAS_LIMIT), "--silent"]
    config = work / "purlin.toml"
    config.write_text(
        f'[node]\nid = "bench"\n[api]\nhttp = ["127.0.0.1:0"]\nhttps = []\nmetrics = []\n'
        f'[chain]\nenabled = true\nhttp = "127.0.0.1:{port}"\nblock_period = "1s"\nblock_gas_limit = {GAS_LIMIT}\n'
        f"transaction_pool_size = {POOL}\n"
    )
    return [PURLIN, "up", "--quiet", "--config", str(config), "--data-dir", str(work / "data")]


class Server:
    """One new chain, in a session of its own."""

    def __init__(self, name, work):
        self.port = free_port()
        self.urls = [f"http://127.0.0.1:{self.port}"]
        self.log = open(work / "log", "w+")
        self.process = subprocess.Popen(command(name, self.port, work), start_new_session=True, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=self.log)
        try:
            self.wait()
        except RuntimeError:
            self.stop()
            raise

    def wait(self):
        end = time.time() + START_LIMIT
        ask = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}).encode()
        while time.time() < end and self.process.poll() is None:
            try:
                request = urllib.request.Request(self.url(), ask, {"content-type": "application/json"})
                if "result" in json.load(urllib.request.urlopen(request, timeout=2)):
                    return
            except (OSError, ValueError):
                time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError(f"did not start: {self.log.read()[-500:]}")

    def url(self):
        return self.urls[0]

    def cpu(self):
        """CPU seconds of all its processes so far."""
        return sum(cpu_seconds(process) for process in self.processes())

    def processes(self):
        return [self.process.pid]

    def stop(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(10)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.log.close()


def cpu_seconds(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Validators(Server):
    """A chain of four validators; the demo ends them in order when it is asked to."""

    def __init__(self, work):
        self.log = open(work / "log", "w+")
        words = ["--validators", "4", "--period", "1s", "--base-port", str(free_ports()), "--out", str(work / "net"), "-o", "json"]
        self.process = subprocess.Popen([PURLIN, "chain", "demo", *words], start_new_session=True, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.log)
        try:
            self.places = self.read()
        except BaseException:
            self.stop()
            raise
        self.urls = [place["http"] for place in self.places]
        self.wait()

    def read(self):
        """What it prints when the first block is decided; the pipe stays open after it."""
        os.set_blocking(self.process.stdout.fileno(), False)
        end, text = time.time() + 120, b""
        while time.time() < end and self.process.poll() is None:
            text += self.process.stdout.read() or b""
            try:
                found = json.loads(text)
                return found["items"] if isinstance(found, dict) else found
            except ValueError:
                time.sleep(0.1)
        self.log.seek(0)
        raise RuntimeError(f"did not start: {self.log.read()[-500:]}")

    def processes(self):
        return [place["process"] for place in self.places]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            for process in (self.process.pid, *(place["process"] for place in getattr(self, "places", []))):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
        self.log.close()


def load(server, name, asked):
    words = [*LOADS[name].split(), "--transactions", str(asked.transactions), "--senders", str(asked.senders)]
    before = server.cpu()
    ran = subprocess.run([PURLIN, "bench", "chain", *server.urls, *words, "--quiet", "-o", "json"], capture_output=True,
                         text=True, timeout=RUN_LIMIT)
    if not ran.stdout:
        raise RuntimeError(ran.stderr.strip()[-500:])
    found = json.loads(ran.stdout)
    waits = found["inclusion"] or {}
    return {"accepted/s": found["accepted_per_second"], "mined/s": found["mined_per_second"],
            "Mgas/s": found["gas_per_second"] / 1e6, "p50": waits.get("p50_ms"), "p99": waits.get("p99_ms"),
            "us/tx": (server.cpu() - before) * 1e6 / max(found["mined"], 1), "largest": found["blocks"]["transactions_max"],
            "refused": sum(one["count"] for one in found["refusals"]), "verified": found["verification"]["verified"],
            "problems": [one["what"] for one in found["verification"]["problems"]]}


def one_round(name, which, asked, results):
    with tempfile.TemporaryDirectory() as folder:
        server = None
        try:
            server = Validators(pathlib.Path(folder)) if name == "purlin-4" else Server(name, pathlib.Path(folder))
            found = load(server, which, asked)
        except Exception as fault:  # one server's death must not end the comparison
            print(f"{which} {name}: {fault}", file=sys.stderr)
            return
        finally:
            if server:
                server.stop()
        results.setdefault((which, name), []).append(found)
        print(which, name, {k: round(v, 1) if isinstance(v, float) else v for k, v in found.items()}, file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--transactions", type=int, default=20_000)
    parser.add_argument("--senders", type=int, default=2000)
    parser.add_argument("--servers", default="purlin,anvil,purlin-4")
    parser.add_argument("--loads", default=",".join(LOADS))
    parser.add_argument("--out")
    asked = parser.parse_args()
    if not shutil.which(PURLIN):
        sys.exit(f"{PURLIN} is not there: cargo build --release -p purlin, or name another with PURLIN")
    results = {}
    for _ in range(asked.rounds):
        for which in asked.loads.split(","):
            for name in asked.servers.split(","):
                one_round(name, which, asked, results)
    print("| load | server | accepted/s | mined/s | Mgas/s | inclusion p50, ms | p99, ms | CPU us/transaction | largest block "
          "| refused | verified |\n|---|---|---|---|---|---|---|---|---|---|---|")
    for (which, name), rounds in sorted(results.items()):
        middle = lambda key: statistics.median([found.get(key) or 0 for found in rounds])
        verified = sum(found["verified"] for found in rounds)
        print(f"| {which} | {name} | {middle('accepted/s'):.0f} | {middle('mined/s'):.0f} | {middle('Mgas/s'):.0f} | "
              f"{middle('p50'):.0f} | {middle('p99'):.0f} | {middle('us/tx'):.0f} | {middle('largest'):.0f} | "
              f"{middle('refused'):.0f} | {verified} of {len(rounds)} |")
    if asked.out:
        json.dump({f"{which}/{name}": rounds for (which, name), rounds in results.items()}, open(asked.out, "w"), indent=1)


if __name__ == "__main__":
    main()
