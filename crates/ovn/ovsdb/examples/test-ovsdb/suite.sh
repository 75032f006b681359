#!/bin/bash
# Lets the test suite of Open vSwitch judge this crate.
#
#   cargo build -p purlin-ovsdb --example test-ovsdb
#   crates/ovn/ovsdb/examples/test-ovsdb/suite.sh SOURCE [TEST-OVSDB] [ARGUMENT...]
#
# SOURCE is a checkout of Open vSwitch 3.1, which is not built and not changed; ovsdb-server, ovsdb-client and ovsdb-tool are
# the packaged ones. Needs autoconf (autom4te) and python3. Arguments go to the suite: -j4, -l, 12-20, -v 640.
# Without numbers every case runs that is not Python's own and not TLS of Python.
set -euo pipefail
source=$(realpath "${1:?usage: suite.sh SOURCE [TEST-OVSDB] [ARGUMENT...]}")
here=$(realpath "$(dirname "$0")")
program=$(realpath "${2:-$here/../../../../../target/debug/examples/test-ovsdb}")
shift $(($# < 2 ? $# : 2))

work=$(mktemp -d "${TMPDIR:-/tmp}/purlin-suite.XXXXXX")
mkdir -p "$work/tests" "$work/bin"
ln -s "$program" "$work/bin/test-ovsdb"
printf '#!/bin/sh\nexec python3 %s/tests/uuidfilt.py "$@"\n' "$source" > "$work/bin/uuidfilt"
chmod +x "$work/bin/uuidfilt"

{
    echo 'AT_INIT([purlin])'
    for part in ovs-macros ovsdb-macros ofproto-macros ovsdb-types ovsdb-data ovsdb-column ovsdb-table ovsdb-row \
        ovsdb-schema ovsdb-condition ovsdb-mutation ovsdb-idl; do
        echo "m4_include([tests/$part.at])"
    done
} > "$work/suite.at"
cat > "$work/package.m4" <<END
m4_define([AT_PACKAGE_NAME], [purlin])
m4_define([AT_PACKAGE_TARNAME], [purlin])
m4_define([AT_PACKAGE_VERSION], [1])
m4_define([AT_PACKAGE_STRING], [purlin])
m4_define([AT_PACKAGE_BUGREPORT], [])
END
(cd "$work" && autom4te --language=autotest -I "$work" -I "$source" -o suite suite.at)

cat > "$work/tests/atconfig" <<END
at_testdir=tests
abs_builddir='$work/tests'
at_srcdir='$source/tests'
abs_srcdir='$source/tests'
at_top_srcdir='$source'
abs_top_srcdir='$source'
at_top_build_prefix='$work/'
abs_top_builddir='$work'
srcdir='$source/tests'
EGREP='grep -E'
AUTOTEST_PATH=tests
SHELL=\${CONFIG_SHELL-/bin/bash}
END
# What only packets need is left out: it makes network interfaces.
sed -e 's/@HAVE_OPENSSL@/no/; s/@OPENSSL_SUPPORTS_SNI@/no/; s/@HAVE_UNBOUND@/no/; s/@EGREP@/grep -E/' \
    -e 's/@PYTHON3@/python3/; s/@CFLAGS@//' \
    -e '/^SUPPORT_TC_INGRESS_PPS="no"/,/^# Set HAVE_TCPDUMP/d' "$source/tests/atlocal.in" > "$work/tests/atlocal"

run() {
    cd "$work/tests" && PATH=$work/bin:$PATH bash "$work/suite" -C "$work/tests" \
        AUTOTEST_PATH="$work/bin:/usr/bin:/usr/sbin" "$@"
}
echo "# in $work"
case " $* " in
*\ [0-9]* | *\ -l\ *) run "$@" ;;
*)
    # shellcheck disable=SC2046
    run "$@" $(run -l | grep -E '^ +[0-9]+:' | grep -viE 'python|ssl' | cut -d: -f1)
    ;;
esac
