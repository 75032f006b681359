#!/bin/sh
# Both databases of OVN in one ovsdb-server, and ovn-northd over them, until this is told to end. Other ports than the usual
# ones: OVN_NB_PORT, OVN_SB_PORT. Connections are not encrypted and anybody who comes may write: keep the network to yourself.
set -eu
data=${OVN_DATA:-/var/lib/ovn}
listen=${OVN_LISTEN:-0.0.0.0}
mkdir -p "$data"
export OVN_RUNDIR="$data" OVS_RUNDIR="$data"

for side in nb sb; do
    [ -f "$data/$side.db" ] || ovsdb-tool create "$data/$side.db" "/usr/share/ovn/ovn-$side.ovsschema"
done

rm -f "$data/db.sock"
ovsdb-server --no-chdir --unixctl="$data/server.ctl" --remote="punix:$data/db.sock" \
    --remote="ptcp:${OVN_NB_PORT:-6641}:$listen" --remote="ptcp:${OVN_SB_PORT:-6642}:$listen" \
    "$data/nb.db" "$data/sb.db" &
server=$!
northd=
end() {
    # One of them may have ended by itself.
    kill $northd $server 2>/dev/null || true
    wait
}
trap 'end; exit 0' TERM INT

until [ -S "$data/db.sock" ]; do
    kill -0 $server
    sleep 0.1
done
ovn-nbctl --db="unix:$data/db.sock" init
ovn-sbctl --db="unix:$data/db.sock" init
ovn-northd --no-chdir --unixctl="$data/northd.ctl" \
    --ovnnb-db="unix:$data/db.sock" --ovnsb-db="unix:$data/db.sock" &
northd=$!
wait $server
end
exit 1
