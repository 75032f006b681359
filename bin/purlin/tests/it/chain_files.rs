//! A chain that came from a file: answered from, and not made longer unless that is wanted.

use crate::chain_snapshot::{good, rpc, solo, until};
use crate::harness::{Node, run_in};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

#[test]
fn a_chain_from_a_file_has_no_blocks_of_this_nodes_own_unless_it_is_told_to_make_them() {
    let dir = TempDir::new().unwrap();
    let (here, config) = (dir.path(), solo(dir.path()));
    let node = Node::start(&config);
    assert_eq!(until(&node, &here.join("data"), 5)["role"], "solo");
    drop(node.stop());
    let chain = |words: &[&str]| run_in(here, &[&["chain"], words, &["-o", "json"]].concat());
    let copy = chain(&["export", "copy.rlp", "--data-dir", "data"]);
    assert_eq!(copy.code, 0, "{}", copy.err);
    good(chain(&[
        "init",
        "--genesis",
        "genesis.json",
        "--data-dir",
        "elsewhere",
    ]));
    let taken = good(chain(&["import", "copy.rlp", "--data-dir", "elsewhere"]));

    let (data, elsewhere) = (here.join("data"), here.join("elsewhere"));
    let config = config.replace(data.to_str().unwrap(), elsewhere.to_str().unwrap());
    let node = Node::start(&config);
    let status = until(&node, &elsewhere, 5);
    assert_eq!(
        (&status["role"], &status["head"]),
        (&json!("blockchain"), &taken["head"])
    );
    let http = status["http"].as_str().unwrap();
    assert_eq!(rpc(http, "eth_mining", &json!([])), false);
    // Six periods.
    std::thread::park_timeout(Duration::from_millis(300));
    let head: Value = rpc(http, "eth_getBlockByNumber", &json!(["latest", false]));
    assert_eq!(head["hash"], taken["hash"]);

    let (_, life) = node.stop();
    let node = Node::start_in(life, &format!("{config}role = \"solo\"\n"));
    let status = until(&node, &elsewhere, taken["head"].as_u64().unwrap() + 2);
    assert_eq!(status["role"], "solo");
}
