#!/usr/bin/env bash
# DHCPv4 servers side by side: the same loads, in alternation, on one machine, in a network of their own.
#
#   bench/dhcp-side-by-side.sh [--rounds N] [--seconds N] [--servers LIST] [--fill N] [--out DIR] [--keep]
#
#   --rounds   how often each server has its turn (default 3; medians are shown)
#   --seconds  length of each load (default 4)
#   --servers  comma-separated, of: kea kea-mt null null-rust purlin purlin-lead
#              (default: kea,kea-mt,null,null-rust,purlin,purlin-lead, less what is not installed)
#   --fill     leases for the memory and restart test of kea, purlin and purlin-lead; 0 leaves it out (default 1000000)
#   --out      where results and logs go (default: a new folder under /tmp; printed)
#
# Needs root, iproute2, python3, cc, and for the peers Debian's kea-dhcp4-server; strace for the system calls.
# Servers: kea = memfile, persistent, one thread; kea-mt = the same with two threads and a packet queue of 4096;
# null = stateless responder in C (bench/null_responder.c);
# null-rust = the same over Purlin's own socket layer; purlin = ack "durable"; purlin-lead = ack "lead".
# PURLIN names the binary (default target/release/purlin), LOAD the generator (default: the crate's example `load`).
# Takes about (rounds x servers x 4 loads x seconds) plus the fills; every single step has a time limit.
set -uo pipefail

rounds=3 seconds=4 servers= fill=1000000 out= keep=
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2; shift 2 ;;
        --seconds) seconds=$2; shift 2 ;;
        --servers) servers=$2; shift 2 ;;
        --fill) fill=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        --keep) keep=1; shift ;;
        *) sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
    esac
done

here=$(cd "$(dirname "$0")" && pwd)
target=${CARGO_TARGET_DIR:-$here/../target}
purlin=${PURLIN:-$target/release/purlin}
load=${LOAD:-$target/release/examples/load}
null_rust=${NULL_RUST:-$target/release/examples/null_responder}
out=${out:-$(mktemp -d /tmp/dhcp-side-by-side.XXXXXX)}
mkdir -p "$out"
server_ns=dhcp-bench-s-$$ client_ns=dhcp-bench-c-$$
server_pid=

say() { printf '%s\n' "$*" >&2; }

stop_server() {
    [ -n "$server_pid" ] || return 0
    kill "$1" "$server_pid" 2>/dev/null
    for _ in $(seq 100); do
        kill -0 "$server_pid" 2>/dev/null || break
        sleep 0.05
    done
    kill -KILL "$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
    server_pid=
} 2>/dev/null # the shell would report the kill

clean_up() {
    stop_server -KILL
    ip netns del "$server_ns" 2>/dev/null
    ip netns del "$client_ns" 2>/dev/null
    [ -n "$keep" ] || rm -rf "$out/state"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

make_network() {
    ip netns add "$server_ns" && ip netns add "$client_ns" || exit 1
    ip -n "$server_ns" link add v0 type veth peer name v1 netns "$client_ns" || exit 1
    ip -n "$server_ns" addr add 10.0.0.1/8 dev v0
    ip -n "$client_ns" addr add 10.0.0.2/8 dev v1
    for link in "$server_ns v0" "$server_ns lo" "$client_ns v1" "$client_ns lo"; do
        ip -n ${link% *} link set ${link#* } up
    done
}

kea_config() { # $1: multi-threading as JSON
    cat <<JSON
{"Dhcp4": {
  "interfaces-config": {"interfaces": ["v0"], "dhcp-socket-type": "udp"},
  "lease-database": {"type": "memfile", "persist": true, "lfc-interval": 0, "name": "$out/state/kea/leases.csv"},
  "valid-lifetime": 86400, "multi-threading": $1,
  "subnet4": [{"subnet": "10.0.0.0/8", "pools": [{"pool": "10.1.0.0-10.250.255.255"}]}],
  "loggers": [{"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": "stderr"}]}]}}
JSON
}

purlin_config() { # $1: ack mode
    cat <<TOML
[node]
id = "bench"
data_dir = "$out/state/purlin"
[dhcp]
listen = ["10.0.0.1:67"]
ack = "$1"
[[dhcp.subnets]]
name = "bench"
network = "10.0.0.0/8"
pools = ["10.1.0.0-10.250.255.255"]
lease_time = "24h"
TOML
}

# Starts a server over whatever state is there, and sets server_pid.
start_server() {
    local state=$out/state
    mkdir -p "$state/kea" "$state/purlin"
    export KEA_PIDFILE_DIR=$state/kea KEA_LOCKFILE_DIR=$state/kea KEA_DHCP_DATA_DIR=$state/kea
    export KEA_LOGGER_DESTINATION=stderr
    local command
    case $1 in
        kea) kea_config '{"enable-multi-threading": false}' >"$state/kea.json"
            command=(kea-dhcp4 -c "$state/kea.json") ;;
        kea-mt) kea_config '{"enable-multi-threading": true, "thread-pool-size": 2, "packet-queue-size": 4096}' >"$state/kea.json"
            command=(kea-dhcp4 -c "$state/kea.json") ;;
        null) command=("$out/null_responder" 10.0.0.1 67) ;;
        null-rust) command=("$null_rust" 10.0.0.1:67) ;;
        purlin) purlin_config durable >"$state/purlin.toml"
            command=("$purlin" up --config "$state/purlin.toml") ;;
        purlin-lead) purlin_config lead >"$state/purlin.toml"
            command=("$purlin" up --config "$state/purlin.toml") ;;
        *) say "no such server: $1"; exit 2 ;;
    esac
    ip netns exec "$server_ns" "${command[@]}" >>"$out/$1.log" 2>&1 &
    server_pid=$!
}

