//! The blocks and receipts asked for last, decoded: clients ask for every receipt of a new block one by one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Transactions in all, of blocks or of receipts; some 10 MiB of plain transfers.
const TRANSACTIONS: usize = 16_384;
const BLOCKS: usize = 64;

/// Values by block number. A number never means another block: what is committed stays.
#[derive(Debug)]
pub(super) struct Recent<T> {
    kept: Mutex<VecDeque<Entry<T>>>,
}

#[derive(Debug)]
struct Entry<T> {
    number: u64,
    transactions: usize,
    value: Arc<T>,
}

impl<T> Recent<T> {
    pub(super) fn new() -> Self {
        Self {
            kept: Mutex::new(VecDeque::new()),
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<Arc<T>> {
        let mut kept = self.kept.lock().expect("no thread panics with these locked");
        let at = kept.iter().position(|entry| entry.number == number)?;
        let entry = kept.remove(at)?;
        let value = entry.value.clone();
        kept.push_back(entry);
        Some(value)
    }

    pub(super) fn keep(&self, number: u64, transactions: usize, value: Arc<T>) {
        let mut kept = self.kept.lock().expect("no thread panics with these locked");
        kept.retain(|entry| entry.number != number);
        kept.push_back(Entry {
            number,
            transactions,
            value,
        });
        let total = |kept: &VecDeque<Entry<T>>| kept.iter().map(|entry| entry.transactions).sum::<usize>();
        while kept.len() > 1 && (kept.len() > BLOCKS || total(&kept) > TRANSACTIONS) {
            kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stays_however_large_and_the_rest_within_bounds() {
        let recent = Recent::new();
        for number in 0..100 {
            recent.keep(number, 10, Arc::new(number));
        }
        assert_eq!(recent.get(99).as_deref(), Some(&99));
        assert_eq!(recent.get(35), None);
        recent.keep(100, 1_000_000, Arc::new(100));
        assert_eq!(recent.get(100).as_deref(), Some(&100));
        assert_eq!(recent.get(99), None);
    }
}
