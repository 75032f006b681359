//! A block made here, on the head, from transactions that somebody chose.

use super::{Chain, NewHead, Prepared, ProduceError, Steps};
use crate::execute::{ExecuteError, ExecutionRefusal, Executor, Outcome};
use crate::store::{Head, Sealed, State};
use alloy_eips::Encodable2718;
use alloy_rlp::Encodable;
use purlin_chain_proto::{
    Address, B256, Body, Bytes, Fork, Header, Recovered, Transaction, Withdrawal, Withdrawals, roots,
    rules::{self, BLOCK_OCTETS_MAX, EXTRA_DATA_MAX},
};
use std::{
    sync::{Arc, MutexGuard},
    time::Instant,
};

/// What whoever makes a block decides about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Seconds since 1970, from [`ChainSpec::earliest_timestamp`](purlin_chain_proto::ChainSpec::earliest_timestamp) on.
    pub timestamp: u64,
    pub beneficiary: Address,
    pub prev_randao: B256,
    /// The wish; a block comes at most 1/1024 of its parent's limit nearer to it. Nothing in a chain with validators, whose
    /// constitution decides.
    pub gas_limit: u64,
    /// At most 32 octets.
    pub extra_data: Bytes,
    /// None before Shanghai.
    pub withdrawals: Vec<Withdrawal>,
    /// Used from Cancun on (EIP-4788).
    pub parent_beacon_root: B256,
}

/// The new head, and which transactions are not in it.
#[derive(Debug)]
pub struct Produced {
    pub head: Arc<NewHead>,
    /// By hash, in the order in which they were offered.
    pub refused: Vec<(B256, ExecutionRefusal)>,
}

/// Gas below which no transaction fits any more.
const TRANSACTION_GAS_MIN: u64 = 21_000;

/// RLP headers of the block and of its lists.
const FRAME_OCTETS: usize = 64;

impl Chain {
    /// Executes these transactions on the head and seals the block, which nobody sees until it is committed. It stops asking
    /// for transactions when the block's gas is used up, or when there are no more: how long to go on is decided by who
    /// offers. One that does not fit or is not valid leaves no trace and comes back with its reason, in the order in which
    /// they were offered.
    ///
    /// # Errors
    ///
    /// Attributes that no block can have, or a store that fails.
    pub fn prepare(
        &self,
        attributes: Attributes,
        transactions: impl Iterator<Item = Recovered>,
    ) -> Result<(Prepared, Vec<(B256, ExecutionRefusal)>), ProduceError> {
        let writing = self.write();
        self.build(&writing, attributes, transactions)
    }

    /// [`Chain::prepare`] and commit in one, in a chain without validators.
    ///
    /// # Errors
    ///
    /// As [`Chain::prepare`], and [`CommitError::NoCertificate`](super::CommitError) in a chain with validators; the chain is then as it was.
    pub fn produce(
        &self,
        attributes: Attributes,
        transactions: impl Iterator<Item = Recovered>,
    ) -> Result<Produced, ProduceError> {
        let writing = self.write();
        let (prepared, refused) = self.build(&writing, attributes, transactions)?;
        let head = self.seal(&writing, prepared, None)?;
        Ok(Produced { head, refused })
    }

    /// Nobody commits before the block is executed: the state that it is executed on is the head's.
    fn build(
        &self,
        _writing: &MutexGuard<'_, ()>,
        attributes: Attributes,
        transactions: impl Iterator<Item = Recovered>,
    ) -> Result<(Prepared, Vec<(B256, ExecutionRefusal)>), ProduceError> {
        let started = Instant::now();
        self.follow()?;
        let head = self.head();
        let state = self.store().latest()?;
        let Made {
            mut header,
            body,
            senders,
            outcome,
            refused,
        } = self.make(&head, &state, attributes, transactions)?;
        let appended = self.appended(header.number, &state, &outcome.changes)?;
        let executed = Instant::now();
        let (root, trie) = self.store().root_after(&outcome.changes)?;
        header.state_root = root;
        let took = Steps {
            execute: executed - started,
            root: executed.elapsed(),
            ..Steps::default()
        };
        let Outcome {
            changes, receipts, ..
        } = outcome;
        let sealed = Sealed {
            hash: header.hash_slow(),
            block: header.into_block(body),
            senders,
            receipts,
            changes,
            trie,
            certificate: None,
        };
        Ok((Prepared::new(sealed, appended, took), refused))
    }

    /// Everything of a block on this head but the root of its state, which is this one.
    pub(super) fn make(
        &self,
        head: &Head,
        state: &State,
        attributes: Attributes,
        mut transactions: impl Iterator<Item = Recovered>,
    ) -> Result<Made, ProduceError> {
        let (mut header, mut body) = self.begin(head, attributes)?;
        let mut executor = Executor::begin(self.spec(), &header, state, None)?;
        let mut chosen = Chosen::new(&header, &body);
        while executor.gas_left() >= TRANSACTION_GAS_MIN {
            let Some(transaction) = transactions.next() else {
                break;
            };
            chosen.offer(&mut executor, transaction)?;
        }
        let Chosen {
            taken,
            senders,
            refused,
            ..
        } = chosen;
        body.transactions = taken;
        let outcome = executor.finish(&header, &body)?;
        self.fill(&mut header, &body, &outcome);
        Ok(Made {
            header,
            body,
            senders,
            outcome,
            refused,
        })
    }