# Runs the generator as a relay in the client's namespace.
generate() {
    ip netns exec "$client_ns" timeout 600 "$load" server=10.0.0.1:67 relays=10.0.0.2@10.0.0.2:67 "$@"
}

answers() { [ "$(generate seed=250 clients=1 ops=1 timeout_ms=20 attempts=1 | done_of)" = 1 ]; }

done_of() { python3 -c 'import json,sys; print(json.load(sys.stdin)["phases"][0]["done"])' 2>/dev/null; }
rate_of() { python3 -c 'import json,sys; print(int(json.load(open(sys.argv[1]))["phases"][0]["per_second"]))' "$1"; }

# Waits for the first answer; prints the milliseconds from the call.
wait_ready() {
    local began now
    began=$(date +%s%N)
    until answers; do
        now=$(date +%s%N)
        if [ $(((now - began) / 1000000)) -gt 120000 ] || ! kill -0 "$server_pid" 2>/dev/null; then
            return 1
        fi
    done
    now=$(date +%s%N)
    echo $(((now - began) / 1000000))
}

fresh() {
    rm -rf "$out/state"
    start_server "$1"
    wait_ready >/dev/null && return
    say "  $1 does not answer; its log: $out/$1.log"
    stop_server -KILL
    return 1
}

# One server's turn of a round.
turn() { # $1 server, $2 round
    fresh "$1" || return
    local file=$out/$1.$2
    local in_flight rates=
    for in_flight in 64 256 1024; do
        generate load=closed:$in_flight seconds="$seconds" clients=4000000 seed=$((in_flight % 200)) pid="$server_pid" \
            timeout_ms=250 >"$file.closed$in_flight.json"
        rates="$rates $(rate_of "$file.closed$in_flight.json")"
    done
    local best
    best=$(printf '%s\n' $rates | sort -n | tail -1)
    say "  $1:$rates DORA/s with 64, 256, 1024 in flight"
    generate load=open:$((best / 2 + 1)) seconds="$seconds" clients=4000000 seed=249 pid="$server_pid" >"$file.half.json"
    stop_server -TERM
}

# System calls per DORA under strace: its brake changes the pace, hardly the count.
count_calls() {
    fresh "$1" || return
    strace -f -c -S calls -o "$out/$1.strace" -p "$server_pid" 2>/dev/null &
    local tracer=$!
    sleep 0.5
    generate load=closed:256 ops=20000 clients=20000 timeout_ms=2000 >"$out/$1.traced.json"
    kill -INT "$tracer"
    wait "$tracer" 2>/dev/null
    stop_server -TERM
}

# Fill, kill -9, restart: what it holds per lease, how long it is away, whether it kept its word.
fill_and_kill() {
    fresh "$1" || return
    local file=$out/$1.fill
    awk '/VmRSS/ {print $2 * 1024}' "/proc/$server_pid/status" >"$file.rss0"
    generate load=closed:256 ops="$fill" clients="$fill" pid="$server_pid" timeout_ms=500 ledger="$file.ledger" >"$file.json"
    awk '/VmRSS/ {print $2 * 1024}' "/proc/$server_pid/status" >"$file.rss1"
    stop_server -KILL
    start_server "$1"
    wait_ready >"$file.restart_ms" || say "  $1 did not come back"
    generate verify="$file.ledger" strangers=10000 pid="$server_pid" >"$file.verify.json"
    stop_server -TERM
    say "  $1: away for $(cat "$file.restart_ms") ms with $fill leases"
}

available() {
    case $1 in
        kea*) command -v kea-dhcp4 >/dev/null ;;
        null) true ;;
        null-rust) [ -x "$null_rust" ] ;;
        purlin*) [ -x "$purlin" ] ;;
    esac
}

[ "$(id -u)" = 0 ] || { say "network namespaces need root"; exit 1; }
[ -x "$load" ] || { say "build the generator first: cargo build --release -p purlin-dhcp-client --examples"; exit 1; }
cc -O2 -o "$out/null_responder" "$here/null_responder.c" || exit 1
make_network
chosen=()
for server in $(echo "${servers:-kea,kea-mt,null,null-rust,purlin,purlin-lead}" | tr , ' '); do
    if available "$server"; then chosen+=("$server"); else say "not installed, left out: $server"; fi
done
say "results in $out"
{ uname -sr; nproc; sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1; uptime; } >"$out/conditions"
for round in $(seq "$rounds"); do
    say "round $round"
    for server in "${chosen[@]}"; do turn "$server" "$round"; done
done
if command -v strace >/dev/null; then
    say "system calls"
    for server in "${chosen[@]}"; do count_calls "$server"; done
fi
if [ "$fill" -gt 0 ]; then
    say "fill with $fill leases, kill -9, restart"
    for server in "${chosen[@]}"; do
        case $server in kea | purlin | purlin-lead) fill_and_kill "$server" ;; esac
    done
fi
uptime >>"$out/conditions"
python3 "$here/dhcp-table.py" "$out" "${chosen[@]}" | tee "$out/table.md"
