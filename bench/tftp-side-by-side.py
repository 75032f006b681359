#!/usr/bin/env python3
"""Boot file servers side by side: the same loads, in alternation, on loopback of one machine.

    bench/tftp-side-by-side.py [--rounds N] [--seconds N] [--servers LIST] [--loads LIST] [--out FILE]

Servers: purlin hpa (tftpd-hpa) atftpd dnsmasq rs-tftpd; those that are not installed are left out; nginx for the HTTP load.
Loads:   single16 single1 many16 many1 thousand tenthousand loss1 loss5 hits misses http; see LOADS below.
Needs root (a cgroup counts the CPU time of a server with all its children), Debian's tftpd-hpa, atftpd, dnsmasq-base,
nginx-light, curl; `cargo xtask setup` builds rs-tftpd. PURLIN names the binary (default target/release/purlin), which is
also the generator (`bench tftp`). Every step has a time limit. Prints a Markdown table of medians: MB/s, server CPU seconds
per GB and microseconds per request, first block p99.
"""

import argparse, json, os, pathlib, shutil, signal, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent
PURLIN = os.environ.get("PURLIN", str(HERE.parent / "target/release/purlin"))
PORT, HTTP_PORT = 17069, 17080
SMALL, LARGE, ONE = 1 << 20, 32 << 20, 1000

# name: arguments of `purlin bench tftp`; SECONDS is replaced.
LOADS = {
    "single16": "--profile 1468x16 --clients 1 --file large=LARGE --duration SECONDS",
    "single1": "--profile 1468x1 --clients 1 --file large=LARGE --duration SECONDS",
    "many16": "--profile 1468x16 --clients 100 --file small=SMALL --duration SECONDS",
    "many1": "--profile 1468x1 --clients 100 --file small=SMALL --duration SECONDS",
    "thousand": "--profile 1468x16 --clients 1000 --file small=SMALL --duration SECONDS",
    "tenthousand": "--profile 1468x16 --shared 8 --clients 10000 --boots 10000 --ramp 1s --transfer-limit 15s --file small=SMALL",
    "loss1": "--profile 1468x16 --clients 16 --file small=SMALL --duration SECONDS --loss 0.01 --timeout 500ms",
    "loss5": "--profile 1468x16 --clients 16 --file small=SMALL --duration SECONDS --loss 0.05 --timeout 500ms",
    # The same options asked at the same rate, for one file of one block and for names that are not there, each another.
    "hits": "--profile 1408x1 --rate 4000 --file one=ONE --duration SECONDS",
    "misses": "--profile miss --rate 4000 --file one=ONE --duration SECONDS",
}


class Cgroup:
    """CPU time of a server and everything it starts."""

    def __init__(self, name):
        v1 = pathlib.Path("/sys/fs/cgroup/cpuacct")
        self.v1 = v1.is_dir()
        self.path = (v1 if self.v1 else pathlib.Path("/sys/fs/cgroup")) / name
        try:
            self.path.mkdir(exist_ok=True)
        except OSError:  # a container without control groups of its own
            self.path = None

    def enter(self):
        if self.path:
            (self.path / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self, session):
        if not self.path:
            return session_seconds(session)
        if self.v1:
            return int((self.path / "cpuacct.usage").read_text()) / 1e9
        return int((self.path / "cpu.stat").read_text().split()[1]) / 1e6

    def remove(self):
        try:
            if self.path:
                self.path.rmdir()
        except OSError:
            pass


def session_seconds(session):
    """The same from /proc, in steps of 10 ms: children that nobody waited for are missing."""
    ticks = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def command(server, root, work):
    if server == "purlin":
        config = work / "purlin.toml"
        config.write_text(
            f'[node]\nid = "bench"\n[api]\nhttp = ["127.0.0.1:0"]\nhttps = []\nmetrics = []\n'
            f'[tftp]\nlisten = ["127.0.0.1:{PORT}"]\nroot = "{root}"\n[tftp.http]\nlisten = ["127.0.0.1:{HTTP_PORT}"]\n'
        )
        return [PURLIN, "up", "--quiet", "--config", str(config), "--data-dir", str(work / "data")]
    if server == "hpa":
        return ["/usr/sbin/in.tftpd", "-L", "-4", "-a", f"127.0.0.1:{PORT}", "-s", str(root), "-u", "root"]
    if server == "atftpd":
        return [shutil.which("atftpd"), "--daemon", "--no-fork", "--bind-address", "127.0.0.1", "--port", str(PORT),
                "--maxthread", "20000", "--user", "root", "--group", "root", "--logfile", "/dev/null", str(root)]
    if server == "dnsmasq":
        return ["dnsmasq", "-k", "--conf-file=/dev/null", "--port=0", "--user=root", "--listen-address=127.0.0.1",
                "--enable-tftp", f"--tftp-root={root}", "--tftp-max=20000", f"--pid-file={work}/dnsmasq.pid"]
    if server == "rs-tftpd":
        return [program(server), "-i", "127.0.0.1", "-p", str(PORT), "-d", str(root), "-r", "-q"]
    config = work / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 2; pid {work}/nginx.pid; error_log /dev/null; user root;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; server {{ listen 127.0.0.1:{HTTP_PORT}; root {root}; }} }}\n"
    )
    return ["nginx", "-c", str(config), "-p", str(work)]