    /// The fields that are known before the first transaction.
    fn begin(&self, head: &Head, attributes: Attributes) -> Result<(Header, Body), ProduceError> {
        let (spec, parent) = (self.spec(), &head.header);
        let (number, timestamp) = (parent.number + 1, attributes.timestamp);
        let fork = spec.fork_at(number, timestamp);
        let earliest = spec.earliest_timestamp(parent);
        if timestamp < earliest {
            return Err(ProduceError::Timestamp {
                earliest,
                got: timestamp,
            });
        }
        if fork < Fork::Paris {
            return Err(ProduceError::BeforeMerge { number, fork });
        }
        if attributes.extra_data.len() > EXTRA_DATA_MAX {
            return Err(ProduceError::ExtraData {
                got: attributes.extra_data.len(),
            });
        }
        let shanghai = fork >= Fork::Shanghai;
        if !shanghai && !attributes.withdrawals.is_empty() {
            return Err(ProduceError::Withdrawals { number, fork });
        }
        let withdrawals = shanghai.then(|| Withdrawals::new(attributes.withdrawals));
        let header = Header {
            parent_hash: head.hash,
            beneficiary: attributes.beneficiary,
            number,
            gas_limit: rules::gas_limit_towards(
                spec.parent_gas_limit(parent, timestamp),
                self.gas_limit_wanted(head).unwrap_or(attributes.gas_limit),
            ),
            timestamp,
            extra_data: attributes.extra_data,
            mix_hash: attributes.prev_randao,
            base_fee_per_gas: spec.next_base_fee(parent, timestamp),
            excess_blob_gas: spec.next_excess_blob_gas(parent, timestamp),
            blob_gas_used: (fork >= Fork::Cancun).then_some(0),
            parent_beacon_block_root: (fork >= Fork::Cancun).then_some(attributes.parent_beacon_root),
            withdrawals_root: withdrawals
                .as_ref()
                .map(|withdrawals| roots::withdrawals(withdrawals)),
            ..Header::default()
        };
        Ok((
            header,
            Body {
                withdrawals,
                ..Body::default()
            },
        ))
    }

    /// The fields that execution gives, all but the state root.
    fn fill(&self, header: &mut Header, body: &Body, outcome: &Outcome) {
        header.transactions_root = roots::transactions(&body.transactions);
        header.receipts_root = roots::receipts(&outcome.receipts);
        header.logs_bloom = roots::bloom(&outcome.receipts);
        header.gas_used = outcome.gas_used;
        let prague = self.spec().fork_at(header.number, header.timestamp) >= Fork::Prague;
        header.requests_hash = prague.then(|| roots::requests(&outcome.requests));
    }
}

/// An executed block whose header lacks the root of the state.
pub(super) struct Made {
    pub(super) header: Header,
    pub(super) body: Body,
    pub(super) senders: Vec<Address>,
    pub(super) outcome: Outcome,
    pub(super) refused: Vec<(B256, ExecutionRefusal)>,
}

/// The transactions of a block in the making.
struct Chosen {
    taken: Vec<Transaction>,
    senders: Vec<Address>,
    refused: Vec<(B256, ExecutionRefusal)>,
    octets_left: usize,
}

impl Chosen {
    fn new(header: &Header, body: &Body) -> Self {
        // The state root and the other fixed fields are as long empty as filled; bloom and numbers are given some room.
        let used = header.length() + body.length() + FRAME_OCTETS;
        let octets_left = BLOCK_OCTETS_MAX.saturating_sub(used);
        Self {
            taken: Vec::new(),
            senders: Vec::new(),
            refused: Vec::new(),
            octets_left,
        }
    }

    fn offer(&mut self, executor: &mut Executor<'_>, transaction: Recovered) -> Result<(), ExecuteError> {
        let (transaction, sender) = transaction.into_parts();
        let octets = transaction.network_len();
        let refusal = if transaction.is_eip4844() {
            Some(ExecutionRefusal::Blobs)
        } else if octets > self.octets_left {
            Some(ExecutionRefusal::BlockSize {
                wanted: octets,
                left: self.octets_left,
            })
        } else {
            match executor.transact(&transaction, sender) {
                Ok(_) => None,
                Err(ExecuteError::Refused { refusal, .. }) => Some(refusal),
                Err(error) => return Err(error),
            }
        };
        match refusal {
            Some(refusal) => self.refused.push((*transaction.tx_hash(), refusal)),
            None => {
                self.octets_left -= octets;
                self.taken.push(transaction);
                self.senders.push(sender);
            }
        }
        Ok(())
    }
}
