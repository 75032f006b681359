//! Who signed the transactions of a block, found on several threads.

use alloy_consensus::Transaction as _;
use purlin_chain_proto::{Address, B256, Fork, SignerRecoverable, Transaction};
use std::thread;

/// A signature costs 30 to 90 microseconds with libsecp256k1 (`docs/performance.md`), a thread about as much to start.
const PER_THREAD_MIN: usize = 16;
const THREADS_MAX: usize = 16;

/// Why a transaction has no sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SenderFault {
    #[error("invalid sender: the signature names no account")]
    Signature,
    #[error(
        "invalid sender: the signature names a chain, which is allowed from spurious dragon on (EIP-155)"
    )]
    Protected,
}

/// Senders that are known already, by the hash of the transaction, which covers the signature. They must have been
/// recovered under the rules since Homestead.
pub(crate) type KnownSenders<'a> = &'a (dyn Fn(&B256) -> Option<Address> + Sync);

/// The senders in order, or the index of the first transaction without one.
///
/// # Errors
///
/// See [`SenderFault`]. Which signatures are right depends on the fork: EIP-2 forbids high `s`, EIP-155 allows the chain
/// id.
pub(crate) fn recover(
    fork: Fork,
    transactions: &[Transaction],
    known: KnownSenders<'_>,
) -> Result<Vec<Address>, (usize, SenderFault)> {
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get().min(THREADS_MAX));
    let share = transactions.len().div_ceil(threads).max(PER_THREAD_MIN);
    let mut senders = vec![Address::ZERO; transactions.len()];
    thread::scope(|scope| {
        let shares = transactions
            .chunks(share)
            .zip(senders.chunks_mut(share))
            .enumerate();
        let mut shares = shares.map(|(at, (transactions, senders))| (at * share, transactions, senders));
        let own = shares.next();
        let others: Vec<_> = shares
            .map(|(at, txs, senders)| scope.spawn(move || fill(fork, at, txs, senders, known)))
            .collect();
        let mut result = own.map_or(Ok(()), |(at, transactions, senders)| {
            fill(fork, at, transactions, senders, known)
        });
        for other in others {
            let other = other.join().expect("recovering does not panic");
            result = result.and(other);
        }
        result
    })?;
    Ok(senders)
}

/// The senders of one share, which begins at transaction `first` of the block.
fn fill(
    fork: Fork,
    first: usize,
    transactions: &[Transaction],
    senders: &mut [Address],
    known: KnownSenders<'_>,
) -> Result<(), (usize, SenderFault)> {
    for (index, (transaction, sender)) in transactions.iter().zip(senders).enumerate() {
        *sender = one(fork, transaction, known).map_err(|fault| (first + index, fault))?;
    }
    Ok(())
}

fn one(fork: Fork, transaction: &Transaction, known: KnownSenders<'_>) -> Result<Address, SenderFault> {
    let protected = transaction.is_legacy() && transaction.chain_id().is_some();
    if protected && fork < Fork::SpuriousDragon {
        return Err(SenderFault::Protected);
    }
    if let Some(sender) = known(transaction.tx_hash()) {
        return Ok(sender);
    }
    let sender = if fork >= Fork::Homestead {
        transaction.recover_signer()
    } else {
        transaction.recover_signer_unchecked()
    };
    sender.map_err(|_| SenderFault::Signature)
}
