//! What a signer costs: recovered one by one, or claimed and checked as one sum.
//!
//! `cargo run --release -p purlin-chain-signatures --example claims_cost [HOW_MANY_TOGETHER ...]`

use alloy_consensus::{SignableTransaction as _, TxLegacy};
use alloy_primitives::{B256, Signature};
use k256::ecdsa::SigningKey;
use purlin_chain_proto::Transaction;
use purlin_chain_signatures::claims::{Claim, are_right};
use purlin_chain_signatures::recover;
use std::time::Duration;

const SECRET: B256 = B256::repeat_byte(9);
const MOST: u32 = 4_096;
const COUNTS: [usize; 10] = [1, 4, 8, 16, 32, 64, 100, 256, 1_024, 4_096];

/// Processor time of this thread; the wall clock of a shared machine says little.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = stat.split_whitespace().next().and_then(|n| n.parse().ok());
    Duration::from_nanos(first.unwrap_or(0))
}

fn timed(what: &str, count: usize, mut work: impl FnMut()) {
    let rounds = 8_192_usize.div_ceil(count);
    let before = cpu();
    (0..rounds).for_each(|_| work());
    let each = (cpu() - before).as_secs_f64() / (rounds * count) as f64;
    println!("{what}: {:.1} us each of {count}", each * 1e6);
}

/// The n-th transfer of a key.
fn transfer(key: &SigningKey, nonce: u64) -> Transaction {
    let one = TxLegacy {
        chain_id: Some(1337),
        nonce,
        gas_limit: 21_000,
        ..TxLegacy::default()
    };
    let digest = one.signature_hash();
    let signature = key.sign_prehash_recoverable(digest.as_slice());
    let signature = Signature::from(signature.expect("a key signs any digest"));
    one.into_signed(signature).into()
}

fn claim(key: &SigningKey, transaction: &Transaction) -> Claim {
    let point = key.verifying_key().to_encoded_point(false);
    Claim {
        digest: transaction.signature_hash(),
        signature: *transaction.signature(),
        key: point.as_bytes()[1..].try_into().expect("two coordinates"),
    }
}

fn main() {
    let asked: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let counts = if asked.is_empty() { COUNTS.to_vec() } else { asked };
    for per_key in [1, 10] {
        println!("{per_key} of each key");
        let mut transactions = Vec::new();
        let mut claims = Vec::new();
        for n in 0..MOST {
            let mut octets = [7; 32];
            octets[..4].copy_from_slice(&(n / per_key).to_be_bytes());
            let key = SigningKey::from_slice(&octets).expect("a number below the order");
            let transaction = transfer(&key, u64::from(n % per_key));
            claims.push(claim(&key, &transaction));
            transactions.push(transaction);
        }
        timed("  recovered", transactions.len(), || {
            for one in &transactions {
                assert!(recover(one.clone()).is_some(), "it is signed");
            }
        });
        for &count in &counts {
            timed("  as a sum", count, || {
                assert!(are_right(&claims[..count], SECRET), "they are right");
            });
        }
    }
}
