//! The chain: stock libraries and tools of Ethereum ask a running node everything that they ask any other.

mod constitution;
mod validators;

use purlin_conformance::Judge;

const HTTP: &str = "127.0.0.1:8545";
const WEBSOCKET: &str = "127.0.0.1:8546";

/// A development chain: accounts that everybody knows, every fork from the first block on.
fn config(block_period: &str) -> String {
    format!(
        "[node]\nid = \"lab\"\n\n[chain]\nenabled = true\nhttp = \"{HTTP}\"\nwebsocket = \"{WEBSOCKET}\"\n\
         cors_origins = [\"*\"]\npruning_mode = \"archive\"\nblock_period = \"{block_period}\"\n"
    )
}

/// What `judge` says of a chain with such a pace is good throughout.
fn is_content(judge: Judge, block_period: &str) {
    let Some(lab) = judge.lab() else {
        return;
    };
    let mut node = lab.node(&config(block_period));
    let _ = judge.judges(&lab, &format!("http://{HTTP}"), &format!("ws://{WEBSOCKET}"));
    assert!(node.process().is_running(), "{}", node.process().said());
}

#[test]
fn s3_28_ethers_is_content_with_instant_blocks() {
    is_content(Judge::Ethers, "0s");
}

#[test]
fn viem_is_content_with_instant_blocks() {
    is_content(Judge::Viem, "0s");
}

#[test]
fn web3_py_is_content_with_instant_blocks() {
    is_content(Judge::Web3, "0s");
}

#[test]
fn cast_is_content_with_instant_blocks() {
    is_content(Judge::Cast, "0s");
}

#[test]
fn hardhat_is_content_with_instant_blocks() {
    is_content(Judge::Hardhat, "0s");
}

#[test]
fn ethers_is_content_with_a_block_a_second() {
    is_content(Judge::Ethers, "1s");
}

#[test]
fn web3_py_is_content_with_a_block_a_second() {
    is_content(Judge::Web3, "1s");
}
