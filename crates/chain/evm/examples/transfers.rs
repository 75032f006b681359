//! Plain transfers through the chain, timed by step.
//!
//! ```sh
//! cargo run --release -p purlin-chain-evm --example transfers -- FOLDER [BLOCKS] [TRANSFERS] [ACCOUNTS]
//! ```
//!
//! Two chains in FOLDER: one makes BLOCKS blocks of TRANSFERS transfers between ACCOUNTS accounts, the other imports
//! them. Signing is not timed. The first block of each is shown too: it finds cold caches.

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy, crypto::secp256k1};
use purlin_chain_evm::{Attributes, Chain, Imported, StateSettings, Steps};
use purlin_chain_proto::{Address, B256, ChainSpec, Recovered, SignerRecoverable, Transaction, TxKind, U256};
use std::{error::Error, path::Path, time::Duration};

const CHAIN_ID: u64 = 1337;
const START: u64 = 1_700_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("the first argument is a folder for two chain files")?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (blocks, transfers, accounts) = (number(10)?, number(5_000)?, number(10_000)?);
    let signers: Vec<(B256, Address)> = (1..=accounts as u64).map(signer).collect();
    let funded: Vec<_> = signers
        .iter()
        .map(|(_, address)| (*address, U256::MAX >> 64))
        .collect();
    let spec = ChainSpec::development(CHAIN_ID, &funded, START);
    let open = |name: &str| {
        Chain::create(
            Some(&Path::new(&folder).join(name)),
            spec.clone(),
            StateSettings::default(),
        )
    };
    let (maker, taker) = (open("maker.redb")?, open("taker.redb")?);
    let (mut made, mut taken) = (Vec::new(), Vec::new());
    for block in 0..blocks {
        let transactions: Vec<_> = (0..transfers)
            .map(|at| transfer(&signers, block * transfers + at))
            .collect();
        let head = maker.head();
        let attributes = Attributes {
            timestamp: head.header.timestamp + 1,
            gas_limit: head.header.gas_limit,
            ..Attributes::default()
        };
        let produced = maker.produce(attributes, transactions.into_iter())?;
        if let Some((hash, refusal)) = produced.refused.first() {
            return Err(format!("{hash} was refused: {refusal}").into());
        }
        let Imported::New(imported) = taker.import(produced.head.block.clone())? else {
            return Err("the second chain has the block already: give an empty folder".into());
        };
        made.push(produced.head.took);
        taken.push(imported.took);
    }
    println!("{blocks} blocks of {transfers} transfers between {accounts} accounts");
    println!("                 recover   execute      root    commit     ms a block   transfers/s");
    for (name, steps) in [("produced", &made), ("imported", &taken)] {
        show(&format!("{name}, first"), &steps[..1], transfers);
        show(&format!("{name}, later"), &steps[1..], transfers);
    }
    Ok(())
}

fn show(name: &str, steps: &[Steps], transfers: usize) {
    if steps.is_empty() {
        return;
    }
    let mean = |of: fn(&Steps) -> Duration| {
        steps.iter().map(of).sum::<Duration>().as_secs_f64() * 1_000.0 / steps.len() as f64
    };
    let columns = [
        mean(|s| s.recover),
        mean(|s| s.execute),
        mean(|s| s.root),
        mean(|s| s.commit),
    ];
    let whole: f64 = columns.iter().sum();
    let [recover, execute, root, commit] = columns;
    let rate = transfers as f64 * 1_000.0 / whole;
    println!("{name:<15}{recover:>9.1} {execute:>9.1} {root:>9.1} {commit:>9.1} {whole:>14.1} {rate:>13.0}");
}

fn signer(number: u64) -> (B256, Address) {
    let secret = B256::from(U256::from(number));
    let any = TxLegacy::default();
    let signature = secp256k1::sign_message(secret, any.signature_hash()).expect("a secret");
    let address = Transaction::from(any.into_signed(signature))
        .recover_signer()
        .expect("signed above");
    (secret, address)
}

/// Transfer `at` of all: senders take turns, receivers are far from them.
fn transfer(signers: &[(B256, Address)], at: usize) -> Recovered {
    let count = signers.len();
    let (secret, sender) = signers[at % count];
    let (_, receiver) = signers[(at * 7_919 + 13) % count];
    let transaction = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce: (at / count) as u64,
        gas_limit: 21_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(receiver),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = secp256k1::sign_message(secret, transaction.signature_hash()).expect("a secret");
    Recovered::new_unchecked(transaction.into_signed(signature).into(), sender)
}
