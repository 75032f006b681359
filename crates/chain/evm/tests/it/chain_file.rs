//! The public chain: header rules and execution, without a store.

use crate::memory::MemoryState;
use purlin_chain_evm::execute::execute;
use purlin_chain_proto::{Block, ChainSpec, Fork, SignerRecoverable, codec, roots, rules};

pub(crate) const BLOCKS: usize = 54;

pub(crate) fn spec() -> ChainSpec {
    ChainSpec::from_json(include_str!("../data/genesis.json")).expect("a genesis document")
}

pub(crate) fn file() -> &'static [u8] {
    include_bytes!("../data/chain.rlp")
}

pub(crate) fn blocks() -> Vec<Block> {
    codec::blocks(file())
        .collect::<Result<_, _>>()
        .expect("whole blocks")
}

#[test]
fn the_file_holds_whole_blocks_and_encodes_to_itself() {
    let blocks = blocks();
    assert_eq!(blocks.len(), BLOCKS);
    assert_eq!(blocks.iter().flat_map(codec::encode).collect::<Vec<_>>(), file());
}

#[test]
fn the_chain_walks_through_every_fork() {
    let spec = spec();
    let mut forks: Vec<Fork> = blocks()
        .iter()
        .map(|block| spec.fork_at(block.header.number, block.header.timestamp))
        .collect();
    forks.dedup();
    let names: Vec<&str> = forks.iter().map(|fork| fork.name()).collect();
    let wanted = "homestead tangerine spuriousDragon byzantium constantinople petersburg istanbul muirGlacier berlin \
                  london arrowGlacier grayGlacier paris shanghai cancun prague osaka bpo1 bpo2";
    assert_eq!(names.join(" "), wanted);
}

#[test]
fn every_block_keeps_the_header_rules_and_gives_its_roots_over_plain_maps() {
    let spec = spec();
    let mut state = MemoryState::genesis(&spec);
    let mut parent = spec.genesis_header(state.root());
    for block in blocks() {
        let header = &block.header;
        let number = header.number;
        let parent_hash = parent.hash_slow();
        state.hashes.insert(parent.number, parent_hash);
        rules::check_header(&spec, &parent, parent_hash, header, None, u64::MAX)
            .unwrap_or_else(|e| panic!("{number}: {e}"));
        rules::check_body(&spec, &block).unwrap_or_else(|e| panic!("{number}: {e}"));
        let senders: Vec<_> = block
            .body
            .transactions
            .iter()
            .map(|tx| tx.recover_signer().expect("a signature"))
            .collect();
        let root_of = |changes: &_| Ok(state.after(changes).root());
        let outcome = execute(&spec, header, &block.body, &senders, &state, Some(&root_of))
            .unwrap_or_else(|e| panic!("{number}: {e}"));
        assert_eq!(outcome.gas_used, header.gas_used, "gas of block {number}");
        assert_eq!(
            roots::receipts(&outcome.receipts),
            header.receipts_root,
            "receipts of block {number}"
        );
        assert_eq!(
            roots::bloom(&outcome.receipts),
            header.logs_bloom,
            "bloom of block {number}"
        );
        if let Some(hash) = header.requests_hash {
            assert_eq!(
                roots::requests(&outcome.requests),
                hash,
                "requests of block {number}"
            );
        }
        state.apply(&outcome.changes);
        assert_eq!(state.root(), header.state_root, "state of block {number}");
        parent = block.header;
    }
    assert!(include_str!("../data/headfcu.json").contains(&parent.hash_slow().to_string()));
}
