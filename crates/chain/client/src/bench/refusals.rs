//! Refusals, counted by what they say.

use super::report::Refusal;
use std::collections::BTreeMap;

/// Different messages that are kept; a server that says another thing each time cannot fill the memory.
const MESSAGES_MAX: usize = 64;
const REST: &str = "(other messages)";

/// What a refusal means for its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The server has it already: as good as accepted.
    Known,
    /// Perhaps it is in a block already: the blocks will tell.
    Past,
    /// It may be taken later.
    Later,
}

/// Servers agree on few words: geth, reth, anvil, nethermind and besu are understood.
pub(crate) fn meaning(message: &str) -> Meaning {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&[
        "already known",
        "alreadyknown",
        "already imported",
        "known transaction",
    ]) {
        Meaning::Known
    } else if says(&["nonce too low", "nonce is too low", "oldnonce"]) {
        Meaning::Past
    } else {
        Meaning::Later
    }
}

/// Messages with their counts; numbers in them are left out, so that equal complaints are equal.
#[derive(Debug, Default)]
pub(crate) struct Refusals(BTreeMap<String, u64>);

impl Refusals {
    pub(crate) fn count(&mut self, message: &str) {
        let message = without_numbers(message);
        let known = self.0.contains_key(&message) || self.0.len() < MESSAGES_MAX;
        let message = if known { message } else { REST.to_owned() };
        *self.0.entry(message).or_default() += 1;
    }

    /// The most frequent first.
    pub(crate) fn list(&self) -> Vec<Refusal> {
        let refusal = |(message, count): (&String, &u64)| Refusal {
            message: message.clone(),
            count: *count,
        };
        let mut list: Vec<Refusal> = self.0.iter().map(refusal).collect();
        list.sort_by_key(|refusal| std::cmp::Reverse(refusal.count));
        list
    }
}

/// `next nonce 5, tx nonce 4` becomes `next nonce N, tx nonce N`; hexadecimal numbers go whole.
fn without_numbers(message: &str) -> String {
    let mut out = String::new();
    let mut rest = message;
    while let Some(first) = rest.chars().next() {
        let skipped = if let Some(hex) = rest.strip_prefix("0x") {
            2 + hex.chars().take_while(char::is_ascii_hexdigit).count()
        } else {
            rest.chars().take_while(char::is_ascii_digit).count()
        };
        if skipped > 0 {
            out.push('N');
            rest = &rest[skipped..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_complaints_about_different_numbers_are_counted_together() {
        let mut refusals = Refusals::default();
        refusals.count("nonce too low: next nonce 5, tx nonce 4");
        refusals.count("nonce too low: next nonce 17, tx nonce 2");
        refusals.count("sender 0xAb12 is unknown");
        let found: Vec<_> = refusals
            .list()
            .into_iter()
            .map(|one| (one.message, one.count))
            .collect();
        let nonce = "nonce too low: next nonce N, tx nonce N".to_owned();
        assert_eq!(found, [(nonce, 2), ("sender N is unknown".to_owned(), 1)]);
    }

    #[test]
    fn a_server_cannot_fill_the_memory_with_messages() {
        let mut refusals = Refusals::default();
        for length in 0..200 {
            refusals.count(&"é".repeat(length));
        }
        assert_eq!(refusals.list().len(), MESSAGES_MAX + 1);
        assert_eq!(refusals.list()[0].count, 200 - MESSAGES_MAX as u64);
    }

    #[test]
    fn servers_of_several_makers_are_understood() {
        for (message, expected) in [
            ("already known", Meaning::Known),
            ("transaction already imported", Meaning::Known),
            ("AlreadyKnown", Meaning::Known),
            ("nonce too low", Meaning::Past),
            ("txpool is full", Meaning::Later),
            ("replacement transaction underpriced", Meaning::Later),
        ] {
            assert_eq!(meaning(message), expected, "{message}");
        }
    }
}
