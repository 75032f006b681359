#!/bin/sh
# cast as a judge: cast.sh HTTP WS
#
# A command a line, and what its answer must have. JUDGES is the folder that `cargo xtask setup` fills (judge.mjs says more).
set -u
HTTP=$1
HERE=$(CDPATH='' cd "$(dirname "$0")" && pwd)
JUDGES=${JUDGES:-$HERE/../../../target/judges}
# The program itself: the script that npm puts before it succeeds whatever happens.
CAST=$(echo "$JUDGES"/node_modules/@foundry-rs/cast-*/bin/cast)
# The ninth account of the sentence that development chains share.
PHRASE='test test test test test test test test test test test junk'
export ETH_RPC_URL=$HTTP NO_COLOR=1
passed=0 failed=0

cast() { timeout 40 "$CAST" "$@" 2>&1; }

# verdict NAME FOUND WANTED: whether what was found has what was wanted.
verdict() {
  case $2 in
  *"$3"*) passed=$((passed + 1)) && echo "ok $1" ;;
  *) failed=$((failed + 1)) && echo "not ok $1: no '$3' in '$(echo "$2" | tr '\n' ' ' | cut -c1-300)'" ;;
  esac
}

# says NAME WANTED COMMAND...: what cast says when it succeeds, in small letters.
says() {
  name=$1 wanted=$2
  shift 2
  found=$(cast "$@") || wanted="success of cast $1"
  verdict "$name" "$(small "$found")" "$(small "$wanted")"
}

# refuses NAME WANTED COMMAND...: what cast says when it fails.
refuses() {
  name=$1 wanted=$2
  shift 2
  found=$(cast "$@") && wanted="refusal of cast $1"
  verdict "$name" "$found" "$wanted"
}

small() { echo "$1" | tr 'A-Z' 'a-z'; }

# field TEXT NAME: a text or a number at the top of a JSON object.
field() { echo "$1" | node -e 'console.log(JSON.parse(require("fs").readFileSync(0, "utf8"))[process.argv[1]])' "$2" 2>/dev/null; }

sum() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ] && exit 0
  exit 1
}

KEY=$(cast wallet private-key "$PHRASE" 8)
ME=$(cast wallet address "$KEY")
FEES='--priority-gas-price 1gwei --gas-price 100gwei'
sends() { cast send --json --private-key "$KEY" $FEES --poll-interval 1 "$@"; }

CODE=$(node -e 'console.log(JSON.parse(require("fs").readFileSync(process.argv[1] + "/Probe.json", "utf8")).Probe.bytecode)' "$JUDGES")
NONCE=$(cast nonce "$ME" --block pending)
BIRTH=$(sends --value 5 --create "$CODE" 'constructor(uint256)' 7)
case $BIRTH in
'{'*) ;;
*) verdict 'a contract is made' "$BIRTH" contractAddress && sum ;;
esac
PROBE=$(field "$BIRTH" contractAddress)
BLOCK=$(($(field "$BIRTH" blockNumber)))

says 'the chain id is a number' "$(cast to-dec "$(cast rpc eth_chainId | tr -d '"')")" chain-id
says 'the client says who it is' / client
says 'the receipt names the contract' "$PROBE" rpc eth_getTransactionReceipt "$(field "$BIRTH" transactionHash)"
says 'the contract is where sender and nonce put it' "$PROBE" compute-address "$ME" --nonce "$NONCE"
says 'the code is there' 0x60 code "$PROBE"
verdict 'before its block it was not' "=$(cast code "$PROBE" --block $((BLOCK - 1)))=" '=0x='
says 'a balance' 5 balance "$PROBE"
says 'a call' 7 call "$PROBE" 'value()(uint256)'

STORED=$(sends "$PROBE" 'store(uint256,uint256,string)' 1 11 cast)
verdict 'a transaction succeeds' "$(field "$STORED" status)" 0x1
says 'a call now' 11 call "$PROBE" 'value()(uint256)'
says 'a call in the past' 7 call "$PROBE" 'value()(uint256)' --block "$BLOCK"
says 'a slot now' 0x000000000000000000000000000000000000000000000000000000000000000b storage "$PROBE" 0
says 'a slot in the past' 0x0000000000000000000000000000000000000000000000000000000000000007 storage "$PROBE" 0 --block "$BLOCK"
refuses 'a refusal in words' 'not today' call "$PROBE" 'complain()'
refuses 'a custom error' 'execution reverted' call "$PROBE" 'refuse(uint256)' 42
says 'an estimate of a transfer' 21000 estimate 0x000000000000000000000000000000000000dEaD --value 1 --from "$ME"
refuses 'an estimate of what fails' 'not today' estimate "$PROBE" 'complain()'
says 'an access list' '0x0000000000000000000000000000000000000000000000000000000000000000' \
  access-list "$PROBE" 'store(uint256,uint256,string)' 1 2 listed --from "$ME"
says 'logs by event' "$(field "$STORED" transactionHash)" \
  logs --address "$PROBE" --from-block "$BLOCK" 'Stored(address indexed,uint256 indexed,uint256,string)'
says 'a proof' accountProof proof "$PROBE" 0x0000000000000000000000000000000000000000000000000000000000000000
says 'a block' "$(field "$STORED" blockHash)" block $(($(field "$STORED" blockNumber)))
refuses 'an unknown block' 'not found' block 99999999
says 'the age of a block' 20 age
says 'the base fee' '' base-fee
says 'the gas price' '' gas-price
says 'a receipt' success receipt "$(field "$STORED" transactionHash)"
says 'a transaction' "$PROBE" tx "$(field "$STORED" transactionHash)" to
says 'a trace of a transaction' CALL rpc debug_traceTransaction "$(field "$STORED" transactionHash)" '{"tracer":"callTracer"}'
says 'the pool' pending tx-pool status
says 'find-block' '' find-block "$(cast block "$BLOCK" --field timestamp)"
RAW=$(cast mktx --private-key "$KEY" $FEES --value 1 "$ME")
says 'a raw transaction' '"status":"0x1"' publish "$RAW"
LEGACY=$(sends --legacy --value 1 "$ME")
verdict 'a transaction of type 0' "$(field "$LEGACY" type)" 0x0
DELEGATED=$(sends --auth "$PROBE" "$ME")
verdict 'a transaction of type 4' "$(field "$DELEGATED" type)" 0x4
sum
