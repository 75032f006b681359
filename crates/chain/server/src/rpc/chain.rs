//! What chain this is, and who answers: `eth_chainId`, `net_*`, `web3_*` and their like.

use super::{Method, Query, answer};
use crate::fault::Answer;
use alloy_eips::eip7840::BlobParams;
use alloy_primitives::{U64, keccak256};
use purlin_chain_proto::{Activation, Address, Fork};
use serde_json::{Map, Value, json};

pub(super) const METHODS: &[Method] = &[
    Method::memory("eth_chainId", 0, chain_id),
    Method::memory("eth_blockNumber", 0, block_number),
    Method::memory("eth_syncing", 0, super::consensus::syncing),
    Method::memory("eth_accounts", 0, |_| answer::<[Address]>(&[])),
    Method::memory("eth_coinbase", 0, coinbase),
    Method::memory("eth_mining", 0, mining),
    Method::memory("eth_hashrate", 0, |_| answer("0x0")),
    Method::memory("eth_protocolVersion", 0, |_| answer("0x45")),
    Method::memory("eth_config", 0, config),
    Method::memory("eth_capabilities", 0, capabilities),
    Method::memory("net_version", 0, net_version),
    Method::memory("net_listening", 0, |_| answer(&true)),
    Method::memory("net_peerCount", 0, super::consensus::peer_count),
    Method::memory("web3_clientVersion", 0, |_| answer(CLIENT_VERSION)),
    Method::memory("web3_sha3", 1, |query| answer(&keccak256(query.args.octets(0)?))),
];

/// Name, version and platform, in the shape that tools split at the slashes.
const CLIENT_VERSION: &str = concat!("Purlin/v", env!("CARGO_PKG_VERSION"), "/linux/rust");

fn chain_id(query: &Query<'_>) -> Answer {
    answer(&U64::from(query.node.source.spec().chain_id()))
}

/// The network's number is the chain's, in decimal digits.
fn net_version(query: &Query<'_>) -> Answer {
    answer(&query.node.source.spec().chain_id().to_string())
}

fn block_number(query: &Query<'_>) -> Answer {
    answer(&U64::from(query.node.head().header.number))
}

fn coinbase(query: &Query<'_>) -> Answer {
    answer(&query.node.settings.production.beneficiary)
}

fn mining(query: &Query<'_>) -> Answer {
    let alone = query.node.settings.production.pace != crate::settings::Pace::Off;
    let among = query.node.consensus();
    answer(&(alone || among.is_some_and(|consensus| consensus.is_validator())))
}

/// What can be asked, and from which block on.
fn capabilities(query: &Query<'_>) -> Answer {
    let head = query.node.head();
    let oldest = U64::from(query.node.source.oldest());
    let from = |oldest| json!({ "disabled": false, "oldestBlock": oldest });
    answer(&json!({
        "head": { "number": U64::from(head.header.number), "hash": head.hash },
        "state": from(oldest),
        "tx": from(oldest),
        "logs": from(oldest),
        "receipts": from(oldest),
        "blocks": from(oldest),
        "stateproofs": from(oldest),
    }))
}

/// EIP-7910: the rules in force, those that come next, and the last known ones.
fn config(query: &Query<'_>) -> Answer {
    let head = query.node.head();
    let timed: Vec<(Fork, u64)> = query
        .node
        .source
        .spec()
        .forks()
        .filter_map(|(fork, activation)| match activation {
            Activation::Time(time) if fork >= Fork::Cancun => Some((fork, time)),
            _ => None,
        })
        .collect();
    let now = head.header.timestamp;
    let current = timed.iter().rev().find(|(_, time)| *time <= now);
    let next = timed.iter().find(|(_, time)| *time > now);
    let last = timed.last().filter(|_| next.is_some());
    let shown = |entry: Option<&(Fork, u64)>| entry.map_or(Value::Null, |entry| rules(query, *entry));
    answer(&json!({ "current": shown(current), "next": shown(next), "last": shown(last) }))
}

fn rules(query: &Query<'_>, (fork, time): (Fork, u64)) -> Value {
    let spec = query.node.source.spec();
    let blobs = spec.blob_params_at(time).map(|params: BlobParams| {
        json!({
            "baseFeeUpdateFraction": u64::try_from(params.update_fraction).unwrap_or(u64::MAX),
            "max": params.max_blob_count,
            "target": params.target_blob_count,
        })
    });
    json!({
        "activationTime": time,
        "blobSchedule": blobs,
        "chainId": U64::from(spec.chain_id()),
        "forkId": query.node.source.fork_id(time),
        "precompiles": precompiles(fork),
        "systemContracts": system_contracts(fork, spec.deposit_contract()),
    })
}

/// Names of EIP-7910 in the order of their addresses.
fn precompiles(fork: Fork) -> Value {
    let cancun = [
        ("BLAKE2F", "09"),
        ("BN254_ADD", "06"),
        ("BN254_MUL", "07"),
        ("BN254_PAIRING", "08"),
        ("ECREC", "01"),
        ("ID", "04"),
        ("KZG_POINT_EVALUATION", "0a"),
        ("MODEXP", "05"),
        ("RIPEMD160", "03"),
        ("SHA256", "02"),
    ];
    let prague = [
        ("BLS12_G1ADD", "0b"),
        ("BLS12_G1MSM", "0c"),
        ("BLS12_G2ADD", "0d"),
        ("BLS12_G2MSM", "0e"),
        ("BLS12_MAP_FP2_TO_G2", "11"),
        ("BLS12_MAP_FP_TO_G1", "10"),
        ("BLS12_PAIRING_CHECK", "0f"),
    ];
    let osaka = [("P256VERIFY", "0100")];
    let mut named = Map::new();
    let mut add = |list: &[(&str, &str)]| {
        for (name, address) in list {
            named.insert((*name).to_owned(), json!(format!("0x{address:0>40}")));
        }
    };
    add(&cancun);
    if fork >= Fork::Prague {
        add(&prague);
    }
    if fork >= Fork::Osaka {
        add(&osaka);
    }
    Value::Object(named)
}

fn system_contracts(fork: Fork, deposit: Option<Address>) -> Value {
    use alloy_eips::{eip2935, eip4788, eip7002, eip7251};
    let mut named = Map::new();
    named.insert(
        "BEACON_ROOTS_ADDRESS".to_owned(),
        json!(eip4788::BEACON_ROOTS_ADDRESS),
    );
    if fork >= Fork::Prague {
        let consolidation = eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
        let withdrawal = eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
        named.insert(
            "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS".to_owned(),
            json!(consolidation),
        );
        named.insert(
            "DEPOSIT_CONTRACT_ADDRESS".to_owned(),
            json!(deposit.unwrap_or_default()),
        );
        named.insert(
            "HISTORY_STORAGE_ADDRESS".to_owned(),
            json!(eip2935::HISTORY_STORAGE_ADDRESS),
        );
        named.insert(
            "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS".to_owned(),
            json!(withdrawal),
        );
    }
    Value::Object(named)
}
