//! Snapshots of a chain: taken, looked at, refused, restored, and nodes that begin from them.

use crate::chain_demo::base_port;
use crate::harness::{Ended, Node, run_in};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
/// Ten thousand ether.
const WEI: &str = "0x21e19e0c9bab2400000";

pub(crate) fn good(ended: Ended) -> Value {
    let Ended { code, out, err } = ended;
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap_or_else(|cause| panic!("{cause}: {out}"))
}

fn refused(ended: &Ended, words: &str) {
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{}", ended.err);
    assert!(ended.err.contains(words), "{words:?} is not in: {}", ended.err);
    assert!(ended.err.contains("fix: "), "{}", ended.err);
}

/// The result of one JSON-RPC request.
pub(crate) fn rpc(at: &str, method: &str, params: &Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let host = at.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (from, to) = (answer.find('{').unwrap(), answer.rfind('}').unwrap());
    let mut answer: Value = serde_json::from_str(&answer[from..=to]).unwrap();
    answer["result"].take()
}

/// Waits until a node's chain has a block of this number or a later one, and tells how it stands.
pub(crate) fn until(node: &Node, data: &Path, block: u64) -> Value {
    let begun = Instant::now();
    loop {
        let status = [
            "chain",
            "status",
            "-o",
            "json",
            "--data-dir",
            data.to_str().unwrap(),
        ];
        let status = good(node.run(&status));
        if status["head"].as_u64().unwrap() >= block {
            return status;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "{status}");
    }
}

fn snapshot(dir: &Path, words: &[&str]) -> Ended {
    run_in(dir, &[&["chain", "snapshot"], words, &["-o", "json"]].concat())
}

/// A directory of a chain: what `chain init` says, and each validator's configuration on these ports, which lets everybody in.
fn network(validators: &str, ports: &[&str]) -> (TempDir, Vec<String>) {
    let dir = TempDir::new().unwrap();
    let fund = format!("{ADDRESS}=10000");
    let init = [
        "chain",
        "init",
        "--validators",
        validators,
        "--out",
        "net",
        "--period",
        "200ms",
    ];
    let laid = run_in(
        dir.path(),
        &[&init[..], &["--fund", &fund, "-o", "json"], ports].concat(),
    );
    let laid = good(laid);
    let configs = laid["validators"].as_array().unwrap().iter();
    let configs = configs.map(|one| {
        let text = fs::read_to_string(one["config"].as_str().unwrap()).unwrap();
        format!("{text}guests = [\"*\"]\n")
    });
    (dir, configs.collect())
}

