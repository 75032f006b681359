//! A block from elsewhere: everything that its header says is checked before it counts.

use super::{
    Chain, CommitError, ImportError, Imported, Prepared, Steps,
    senders::{KnownSenders, recover},
};
use crate::execute::{ExecuteError, Outcome, execute};
use crate::state::Changes;
use crate::store::{Head, Sealed, State, StoreError};
use purlin_chain_proto::{
    Address, B256, Block, Bytes, Header, roots,
    rules::{self, HeaderFault},
};
use std::{
    sync::MutexGuard,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

impl Chain {
    /// Executes a block on the head and says whether it is right in every point; what comes back can be committed, and nobody
    /// sees it until then. What costs least is looked at first: a block with a wrong header costs no signature.
    ///
    /// `known` tells the sender of a transaction by its hash, where a pool has recovered it already (under the rules since
    /// Homestead): a signature costs more than the rest of a transfer, so it should be read once.
    ///
    /// # Errors
    ///
    /// Which field is wrong, what it should be and what it is; [`ImportError::NotOnHead`] also for a block that the chain has.
    pub fn check(
        &self,
        block: Block,
        known: impl Fn(&B256) -> Option<Address> + Sync,
    ) -> Result<Prepared, ImportError> {
        let writing = self.write();
        let hash = block.header.hash_slow();
        self.try_block(&writing, block, hash, &known)
    }

    /// Executes a block on the head and makes it the head, if it is right in every point.
    ///
    /// # Errors
    ///
    /// Which field is wrong, what it should be and what it is; [`CommitError::NoCertificate`](super::CommitError) in a chain
    /// with validators, for a block by itself proves no decision there: see [`Chain::import_decided`]. The chain is then as
    /// it was.
    pub fn import(&self, block: Block) -> Result<Imported, ImportError> {
        self.import_known(block, |_| None)
    }

    /// As [`Chain::import`], where a pool knows who sent some of the transactions: see [`Chain::check`].
    ///
    /// # Errors
    ///
    /// As [`Chain::import`].
    pub fn import_known(
        &self,
        block: Block,
        known: impl Fn(&B256) -> Option<Address> + Sync,
    ) -> Result<Imported, ImportError> {
        self.take(block, None, &known)
    }

    /// As [`Chain::import_known`], in a chain with validators: the block with the certificate of its decision, which the
    /// caller has verified and which is kept as it is.
    ///
    /// # Errors
    ///
    /// As [`Chain::import`]; [`CommitError::NoValidators`](super::CommitError) in a chain without validators.
    pub fn import_decided(
        &self,
        block: Block,
        certificate: Bytes,
        known: impl Fn(&B256) -> Option<Address> + Sync,
    ) -> Result<Imported, ImportError> {
        self.take(block, Some(certificate), &known)
    }

    fn take(
        &self,
        block: Block,
        certificate: Option<Bytes>,
        known: KnownSenders<'_>,
    ) -> Result<Imported, ImportError> {
        let number = block.header.number;
        let hash = block.header.hash_slow();
        let writing = self.write();
        if let Some(number) = self.store().number_of(hash)? {
            return Ok(Imported::Known { number, hash });
        }
        if certificate.is_none() && self.spec().consensus().is_some() {
            return Err(CommitError::NoCertificate { number }.into());
        }
        let prepared = self.try_block(&writing, block, hash, known)?;
        Ok(Imported::New(self.seal(&writing, prepared, certificate)?))
    }

    /// Nobody commits before the block is executed: the state that it is executed on is the head's.
    fn try_block(
        &self,
        _writing: &MutexGuard<'_, ()>,
        block: Block,
        hash: B256,
        known: KnownSenders<'_>,
    ) -> Result<Prepared, ImportError> {
        let number = block.header.number;
        let unread = |unread| ImportError::unread(number, unread);
        self.follow().map_err(unread)?;
        self.check_lists(&self.head(), &block)?;
        let started = Instant::now();
        let fork = self.spec().fork_at(number, block.header.timestamp);
        let senders = recover(fork, &block.body.transactions, known).map_err(|(index, why)| {
            let hash = *block.body.transactions[index].tx_hash();
            ImportError::Sender {
                number,
                index,
                hash,
                why,
            }
        })?;
        let recovered = Instant::now();
        let state = self.store().latest()?;
        let outcome = self.execute(&block, &senders, &state)?;
        let executed = Instant::now();
        compare(&block.header, &outcome)?;
        let appended = self.appended(number, &state, &outcome.changes).map_err(unread)?;
        let (root, trie) = self.store().root_after(&outcome.changes)?;
        if root != block.header.state_root {
            return Err(ImportError::StateRoot {
                number,
                wanted: root,
                got: block.header.state_root,
            });
        }
        let took = Steps {
            recover: recovered - started,
            execute: executed - recovered,
            root: executed.elapsed(),
            ..Steps::default()
        };
        let Outcome {
            changes, receipts, ..
        } = outcome;
        let sealed = Sealed {
            block,
            hash,
            senders,
            receipts,
            changes,
            trie,
            certificate: None,
        };
        Ok(Prepared::new(sealed, appended, took))
    }

    /// Everything that can be said without a signature and without the state.
    fn check_lists(&self, head: &Head, block: &Block) -> Result<(), ImportError> {
        let header = &block.header;
        let number = header.number;
        if header.parent_hash != head.hash {
            let (parent, head_hash) = (header.parent_hash, head.hash);
            return Err(ImportError::NotOnHead {
                number,
                parent,
                head: head.header.number,
                head_hash,
            });
        }
        let fault = |fault: HeaderFault| ImportError::Header { number, fault };
        let now = now();
        let wanted = self.gas_limit_wanted(head);
        rules::check_header(self.spec(), &head.header, head.hash, header, wanted, now).map_err(fault)?;
        rules::check_body(self.spec(), block).map_err(fault)?;
        if block.body.ommers.is_empty() {
            return Ok(());
        }
        let ancestors = self.ancestors(head)?;
        let ancestors: Vec<(B256, &Header, &[Header])> = ancestors
            .iter()
            .map(|(hash, header, ommers)| (*hash, header, ommers.as_slice()))
            .collect();
        rules::check_ommers(self.spec(), block, &ancestors, now).map_err(fault)
    }

    /// The head and those before it, with the ommers that they named.
    fn ancestors(&self, head: &Head) -> Result<Vec<(B256, Header, Vec<Header>)>, StoreError> {
        let first = (head.header.number + 1).saturating_sub(rules::ANCESTORS as u64);
        let mut ancestors = Vec::new();
        for number in (first..=head.header.number).rev() {
            let Some(stored) = self.store().block(number)? else {
                break;
            };
            ancestors.push((
                stored.hash,
                stored.block.header.clone(),
                stored.block.body.ommers.clone(),
            ));
        }
        Ok(ancestors)
    }

    fn execute(&self, block: &Block, senders: &[Address], state: &State) -> Result<Outcome, ImportError> {
        let root_of = |changes: &Changes| self.store().root_after(changes).map(|(root, _)| root);
        let result = execute(
            self.spec(),
            &block.header,
            &block.body,
            senders,
            state,
            Some(&root_of),
        );
        let number = block.header.number;
        result.map_err(|error| match error {
            ExecuteError::Refused { index, refusal } => {
                let hash = *block.body.transactions[index].tx_hash();
                ImportError::Transaction {
                    number,
                    index,
                    hash,
                    refusal: Box::new(refusal),
                }
            }
            error => ImportError::Execute {
                number,
                source: Box::new(error),
            },
        })
    }
}

/// What execution gave against what the header says.
fn compare(header: &Header, outcome: &Outcome) -> Result<(), ImportError> {
    let number = header.number;
    if header.gas_used != outcome.gas_used {
        return Err(ImportError::GasUsed {
            number,
            wanted: outcome.gas_used,
            got: header.gas_used,
        });
    }
    let wanted = roots::receipts(&outcome.receipts);
    if header.receipts_root != wanted {
        return Err(ImportError::ReceiptsRoot {
            number,
            wanted,
            got: header.receipts_root,
        });
    }
    let wanted = roots::bloom(&outcome.receipts);
    if header.logs_bloom != wanted {
        return Err(ImportError::LogsBloom {
            number,
            wanted: Box::new(wanted),
            got: Box::new(header.logs_bloom),
        });
    }
    let wanted = header.requests_hash.map(|_| roots::requests(&outcome.requests));
    if header.requests_hash != wanted {
        return Err(ImportError::RequestsHash {
            number,
            wanted,
            got: header.requests_hash,
        });
    }
    Ok(())
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |passed| passed.as_secs())
}
