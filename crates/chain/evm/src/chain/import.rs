//! A block from elsewhere: everything that its header says is checked before it counts.

use super::{Chain, ImportError, Imported, NewHead, Steps, senders::recover};
use crate::execute::{ExecuteError, Outcome, execute};
use crate::state::Changes;
use crate::store::{Head, Sealed, StoreError};
use purlin_chain_proto::{
    Address, B256, Block, Header, roots,
    rules::{self, HeaderFault},
};
use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

impl Chain {
    /// Executes a block on the head and makes it the head, if it is right in every point.
    ///
    /// # Errors
    ///
    /// Which field is wrong, what it should be and what it is; the chain is then as it was.
    pub fn import(&self, block: Block) -> Result<Imported, ImportError> {
        self.import_known(block, |_| None)
    }

    /// As [`Chain::import`], where a pool knows who sent some of the transactions: `known` tells the sender by the
    /// transaction's hash. A signature costs more than the rest of a transfer, so it should be read once.
    ///
    /// # Errors
    ///
    /// As [`Chain::import`].
    pub fn import_known(
        &self,
        block: Block,
        known: impl Fn(&B256) -> Option<Address> + Sync,
    ) -> Result<Imported, ImportError> {
        let started = Instant::now();
        let number = block.header.number;
        let hash = block.header.hash_slow();
        if self.store().number_of(hash)?.is_some() {
            return Ok(Imported::Known { number, hash });
        }
        // The signatures depend on nothing before the block, so they are read before its turn comes.
        let fork = self.spec().fork_at(number, block.header.timestamp);
        let senders = recover(fork, &block.body.transactions, &known).map_err(|(index, why)| {
            let hash = *block.body.transactions[index].tx_hash();
            ImportError::Sender {
                number,
                index,
                hash,
                why,
            }
        });
        let recovered = Instant::now();
        let _writing = self.write();
        let begun = Instant::now();
        let head = self.head();
        if let Some(number) = self.store().number_of(hash)? {
            return Ok(Imported::Known { number, hash });
        }
        self.check(&head, &block)?;
        let senders = senders?;
        let outcome = self.execute(&block, &senders)?;
        let executed = Instant::now();
        compare(&block.header, &outcome)?;
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
            execute: executed - begun,
            root: executed.elapsed(),
            ..Steps::default()
        };
        let Outcome {
            changes, receipts, ..
        } = outcome;
        Ok(Imported::New(self.seal(
            Sealed {
                block,
                hash,
                senders,
                receipts,
                changes,
                trie,
            },
            took,
        )?))
    }

    /// Commits, and tells who watches.
    pub(super) fn seal(&self, sealed: Sealed, mut took: Steps) -> Result<Arc<NewHead>, StoreError> {
        let started = Instant::now();
        let changed = sealed.changes.accounts.keys().copied().collect();
        let (stored, receipts) = self.store().commit(sealed)?;
        took.commit = started.elapsed();
        let head = Arc::new(NewHead {
            stored,
            receipts,
            changed,
            took,
        });
        self.tell(&head);
        Ok(head)
    }

    fn check(&self, head: &Head, block: &Block) -> Result<(), ImportError> {
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
        rules::check_header(self.spec(), &head.header, head.hash, header, now).map_err(fault)?;
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

    fn execute(&self, block: &Block, senders: &[Address]) -> Result<Outcome, ImportError> {
        let state = self.store().latest()?;
        let root_of = |changes: &Changes| self.store().root_after(changes).map(|(root, _)| root);
        let result = execute(
            self.spec(),
            &block.header,
            &block.body,
            senders,
            &state,
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