/// The same configuration on ports that nobody has.
fn anywhere(config: &str) -> String {
    let mut parts = config.split("127.0.0.1:");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| {
        text + "127.0.0.1:0" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

/// Nothing of a chain is there, nor a part of one.
fn is_empty(data: &Path) -> bool {
    let left = fs::read_dir(data.join("chain")).map(Iterator::count);
    left.unwrap_or(0) == 0
}

/// A chain of one validator, whose period a vote has changed: the genesis document alone does not say how blocks are made.
struct Voted {
    dir: TempDir,
    data: PathBuf,
    config: String,
    /// The first block of the new period.
    from: u64,
}

fn voted() -> (Voted, Node) {
    let (dir, configs) = network("1", &[]);
    let data = dir.path().join("net/validator-1/data");
    let config = anywhere(&configs[0]);
    let node = Node::start(&config);
    until(&node, &data, 1);
    let key = dir.path().join("net/validator-1/validator.key");
    let vote = ["chain", "vote", "period", "100ms", "--key-file", text(&key)];
    let voted = good(node.run(&[&vote[..], &["--data-dir", text(&data), "-o", "json"]].concat()));
    let from = voted["in_force_from"].as_u64().unwrap();
    until(&node, &data, from + 1);
    let chain = Voted {
        dir,
        data,
        config,
        from,
    };
    (chain, node)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn s3_34_s3_35_a_snapshot_becomes_a_chain_that_goes_on() {
    let (chain, node) = voted();
    let (here, data) = (chain.dir.path(), &chain.data);
    drop(node.stop());
    let taken = good(snapshot(here, &["create", "file", "--data-dir", text(data)]));
    let restore = [
        "restore",
        "file",
        "--genesis",
        "net/genesis.json",
        "--data-dir",
        "again",
    ];
    let restored = good(snapshot(here, &restore));
    assert_eq!(
        (&restored["hash"], &restored["verified"]),
        (&taken["hash"], &json!(true))
    );
    assert_eq!(snapshot(here, &restore).code, 4, "no chain is overwritten");
    // The only validator goes on from there, and proves what it has to who trusts the genesis document alone.
    let again = here.join("again");
    let node = Node::start(&chain.config.replace(text(data), text(&again)));
    let number = taken["block"].as_u64().unwrap();
    let status = until(&node, &again, number + 2);
    let http = status["http"].as_str().unwrap();
    assert_eq!(rpc(http, "eth_getBalance", &json!([ADDRESS, "latest"])), WEI);
    assert_eq!(
        rpc(http, "eth_getBlockByNumber", &json!(["0x1", false])),
        Value::Null
    );
    let first = rpc(http, "eth_getBlockByNumber", &json!(["0x0", false]));
    assert_eq!(first["hash"], taken["genesis"]);
    let begun = number.to_string();
    let proof = [
        "chain",
        "proof",
        ADDRESS,
        "--block",
        &begun,
        "--rpc",
        http,
        "--out",
        "proof.json",
    ];
    assert_eq!(node.run(&proof).code, 0);
    let bundle: Value = serde_json::from_slice(&fs::read(node.path("proof.json")).unwrap()).unwrap();
    assert_eq!(bundle["steps"].as_array().map(Vec::len), Some(1));
    let genesis = here.join("net/genesis.json");
    let verify = [
        "chain",
        "verify",
        "proof.json",
        "--genesis",
        text(&genesis),
        "-o",
        "json",
    ];
    assert_eq!(good(node.run(&verify))["ether"], "10000");
}

#[test]
fn a_running_node_gives_a_snapshot_and_an_altered_one_leaves_nothing() {
    let (chain, node) = voted();
    let (here, live) = (chain.dir.path(), chain.dir.path().join("live"));
    let create = [
        "chain",
        "snapshot",
        "create",
        text(&live),
        "--data-dir",
        text(&chain.data),
    ];
    let create = [&create[..], &["-o", "json"]].concat();
    let taken = good(node.run(&create));
    assert!(taken["block"].as_u64() > Some(chain.from), "{taken}");
    assert_eq!(node.run(&create).code, 4, "nothing is overwritten");
    drop(node.stop());
    let shown = good(snapshot(here, &["show", "live", "--genesis", "net/genesis.json"]));
    assert_eq!(
        (&shown["verified"], &shown["hash"]),
        (&json!(true), &taken["hash"])
    );
    assert_eq!(
        (&shown["power_signed"], &shown["power_total"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(good(snapshot(here, &["show", "live"]))["verified"], json!(false));

    let restore = |file: &str, genesis: &str, more: &[&str]| {
        let words = ["restore", file, "--genesis", genesis, "--data-dir", "bad"];
        snapshot(here, &[&words[..], more].concat())
    };
    let mut octets = fs::read(&live).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(here.join("altered"), &octets).unwrap();
    octets[middle] ^= 1;
    octets.truncate(octets.len() - 1);
    fs::write(here.join("cut"), &octets).unwrap();
    let ours = "net/genesis.json";
    refused(&restore("altered", ours, &[]), "altered");
    refused(&restore("cut", ours, &[]), "cut");
    good(run_in(
        here,
        &[
            "chain",
            "init",
            "--validators",
            "1",
            "--out",
            "other",
            "-o",
            "json",
        ],
    ));
    refused(&restore("live", "other/genesis.json", &[]), "genesis");
    let wrong = format!("0x{:064x}", 7);
    refused(
        &restore("live", ours, &["--trust", &wrong]),
        "not the one to be trusted",
    );
    assert!(is_empty(&here.join("bad")));
}

/// A chain of one node that nobody signs, and its configuration.
pub(crate) fn solo(dir: &Path) -> String {
    let genesis = json!({
        "config": {
            "chainId": 7, "homesteadBlock": 0, "eip150Block": 0, "eip155Block": 0, "eip158Block": 0,
            "byzantiumBlock": 0, "constantinopleBlock": 0, "petersburgBlock": 0, "istanbulBlock": 0,
            "berlinBlock": 0, "londonBlock": 0, "terminalTotalDifficulty": 0, "shanghaiTime": 0, "cancunTime": 0
        },
        "difficulty": "0x0", "gasLimit": "0x1c9c380", "timestamp": "0x1",
        "alloc": { ADDRESS: { "balance": WEI } },
    });
    fs::write(dir.join("genesis.json"), genesis.to_string()).unwrap();
    format!(
        "[node]\ndata_dir = {:?}\n[api]\nhttp = [\"127.0.0.1:0\"]\nhttps = []\nmetrics = []\n[chain]\nenabled = true\n\
         genesis = {:?}\nhttp = \"127.0.0.1:0\"\nblock_period = \"50ms\"\nempty_blocks = true\n",
        dir.join("data"),
        dir.join("genesis.json")
    )
}

#[test]
fn s3_34_s3_35_a_chain_that_nobody_signs_is_believed_by_its_hash_alone_and_begins_a_fast_node() {
    let dir = TempDir::new().unwrap();
    let (here, config) = (dir.path(), solo(dir.path()));
    let node = Node::start(&config);
    until(&node, &here.join("data"), 20);
    drop(node.stop());
    let taken = good(snapshot(here, &["create", "file", "--data-dir", "data"]));
    let (hash, number) = (taken["hash"].as_str().unwrap(), taken["block"].as_u64().unwrap());
    let shown = good(snapshot(here, &["show", "file", "--genesis", "genesis.json"]));
    assert_eq!(
        (&shown["verified"], &shown["signers"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(shown["accounts"], taken["accounts"]);
    let restore = [
        "restore",
        "file",
        "--genesis",
        "genesis.json",
        "--data-dir",
        "bad",
    ];
    refused(&snapshot(here, &restore), "nobody has signed it");

    // A fast node's configuration, which begins elsewhere.
    let fast = config.replace("/data", "/fast") + "pruning_mode = \"fast\"\nsnapshot = \"file\"\n";
    let (elsewhere, fast) = (
        here.join("fast"),
        fast.replace("\"file\"", &format!("{:?}", here.join("file"))),
    );
    fs::write(here.join("fast.toml"), &fast).unwrap();
    let ended = run_in(here, &["up", "--config", "fast.toml"]);
    assert_eq!(ended.code, 1, "{}", ended.err);
    assert!(ended.err.contains("chain.snapshot_trust"), "{}", ended.err);
    assert!(is_empty(&elsewhere), "{}", ended.err);
    let node = Node::start(&format!("{fast}snapshot_trust = {hash:?}\n"));
    let status = until(&node, &elsewhere, number + 3);
    let http = status["http"].as_str().unwrap();
    assert_eq!(rpc(http, "eth_getBalance", &json!([ADDRESS, "latest"])), WEI);
    let block = rpc(
        http,
        "eth_getBlockByNumber",
        &json!([format!("{number:#x}"), false]),
    );
    assert_eq!(block["hash"], taken["hash"]);
    // The file may go: a chain that is there needs no beginning.
    let (_, life) = node.stop();
    fs::remove_file(here.join("file")).unwrap();
    let node = Node::start_in(life, &fast);
    until(&node, &elsewhere, number + 4);
}

#[test]
fn pruning_by_hand_keeps_the_window_and_says_what_stands_in_its_way() {
    let dir = TempDir::new().unwrap();
    let (here, config) = (dir.path(), solo(dir.path()));
    let prune = |more: &[&str]| {
        let words = ["chain", "prune", "--data-dir", "data", "-o", "json"];
        run_in(here, &[&words[..], more].concat())
    };
    assert_eq!(prune(&["--blocks", "5"]).code, 3, "there is no chain");
    let node = Node::start(&config);
    until(&node, &here.join("data"), 30);
    let busy = prune(&["--blocks", "5"]);
    assert_eq!(busy.code, 4, "{}", busy.err);
    assert!(busy.err.contains("stop the node first"), "{}", busy.err);
    drop(node.stop());
    fs::write(
        here.join("archive.toml"),
        format!("{config}pruning_mode = \"archive\"\n"),
    )
    .unwrap();
    let archive = prune(&["--config", "archive.toml"]);
    assert_eq!(archive.code, 4, "{}", archive.err);
    assert!(archive.err.contains("archive"), "{}", archive.err);
    let unsaid = prune(&[]);
    assert_eq!(unsaid.code, 2, "{}", unsaid.err);
    assert!(
        unsaid.err.contains("may be an archive") && unsaid.err.contains("--config FILE"),
        "{}",
        unsaid.err
    );
    // What was refused has pruned nothing: the first block is there for the next to let go of.
    let pruned = good(prune(&["--blocks", "5"]));
    let before = pruned["octets_before"].as_u64().unwrap();
    assert!(pruned["octets_after"].as_u64().unwrap() <= before, "{pruned}");
    let oldest = pruned["oldest"].as_u64().unwrap();
    assert!(
        pruned["blocks_pruned"].as_u64() == Some(oldest) && oldest >= 26,
        "{pruned}"
    );
    let again = good(prune(&["--blocks", "5"]));
    assert_eq!(
        (&again["blocks_pruned"], &again["oldest"]),
        (&json!(0), &json!(oldest))
    );
    let node = Node::start(&config);
    let status = until(&node, &here.join("data"), oldest + 6);
    let http = status["http"].as_str().unwrap();
    assert_eq!(rpc(http, "eth_getBalance", &json!([ADDRESS, "latest"])), WEI);
}

#[test]
fn s3_34_s3_35_a_fast_node_begins_from_a_validators_snapshot_and_follows() {
    let base = base_port(&[0, 1, 2, 3]);
    let (dir, configs) = network("4", &["--base-port", &base.to_string()]);
    let nodes: Vec<Node> = configs.iter().map(|config| Node::start(config)).collect();
    let first = dir.path().join("net/validator-1/data");
    let status = until(&nodes[0], &first, 5);
    let at = status["http"].as_str().unwrap().to_owned();
    let token = fs::read_to_string(first.join("admin-token")).unwrap();
    let data = dir.path().join("fast");
    let among: Vec<String> = (0..4).map(|n| format!("127.0.0.1:{}", base + n)).collect();
    let config = format!(
        "[node]\ndata_dir = {data:?}\n[api]\nhttp = [\"127.0.0.1:0\"]\nhttps = []\nmetrics = []\n[chain]\nenabled = true\n\
         genesis = {:?}\npruning_mode = \"fast\"\nsnapshot = \"http://127.0.0.1:{}\"\nsnapshot_token = {:?}\n\
         peers = {among:?}\nhttp = \"127.0.0.1:0\"\n",
        dir.path().join("net/genesis.json"),
        base + 200,
        token.trim(),
    );
    // A token that is none stops the start, and leaves nothing.
    let strange = config.replace(token.trim(), "purlin_nobody");
    fs::write(dir.path().join("strange.toml"), strange).unwrap();
    let ended = run_in(dir.path(), &["up", "--config", "strange.toml"]);
    assert!(
        ended.code != 0 && ended.err.contains("snapshot_token"),
        "{}",
        ended.err
    );
    assert!(is_empty(&data), "{}", ended.err);

    let follower = Node::start(&config);
    let status = until(&follower, &data, 0);
    let (begun, here) = (status["head"].as_u64().unwrap(), status["http"].as_str().unwrap());
    assert_eq!(status["role"], "blockchain");
    assert!(begun >= 5, "{status}");
    until(&follower, &data, begun + 5);
    let number = json!([format!("{:#x}", begun + 5), false]);
    until(&nodes[0], &first, begun + 5);
    let block = rpc(here, "eth_getBlockByNumber", &number);
    assert_eq!(block["hash"], rpc(&at, "eth_getBlockByNumber", &number)["hash"]);
    assert_eq!(rpc(here, "eth_getBalance", &json!([ADDRESS, "latest"])), WEI);
    assert_eq!(
        rpc(here, "eth_getBlockByNumber", &json!(["0x1", false])),
        Value::Null
    );
    assert!(rpc(&at, "eth_getBlockByNumber", &json!(["0x1", false])).is_object());
}