def program(server):
    """Where a server's program is, or None."""
    name = {"purlin": PURLIN, "hpa": "in.tftpd", "rs-tftpd": "tftpd"}.get(server, server)
    if server != "rs-tftpd":
        return shutil.which(name)
    # `cargo xtask setup` builds it; Debian's program of this name would be another one.
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    return shutil.which(name, path=str(target / "tools/bin"))


class Server:
    def __init__(self, name, root, work):
        self.group = Cgroup(f"tftp-bench-{os.getpid()}")
        # dnsmasq cannot be told another TFTP port.
        self.port = 69 if name == "dnsmasq" else PORT
        self.process = subprocess.Popen(
            command(name, root, work), preexec_fn=self.group.enter, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(1.5)
        if self.process.poll() is not None:
            raise RuntimeError(f"{name} did not start")

    def seconds(self):
        return self.group.seconds(self.process.pid)

    def stop(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(5)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self.group.remove()


def tftp_load(server, load, seconds):
    words = LOADS[load].replace("SECONDS", f"{seconds}s")
    for name, size in {"SMALL": SMALL, "LARGE": LARGE, "ONE": ONE}.items():
        words = words.replace(name, str(size))
    before = server.seconds()
    ran = subprocess.run([PURLIN, "bench", "tftp", f"127.0.0.1:{server.port}", *words.split(), "--quiet", "-o", "json"],
                         capture_output=True, text=True, timeout=120)
    used = server.seconds() - before
    phase = json.loads(ran.stdout)["phases"][0]
    first = next((l for l in phase["latency"] if l["step"] == "first-block"), {})
    octets, requests = phase["octets"], phase["transfers"]["done"] + phase["transfers"]["missed"]
    return {"MB/s": phase["octets_per_second"] / 1e6, "s/GB": used * 1e9 / octets if octets else None,
            "us/request": used * 1e6 / requests if requests else None,
            "first p99 ms": first.get("p99_us", 0) / 1000, "done": phase["boots_done"], "failed": phase["boots_failed"],
            "amplification": phase["amplification"]}


def http_load(server, seconds):
    before, octets, end = server.seconds(), 0, time.time() + seconds
    began = time.time()
    while time.time() < end:
        subprocess.run(["curl", "-s", *sum((["-o", "/dev/null", f"http://127.0.0.1:{HTTP_PORT}/large"] for _ in range(8)), [])],
                       check=True, timeout=60)
        octets += 8 * LARGE
    return {"MB/s": octets / (time.time() - began) / 1e6, "s/GB": (server.seconds() - before) * 1e9 / octets}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--servers", default="purlin,hpa,atftpd,dnsmasq,rs-tftpd,nginx")
    parser.add_argument("--loads", default=",".join([*LOADS, "http"]))
    parser.add_argument("--out")
    asked = parser.parse_args()
    servers = [s for s in asked.servers.split(",") if program(s)]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        work, root = pathlib.Path(folder), pathlib.Path(folder) / "root"
        root.mkdir()
        made = subprocess.run([PURLIN, "bench", "tftp", "--make-files", str(root), "--file", f"small={SMALL}",
                               "--file", f"large={LARGE}", "--file", f"one={ONE}"], capture_output=True, text=True)
        if made.returncode:
            sys.exit(f"no files: {made.stderr}")
        os.chmod(folder, 0o755)
        for _ in range(asked.rounds):
            for load in asked.loads.split(","):
                for name in servers:
                    if (name == "nginx") != (load == "http") and not (name == "purlin" and load == "http"):
                        continue
                    server = None
                    try:
                        server = Server(name, root, work)
                        found = http_load(server, asked.seconds) if load == "http" else tftp_load(server, load, asked.seconds)
                    except Exception as fault:  # one server's death must not end the comparison
                        print(f"{load} {name}: {fault}", file=sys.stderr)
                        continue
                    finally:
                        if server:
                            server.stop()
                    results.setdefault((load, name), []).append(found)
                    print(load, name, {k: round(v, 2) if v else v for k, v in found.items()}, file=sys.stderr)
    print("| load | server | MB/s | CPU s/GB | CPU us/request | first block p99, ms | done | failed |\n"
          "|---|---|---|---|---|---|---|---|")
    for (load, name), rounds in sorted(results.items()):
        middle = lambda key: statistics.median([r.get(key) or 0 for r in rounds])
        print(f"| {load} | {name} | {middle('MB/s'):.0f} | {middle('s/GB'):.2f} | {middle('us/request'):.0f} | "
              f"{middle('first p99 ms'):.1f} | {middle('done'):.0f} | {middle('failed'):.0f} |")
    if asked.out:
        json.dump({f"{l}/{n}": r for (l, n), r in results.items()}, open(asked.out, "w"), indent=1)


if __name__ == "__main__":
    main()
