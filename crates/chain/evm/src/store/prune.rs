//! Letting go of what is older than the window, in steps that do not hold the writer for long.

use redb::WriteTransaction;

use super::blocks::read_block;
use super::codec::{self, Touched, damaged};
use super::error::StoreError;
use super::snapshot::Snapshot;
use super::values::{Mode, Pruned};
use super::{Store, tables};

impl Store {
    /// Removes changes, bodies, receipts and certificates of blocks before the window, oldest first, until about `rows` rows are
    /// gone; a block goes as a whole. An archive keeps everything. One durable transaction.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub fn prune(&self, rows: u64) -> Result<Pruned, StoreError> {
        let mut turn = self.turn()?;
        let snapshot = self.snapshot();
        let target = self.target(&snapshot);
        let mut step = Pruned {
            oldest: snapshot.oldest,
            ..Pruned::default()
        };
        if step.oldest >= target {
            return Ok(step);
        }
        self.write(&mut turn, |writing| {
            while step.oldest < target && step.rows < rows.max(1) {
                step.rows += body(writing, &snapshot, step.oldest)?;
                step.rows += changes(writing, &snapshot, step.oldest + 1)?;
                step.oldest += 1;
                step.blocks += 1;
            }
            super::write::oldest(writing, step.oldest)
        })?;
        step.more = step.oldest < target;
        // The state is the same: neither the cache nor the tries have anything to learn.
        self.publish(&mut turn, snapshot.version, |_| {})?;
        Ok(step)
    }

    /// What the oldest block will be when everything before the window is gone.
    pub(super) fn prunable(&self) -> u64 {
        let snapshot = self.snapshot();
        self.target(&snapshot).max(snapshot.oldest)
    }

    fn target(&self, snapshot: &Snapshot) -> u64 {
        match self.inner.settings.mode {
            Mode::Archive => snapshot.oldest,
            Mode::Full { blocks } => (snapshot.number() + 1).saturating_sub(blocks.max(1)),
        }
    }
}

/// Block 0 has no transactions and is asked for by everybody: it stays.
fn body(writing: &WriteTransaction, snapshot: &Snapshot, number: u64) -> Result<u64, StoreError> {
    if number == 0 {
        return Ok(0);
    }
    let stored = read_block(snapshot, number)?;
    let transactions = &stored.block.body.transactions;
    let mut table = writing.open_table(tables::TRANSACTIONS)?;
    for transaction in transactions {
        table.remove(&transaction.tx_hash().0)?;
    }
    for table in [tables::BODIES, tables::SENDERS, tables::RECEIPTS] {
        writing.open_table(table)?.remove(number)?;
    }
    let mut rows = 3 + transactions.len() as u64;
    if snapshot.tables.certificates.is_some() {
        let mut table = writing.open_table(tables::CERTIFICATES)?;
        rows += u64::from(table.remove(number)?.is_some());
    }
    Ok(rows)
}

/// The values before a block are the state of its parent, which nobody can ask any more.
fn changes(writing: &WriteTransaction, snapshot: &Snapshot, number: u64) -> Result<u64, StoreError> {
    let row = snapshot.tables.block_changes.get(number)?;
    let row = row.ok_or_else(|| damaged("a block's list of changes"))?;
    let touched = Touched::decode(row.value())?;
    let mut table = writing.open_table(tables::ACCOUNT_CHANGES)?;
    for address in &touched.accounts {
        table.remove(&codec::account_change_key(*address, number))?;
    }
    let mut table = writing.open_table(tables::STORAGE_CHANGES)?;
    for (address, slot) in &touched.slots {
        table.remove(&codec::slot_change_key(*address, *slot, number))?;
    }
    writing.open_table(tables::BLOCK_CHANGES)?.remove(number)?;
    Ok(1 + touched.accounts.len() as u64 + touched.slots.len() as u64)
}
