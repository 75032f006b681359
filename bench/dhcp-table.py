#!/usr/bin/env python3
"""Turns the results of dhcp-side-by-side.sh into a Markdown table: dhcp-table.py DIR SERVER..."""

import json
import pathlib
import statistics
import sys

folder = pathlib.Path(sys.argv[1])
servers = sys.argv[2:]


def load(name):
    try:
        return json.loads((folder / name).read_text())
    except (OSError, ValueError):
        return None


def phases(server, kind):
    """The load phase of every round that has a result."""
    files = sorted(folder.glob(f"{server}.[0-9]*.{kind}.json"))
    reports = [load(file.name) for file in files]
    return [report["phases"][0] for report in reports if report and report["phases"]]


def median(values):
    return statistics.median(values) if values else None


def rate(server, kind):
    return median([phase["per_second"] for phase in phases(server, kind)])


def latency(server, step, quantile):
    found = [entry[quantile] for phase in phases(server, "half") for entry in phase["latency"] if entry["step"] == step]
    return median(found)


def cpu(server):
    return median([p["server"]["micros_per_operation"] for p in phases(server, "closed256") if p["server"]])


CLOSED = ("closed64", "closed256", "closed1024")


def best_rate(server):
    return max(filter(None, [rate(server, kind) for kind in CLOSED]), default=None)


def show(value, form="{:,.0f}"):
    return "-" if value is None else form.format(value)


def syscalls(server):
    """Calls per DORA in total and of the kinds that matter for durability."""
    traced = load(f"{server}.traced.json")
    try:
        lines = (folder / f"{server}.strace").read_text().splitlines()
    except OSError:
        return None
    done = traced["phases"][0]["done"] if traced and traced["phases"] else 0
    if not done:
        return None
    counts = {}
    for line in lines:
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            counts[words[-1]] = int(words[3])
    syncs = sum(counts.get(name, 0) for name in ("fsync", "fdatasync", "sync_file_range", "msync"))
    often = sorted(counts.items(), key=lambda item: -item[1])[:4]
    return sum(counts.values()) / done, syncs / done, ", ".join(f"{name} {count / done:.2f}" for name, count in often)


def number(name):
    try:
        return float((folder / name).read_text())
    except (OSError, ValueError):
        return None


def verdict(server):
    reports = [load(file.name) for file in sorted(folder.glob(f"{server}.*.json"))]
    found = {}
    for report in filter(None, reports):
        for entry in report["verification"]["violations"]:
            found[entry["kind"]] = found.get(entry["kind"], 0) + entry["count"]
    return ", ".join(f"{kind} {count}" for kind, count in sorted(found.items())) or "none"


print("Conditions:", "; ".join((folder / "conditions").read_text().split("\n")).strip("; "))
print()
print("| server | DORA/s, 64 in flight | 256 | 1024 | best, ratio to kea's best | server CPU us/DORA | half load: OFFER p50 / p99 us |"
      " ACK p50 / p99 us | failed, messages sent again | broken promises |")
print("|---|---|---|---|---|---|---|---|---|---|")
base = best_rate("kea")
for server in servers:
    best = best_rate(server)
    ratio = best / base if best and base else None
    half = phases(server, "half")
    started = sum(o["started"] for p in half for o in p["operations"])
    failed = sum(o["timed_out"] + o["refused"] for p in half for o in p["operations"]) + sum(p["shed"] for p in half)
    again = sum(p["retransmitted"] for p in half)
    lost = f"{failed / started:.2%}, {again / started / 2:.2%}" if started else "-"
    offers = f"{show(latency(server, 'DISCOVER-OFFER', 'p50_us'))} / {show(latency(server, 'DISCOVER-OFFER', 'p99_us'))}"
    acks = f"{show(latency(server, 'REQUEST-ACK', 'p50_us'))} / {show(latency(server, 'REQUEST-ACK', 'p99_us'))}"
    rates = " | ".join(show(rate(server, kind)) for kind in CLOSED)
    print(f"| {server} | {rates} | {show(ratio, '{:.2f}')} |"
          f" {show(cpu(server), '{:.1f}')} | {offers} | {acks} | {lost} |"
          f" {verdict(server)} |")

print()
print("| server | system calls per DORA | syncs per DORA | most frequent |")
print("|---|---|---|---|")
for server in servers:
    calls = syscalls(server)
    if calls:
        print(f"| {server} | {calls[0]:.2f} | {calls[1]:.4f} | {calls[2]} |")

filled = [server for server in servers if (folder / f"{server}.fill.json").exists()]
if filled:
    print()
    print("| server | leases | filled in s | octets resident per lease | away after kill -9, ms | asked again by owners |"
          " of them answered | strangers | broken promises after restart |")
    print("|---|---|---|---|---|---|---|---|---|")
for server in filled:
    fill, check = load(f"{server}.fill.json"), load(f"{server}.fill.verify.json")
    before, after = number(f"{server}.fill.rss0"), number(f"{server}.fill.rss1")
    leases = fill["phases"][0]["done"] if fill else 0
    each = (after - before) / leases if leases and before is not None and after is not None else None
    by_name = {phase["name"]: phase for phase in check["phases"]} if check else {}
    owners, strangers = by_name.get("owners"), by_name.get("strangers")
    asked = sum(o["started"] for o in owners["operations"]) if owners else None
    broken = ", ".join(f"{v['kind']} {v['count']}" for v in check["verification"]["violations"]) if check else "-"
    print(f"| {server} | {leases:,} | {show(fill['phases'][0]['seconds'] if fill else None, '{:.1f}')} | {show(each)} |"
          f" {show(number(f'{server}.fill.restart_ms'))} | {show(asked)} | {show(owners['done'] if owners else None)} |"
          f" {show(strangers['done'] if strangers else None)} | {broken or 'none'} |")
