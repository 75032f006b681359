"""web3.py 8 as a judge: python web3_check.py HTTP WS

Prints `ok NAME`, `not ok NAME: why` or `skip NAME: why` for each check, `N passed, N failed` at the end, and exits with 1 when a
check failed. Environment: JUDGES, STRICT and ONLY as in judge.mjs.
"""

import asyncio, json, os, pathlib, secrets, sys, time, traceback

import rlp
from eth_account import Account
from eth_utils import keccak
from web3 import AsyncWeb3, Web3, WebSocketProvider
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError, TransactionNotFound, BlockNotFound
from web3.exceptions import Web3RPCError

HTTP, WS = sys.argv[1:3]
FOLDER = pathlib.Path(os.environ.get("JUDGES") or pathlib.Path(__file__).resolve().parents[3] / "target/judges")
PROBE, CHILD = (json.loads((FOLDER / "Probe.json").read_text())[name] for name in ("Probe", "Child"))
GWEI = 10**9
Account.enable_unaudited_hdwallet_features()
MNEMONIC = "test test test test test test test test test test test junk"

w3 = Web3(Web3.HTTPProvider(HTTP))
me, other = (Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{n}") for n in (6, 7))
CHECKS = []


def check(name, anvil=None):
    """A check with a name; `anvil` is the reason why anvil cannot pass it."""

    def keep(run):
        CHECKS.append((name, anvil, run))
        return run

    return keep


def equal(found, wanted, what="value"):
    assert found == wanted, f"{what} is {found!r}, not {wanted!r}"


def fails(kind, run):
    """The error of this kind that `run` must end in."""
    try:
        answer = run()
    except kind as error:
        return error
    raise AssertionError(f"it was not refused, but answered {answer!r}")


def until(what, ask, limit=20):
    end = time.monotonic() + limit
    while not (found := ask()):
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


def ask(method, *params):
    """A request as it is; the whole answer."""
    return w3.provider.make_request(method, list(params))


def result(method, *params):
    answer = ask(method, *params)
    assert "error" not in answer, answer["error"]
    return answer["result"]


def fees():
    base = w3.eth.get_block("latest")["baseFeePerGas"]
    return {"maxPriorityFeePerGas": GWEI, "maxFeePerGas": 2 * base + GWEI}


def send(fields, account=None):
    """Signs and sends a transaction of type 2 unless `fields` says otherwise; its hash."""
    account = account or me
    whole = {"chainId": w3.eth.chain_id, "gas": 300_000, "value": 0, **fields}
    if "nonce" not in whole:
        whole["nonce"] = w3.eth.get_transaction_count(account.address, "pending")
    if "gasPrice" not in whole and "maxFeePerGas" not in whole:
        whole.update(fees())
    return w3.eth.send_raw_transaction(account.sign_transaction(whole).raw_transaction)


def done(sent):
    return w3.eth.wait_for_transaction_receipt(sent, timeout=20, poll_latency=0.05)


def do(call, account=None, **fields):
    """Sends a call of a contract, without asking for an estimate."""
    return done(send({"to": call.address, "data": call._encode_transaction_data(), **fields}, account))


def fresh():
    """An account that nobody has used, with an ether."""
    account = Account.from_key(secrets.token_bytes(32))
    done(send({"to": account.address, "value": 10**18}))
    return account


def slot(key):
    return keccak(key.to_bytes(32, "big") + (1).to_bytes(32, "big"))


def walk(root, key, nodes):
    """The value below a hashed key in the trie of `root`, or None (yellow paper, appendix D)."""
    if not nodes:
        assert root == keccak(b"\x80"), "an empty proof of a trie that is not empty"
        return None
    path = [int(digit, 16) for digit in key.hex()]
    nodes, want = list(nodes), root
    while True:
        if isinstance(want, list):
            node = want
        else:
            encoded = bytes(nodes.pop(0))
            assert keccak(encoded) == want, "a proof node is not what its parent names"
            node = rlp.decode(encoded)
        if len(node) == 17:
            if not path:
                return node[16] or None
            want, path = node[path[0]], path[1:]
            if not want:
                return None
        else:
            digits = [int(digit, 16) for digit in node[0].hex()]
            part = digits[1:] if digits[0] & 1 else digits[2:]
            if path[: len(part)] != part:
                return None
            path = path[len(part) :]
            if digits[0] & 2:
                return node[1]
            want = node[1]


def verify(proof, root):
    fields = [proof["nonce"], proof["balance"], bytes(proof["storageHash"]), bytes(proof["codeHash"])]
    found = walk(bytes(root), keccak(hexstr=proof["address"]), proof["accountProof"])
    if found is not None:
        equal(found, rlp.encode(fields), "account")
    for one in proof["storageProof"]:
        value = walk(fields[2], keccak(bytes(one["key"]).rjust(32, b"\0")), one["proof"])
        equal(int.from_bytes(rlp.decode(value) if value else b"", "big"), int.from_bytes(bytes(one["value"]), "big"), "slot")
    return found


# ---- a contract with a little history

factory = w3.eth.contract(abi=PROBE["abi"], bytecode=PROBE["bytecode"])


class Stage:
    def __init__(self):
        self.nonce = w3.eth.get_transaction_count(me.address, "pending")
        self.birth = done(send({"data": factory.constructor(7).data_in_transaction, "value": 5, "gas": 3_000_000}))
        self.probe = w3.eth.contract(address=self.birth["contractAddress"], abi=PROBE["abi"])
        f = self.probe.functions
        self.first = do(f.store(1, 11, "one"))
        self.second = do(f.store(2, 22, "two"))
        self.both = do(f.twice(3, 33))
        self.paid = do(f.pay(), value=1000)
        self.last = do(f.store(1, 111, "again"))


try:
    stage = Stage()
except Exception as error:  # a node that cannot do this cannot be judged further
    print(f"not ok the judge came to its end: {error!r}")
    sys.exit(1)
probe, call = stage.probe, stage.probe.functions
birth, first, last = stage.birth, stage.first, stage.last


# ---- blocks, transactions, receipts


@check("chain id and network agree")
def _():
    equal(w3.net.version, str(w3.eth.chain_id))
    assert w3.is_connected() and w3.eth.syncing is False and "/" in w3.client_version


@check("a new contract has the address that sender and nonce give")
def _():
    made = keccak(rlp.encode([bytes.fromhex(me.address[2:]), stage.nonce]))[12:]
    equal(birth["contractAddress"].lower(), "0x" + made.hex())


@check("a block is the same by number and by hash")
def _():
    equal(w3.eth.get_block(first["blockNumber"], True), w3.eth.get_block(first["blockHash"], True))


@check("full transactions and hashes name the same")
def _():
    whole = w3.eth.get_block(first["blockNumber"], True)["transactions"]
    equal([one["hash"] for one in whole], w3.eth.get_block(first["blockNumber"])["transactions"])


@check("a transaction is the same by hash and by place")
def _():
    shown = w3.eth.get_transaction(first["transactionHash"])
    equal(w3.eth.get_transaction_by_block(first["blockNumber"], first["transactionIndex"]), shown)
    equal(w3.eth.get_transaction_by_block(first["blockHash"], first["transactionIndex"]), shown)
    equal((shown["from"], shown["blockHash"], shown["type"]), (me.address, first["blockHash"], 2))


@check("all receipts of a block at once are those that are asked for singly")
def _():
    all_of_them = w3.eth.get_block_receipts(first["blockNumber"])
    equal([w3.eth.get_transaction_receipt(one["transactionHash"]) for one in all_of_them], list(all_of_them))
    equal(len(all_of_them), w3.eth.get_block_transaction_count(first["blockNumber"]))


@check("a receipt tells what was paid")
def _():
    block, shown = w3.eth.get_block(first["blockNumber"]), w3.eth.get_transaction(first["transactionHash"])
    tip = min(shown["maxPriorityFeePerGas"], shown["maxFeePerGas"] - block["baseFeePerGas"])
    equal(first["effectiveGasPrice"], block["baseFeePerGas"] + tip)


def of_type(kind, fields):
    @check(f"a transaction of type {kind} is mined and shown as such")
    def _():
        receipt = do(call.pay(), value=1, **fields())
        shown = w3.eth.get_transaction(receipt["transactionHash"])
        equal((receipt["type"], shown["type"], receipt["status"]), (kind, kind, 1))


listed = [{"address": probe.address, "storageKeys": ["0x" + "00" * 32]}]
of_type(0, lambda: {"gasPrice": w3.eth.gas_price * 2})
of_type(1, lambda: {"gasPrice": w3.eth.gas_price * 2, "accessList": listed})
of_type(2, lambda: {"accessList": listed})


@check("type 4 gives an account code (EIP-7702)")
def _():
    owner = Account.from_key(secrets.token_bytes(32))
    signed = owner.sign_authorization({"chainId": w3.eth.chain_id, "address": probe.address, "nonce": 0})
    receipt = done(send({"to": me.address, "type": 4, "authorizationList": [signed]}))
    equal((receipt["type"], receipt["status"]), (4, 1))
    equal("0x" + w3.eth.get_code(owner.address).hex().removeprefix("0x"), "0xef0100" + probe.address[2:].lower())
    equal(w3.eth.get_transaction(receipt["transactionHash"])["authorizationList"][0]["address"], probe.address)


@check("a raw transaction comes back as it was sent")
def _():
    whole = {"chainId": w3.eth.chain_id, "gas": 21_000, "value": 3, "to": me.address, **fees()}
    whole["nonce"] = w3.eth.get_transaction_count(me.address, "pending")
    signed = me.sign_transaction(whole)
    sent = w3.eth.send_raw_transaction(signed.raw_transaction)
    equal(sent, signed.hash)
    done(sent)
    equal(w3.eth.get_raw_transaction(sent), signed.raw_transaction)


@check("what does not exist is not found")
def _():
    nowhere = "0x" + "ee" * 32
    fails(TransactionNotFound, lambda: w3.eth.get_transaction(nowhere))
    fails(TransactionNotFound, lambda: w3.eth.get_transaction_receipt(nowhere))
    fails(BlockNotFound, lambda: w3.eth.get_block(nowhere))
    fails(BlockNotFound, lambda: w3.eth.get_block(last["blockNumber"] + 1_000_000))


@check("every tag names a block, in order")
def _():
    numbers = [w3.eth.get_block(tag)["number"] for tag in ("earliest", "finalized", "safe", "latest", "pending")]
    equal(numbers[0], 0)
    assert numbers == sorted(numbers), numbers


@check("a block that is not there yet is understood")
def _():
    latest, pending = w3.eth.get_block("latest"), w3.eth.get_block("pending", True)
    assert pending["number"] > latest["number"], (latest, pending)
    equal((pending["hash"], pending["miner"]), (None, None))
    assert w3.eth.get_balance(me.address, "pending") > 0


@check("fee history is what the blocks say")
def _():
    history = w3.eth.fee_history(3, last["blockNumber"], [10, 90])
    equal((len(history["baseFeePerGas"]), len(history["gasUsedRatio"]), len(history["reward"])), (4, 3, 3))
    for at, base in enumerate(history["baseFeePerGas"][:3]):
        block = w3.eth.get_block(history["oldestBlock"] + at)
        equal(base, block["baseFeePerGas"])
        assert abs(history["gasUsedRatio"][at] - block["gasUsed"] / block["gasLimit"]) < 1e-9


@check("suggested prices suffice")
def _():
    assert w3.eth.gas_price >= w3.eth.get_block("latest")["baseFeePerGas"] and w3.eth.max_priority_fee >= 0


# ---- state


@check("a call in the past sees the state of its block")
def _():
    equal(call.value().call(block_identifier=birth["blockNumber"]), 7)
    equal(call.value().call(block_identifier=first["blockHash"]), 11)
    equal((call.value().call(), call.table(1).call(block_identifier=last["blockNumber"] - 1)), (111, 11))


@check("a call sees number, time and chain of its block")
def _():
    block = w3.eth.get_block(first["blockNumber"])
    seen = call.surroundings().call(block_identifier=block["number"])
    equal(seen[:3] + seen[5:], [block["number"], block["timestamp"], w3.eth.chain_id, 5])


@check("slots and code are those of their block")
def _():
    equal(int.from_bytes(w3.eth.get_storage_at(probe.address, 0), "big"), 111)
    equal(int.from_bytes(w3.eth.get_storage_at(probe.address, 0, birth["blockNumber"]), "big"), 7)
    equal(int.from_bytes(w3.eth.get_storage_at(probe.address, int.from_bytes(slot(2), "big")), "big"), 22)
    equal(bytes(w3.eth.get_code(probe.address, birth["blockNumber"] - 1)), b"")
    assert len(w3.eth.get_code(probe.address)) > 100


@check("a block may be named as an object (EIP-1898)")
def _():
    named = {"blockHash": "0x" + bytes(first["blockHash"]).hex(), "requireCanonical": True}
    equal(int(result("eth_getStorageAt", probe.address, "0x0", named), 16), 11)
    equal(int(result("eth_getBalance", probe.address, {"blockNumber": hex(first["blockNumber"])}), 16), 5)


@check("a sender pays value and gas, to the wei")
def _():
    receipt = done(send({"to": "0x" + "99" * 20, "value": 12_345}))
    was, now = (w3.eth.get_balance(me.address, receipt["blockNumber"] - back) for back in (1, 0))
    equal(was - now, 12_345 + receipt["gasUsed"] * receipt["effectiveGasPrice"])


def proved(what, receipt, value):
    @check(f"proofs lead to the state root of {what}")
    def _():
        root = w3.eth.get_block(receipt["blockNumber"])["stateRoot"]
        keys = ["0x" + key.hex() for key in (bytes(32), slot(1), (12_345).to_bytes(32, "big"))]
        proof = w3.eth.get_proof(probe.address, keys, receipt["blockNumber"])
        assert verify(proof, root), "the contract is in the trie"
        equal(int.from_bytes(bytes(proof["storageProof"][0]["value"]), "big"), value)
        assert verify(w3.eth.get_proof(me.address, [], receipt["blockNumber"]), root)


proved("the first block", birth, 7)
proved("a block in the past", first, 11)
proved("the newest block", last, 111)


@check("a slot of a proof may be named by a number", anvil="it wants an even number of digits")
def _():
    proof = w3.eth.get_proof(probe.address, [0], birth["blockNumber"])
    equal(int.from_bytes(bytes(proof["storageProof"][0]["value"]), "big"), 7)


@check("a proof shows that an account is not there")
def _():
    nobody = Web3.to_checksum_address("0x" + secrets.token_hex(20))
    block = w3.eth.get_block(last["blockNumber"])
    equal(verify(w3.eth.get_proof(nobody, [], block["number"]), block["stateRoot"]), None)


@check("a failed transaction leaves its fee and nothing else")
def _():
    receipt = do(call.storeAndComplain(999))
    equal((receipt["status"], list(receipt["logs"]), call.value().call()), (0, [], 111))


@check("a transaction that runs out of gas uses all of it")
def _():
    receipt = do(call.burn(1_000_000), gas=100_000)
    equal((receipt["status"], receipt["gasUsed"]), (0, 100_000))


@check("CREATE2 puts a contract where EIP-1014 says")
def _():
    salt = secrets.token_bytes(32)
    child = call.where(salt, 42).call()
    equal(do(call.make(salt, 42), gas=500_000)["status"], 1)
    contract = w3.eth.contract(address=child, abi=CHILD["abi"])
    equal(contract.functions.mark().call(), 42)


# ---- calls


@check("a refusal in words is its reason")
def _():
    error = fails(ContractLogicError, call.complain().call)
    assert "not today" in str(error), error


@check("a custom error is its data")
def _():
    error = fails(ContractCustomError, call.refuse(42).call)
    data = bytes.fromhex(str(error.data).removeprefix("0x"))
    equal(data[:4], keccak(b"Refused(uint256,string)")[:4])
    equal(w3.codec.decode(["uint256", "string"], data[4:]), (42, "as asked"))


@check("a panic is one")
def _():
    fails(ContractPanicError, call.divide(1, 0).call)


@check("the code of a revert is 3, with its data")
def _():
    error = ask("eth_call", {"to": probe.address, "data": call.complain()._encode_transaction_data()}, "latest")["error"]
    equal((error["code"], error["data"][:10]), (3, "0x08c379a0"))


@check("tuples and octets there and back")
def _():
    equal(call.echo((2**255, "Grüße"), b"\0\xff").call(), [(2**255, "Grüße"), b"\0\xff"])


@check("a plain transfer is estimated at 21,000, and a call at what suffices")
def _():
    equal(w3.eth.estimate_gas({"from": me.address, "to": "0x" + "99" * 20, "value": 1}), 21_000)
    gas = call.store(77, 5, "estimated").estimate_gas({"from": me.address})
    equal(do(call.store(77, 5, "estimated"), gas=gas)["status"], 1)
    do(call.store(1, 111, "as it was"))


@check("an estimate of what fails says why")
def _():
    assert "not today" in str(fails(ContractLogicError, lambda: call.complain().estimate_gas({"from": me.address})))


@check("state overrides")
def _():
    zero, word = "0x" + "00" * 32, lambda n: "0x" + n.to_bytes(32, "big").hex()
    equal(call.value().call(state_override={probe.address: {"stateDiff": {zero: word(77)}}}), 77)
    equal(call.table(2).call(state_override={probe.address: {"state": {zero: word(78)}}}), 0)


@check("an access list names the slots that a call touches")
def _():
    transaction = {"from": me.address, "to": probe.address, "data": call.store(1, 1, "x")._encode_transaction_data()}
    made = w3.eth.create_access_list(transaction)
    own = [one for one in made["accessList"] if one["address"] == probe.address]
    equal(len(own[0]["storageKeys"]), 2)


@check("simulated blocks build on one another")
def _():
    data = lambda it: it._encode_transaction_data()
    one = {"from": me.address, "to": probe.address, "data": data(call.store(9, 99, "simulated"))}
    two = {"from": me.address, "to": probe.address, "data": data(call.table(9))}
    blocks = w3.eth.simulate_v1({"blockStateCalls": [{"calls": [one]}, {"calls": [two]}]}, "latest")
    equal(int.from_bytes(bytes(blocks[1]["calls"][0]["returnData"]), "big"), 99)


# ---- logs and filters


def notes(**more):
    logs = probe.events.Stored.get_logs(from_block=birth["blockNumber"], to_block=last["blockNumber"], **more)
    return [log["args"]["note"] for log in logs]


@check("events are found by what they say")
def _():
    equal(notes(), ["one", "two", "first", "second", "again"])
    equal(notes(argument_filters={"key": [2, 3]}), ["two", "first"])
    equal(notes(argument_filters={"who": probe.address}), ["first", "second"])
    paid = probe.events.Paid.get_logs(from_block=birth["blockNumber"], to_block=last["blockNumber"])
    equal([log["args"]["amount"] for log in paid], [1000])


@check("logs are found by address, by one of several topics, by any, by block hash")
def _():
    stored, paid = (bytes(keccak(text=text)) for text in ("Stored(address,uint256,uint256,string)", "Paid(address,uint256)"))
    stored, paid = "0x" + stored.hex(), "0x" + paid.hex()
    whole = {"address": probe.address, "fromBlock": birth["blockNumber"], "toBlock": last["blockNumber"]}
    count = lambda **more: len(w3.eth.get_logs({**whole, **more}))
    equal((count(), count(topics=[stored]), count(topics=[[stored, paid]])), (6, 5, 6))
    equal(count(topics=[None, None, "0x" + (1).to_bytes(32, "big").hex()]), 2)
    equal(count(address=[other.address, probe.address], topics=[paid]), 1)
    equal(len(w3.eth.get_logs({"address": probe.address, "blockHash": stage.both["blockHash"]})), 2)


@check("an event filter tells each event once, and all of them again when asked")
def _():
    found = probe.events.Stored.create_filter(from_block=last["blockNumber"])
    found.get_new_entries()
    do(call.store(5, 50, "filtered"))
    new = until("the event", found.get_new_entries)
    equal([one["args"]["note"] for one in new], ["filtered"])
    equal(found.get_new_entries(), [])
    equal([one["args"]["note"] for one in found.get_all_entries()][0], "again")
    assert w3.eth.uninstall_filter(found.filter_id)
    do(call.store(1, 111, "as it was"))


@check("filters of blocks and of pending transactions tell hashes")
def _():
    blocks, pending = w3.eth.filter("latest"), w3.eth.filter("pending")
    receipt = done(send({"to": me.address, "value": 1}))
    for found, seen, wanted in ((blocks, [], receipt["blockHash"]), (pending, [], receipt["transactionHash"])):
        until("the hash", lambda: seen.extend(found.get_new_entries()) or wanted in seen)
        w3.eth.uninstall_filter(found.filter_id)


# ---- the pool


@check("a nonce gap waits and goes on when it is filled")
def _():
    account = fresh()
    waiting = send({"to": me.address, "nonce": 1}, account)
    equal(w3.eth.get_transaction_count(account.address, "pending"), 0)
    queued = {address.lower(): by_nonce for address, by_nonce in w3.geth.txpool.content()["queued"].items()}
    equal(queued[account.address.lower()]["1"]["hash"], "0x" + bytes(waiting).hex())
    assert int(w3.geth.txpool.status()["queued"], 16) >= 1 and w3.geth.txpool.inspect()
    equal([done(send({"to": me.address, "nonce": 0}, account))["status"], done(waiting)["status"]], [1, 1])


@check("a replacement pays a tenth more of both fees", anvil="a dearer transaction replaces, however little dearer it is")
def _():
    account = fresh()
    priced = lambda percent: {"maxFeePerGas": percent * GWEI, "maxPriorityFeePerGas": percent * GWEI // 50}
    waiting = {"to": me.address, "nonce": 1, "gas": 21_000}
    send({**waiting, **priced(100)}, account)
    error = fails(Web3RPCError, lambda: send({**waiting, **priced(109)}, account))
    assert "replacement transaction underpriced" in str(error), error
    second = send({**waiting, **priced(110)}, account)
    send({"to": me.address, "nonce": 0}, account)
    equal(done(second)["status"], 1)


def refused(name, words, fields, anvil=None):
    @check(name, anvil)
    def _():
        error = fails(Web3RPCError, lambda: send({"to": me.address, "value": 1, "gas": 21_000, **fields()}))
        assert words in str(error).lower(), error
        equal(error.rpc_response["error"]["code"], -32000)


code = "its code is -32003"
refused("a used nonce is too low", "nonce too low", lambda: {"nonce": 0}, code)
refused("who cannot pay is refused", "insufficient funds for gas * price + value", lambda: {"value": 10**30}, code)
refused("too little gas is refused", "intrinsic gas too low", lambda: {"gas": 20_999})
refused("another chain's transaction is refused", "", lambda: {"chainId": 7}, code)


@check("many transactions sent at once are all mined, in order")
def _():
    account = fresh()
    sent = [send({"to": me.address, "nonce": nonce}, account) for nonce in range(20)]
    places = [(receipt["blockNumber"], receipt["transactionIndex"]) for receipt in map(done, sent)]
    equal(places, sorted(places))


# ---- traces, errors, batches


@check("callTracer shows the frames below a frame")
def _():
    top = result("debug_traceTransaction", "0x" + bytes(stage.both["transactionHash"]).hex(), {"tracer": "callTracer"})
    equal((top["type"], len(top["calls"]), int(top["gasUsed"], 16)), ("CALL", 2, stage.both["gasUsed"]))


@check("a trace shows every step, and prestateTracer what was there before")
def _():
    steps = result("debug_traceTransaction", "0x" + bytes(first["transactionHash"]).hex(), {})
    equal((steps["failed"], steps["structLogs"][-1]["op"]), (False, "STOP"))
    state = result("debug_traceTransaction", "0x" + bytes(stage.paid["transactionHash"]).hex(), {"tracer": "prestateTracer"})
    own = {address.lower(): account for address, account in state.items()}[probe.address.lower()]
    equal(int(own["balance"], 16), 5)


@check("errors have JSON-RPC's codes")
def _():
    equal(ask("eth_doesNotExist")["error"]["code"], -32601)
    equal(ask("eth_getBalance", "0x1234", "latest")["error"]["code"], -32602)


@check("a batch is answered request by request")
def _():
    with w3.batch_requests() as batch:
        batch.add(w3.eth.get_block(first["blockNumber"]))
        batch.add(w3.eth.get_balance(probe.address))
        batch.add(call.table(1))
        block, balance, value = batch.execute()
    equal((block["hash"], value), (first["blockHash"], 111))
    assert balance >= 1005


# ---- WebSocket


def told(kind, act, find, *arguments):
    """Subscribes over WebSocket, acts, and waits until `find` finds what was told."""

    async def run():
        async with AsyncWeb3(WebSocketProvider(WS)) as live:
            await live.eth.subscribe(kind, *arguments)
            wanted = await asyncio.to_thread(act)
            async for message in live.socket.process_subscriptions():
                if (found := find(message["result"], wanted)) is not None:
                    return found

    return asyncio.run(asyncio.wait_for(run(), 25))


@check("a WebSocket answers as HTTP does")
def _():
    async def run():
        async with AsyncWeb3(WebSocketProvider(WS)) as live:
            return await live.eth.chain_id, await live.eth.get_block(first["blockNumber"])

    equal(asyncio.run(run()), (w3.eth.chain_id, w3.eth.get_block(first["blockNumber"])))


@check("new heads are told")
def _():
    act = lambda: done(send({"to": me.address, "value": 1}))["blockHash"]
    head = told("newHeads", act, lambda head, wanted: head if head["hash"] == wanted else None)
    equal(head["stateRoot"], w3.eth.get_block(head["hash"])["stateRoot"])


@check("logs are told")
def _():
    act = lambda: do(call.pay(), value=3)["transactionHash"]
    found = told("logs", act, lambda log, wanted: log if log["transactionHash"] == wanted else None, {"address": probe.address})
    equal(probe.events.Paid().process_log(found)["args"]["amount"], 3)


@check("pending transactions are told")
def _():
    told("newPendingTransactions", lambda: send({"to": me.address, "value": 1}), lambda found, wanted: found == wanted or None)


# The sum.
def main():
    passed = failed = 0
    anvil = w3.client_version.startswith("anvil") and not os.environ.get("STRICT")
    for name, reason, run in CHECKS:
        if os.environ.get("ONLY", "") not in name:
            continue
        if anvil and reason:
            print(f"skip {name}: anvil: {reason}")
            continue
        try:
            run()
            passed += 1
            print(f"ok {name}", flush=True)
        except Exception as error:
            failed += 1
            line = traceback.extract_tb(error.__traceback__)[1:][:1]
            where = f" (line {line[0].lineno})" if line else ""
            print(f"not ok {name}: {type(error).__name__}: {' '.join(str(error).split())[:400]}{where}", flush=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if passed and not failed else 1)


main()
