//! What came for the next heights before they began here: others are a moment ahead.
//!
//! Nothing can be checked yet, because the set that decides a height is known only when the height before is decided. So
//! every peer has its own room: one that sends junk fills nobody else's.

use crate::message::Message;
use alloy_primitives::Address;
use std::collections::BTreeMap;

/// How many heights ahead something is kept.
const HEIGHTS: u64 = 2;
/// Messages per peer and height: a validator says three things per round, and a few rounds go by at most.
const MESSAGES_MAX: usize = 64;
/// Blocks per peer and height, and validators are few.
const BLOCKS_MAX: usize = 1;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Future {
    kept: BTreeMap<(u64, Address), Vec<Message>>,
}

impl Future {
    /// Keeps a message of `height`, when `next` is the first height that has not begun.
    pub(super) fn keep(&mut self, next: u64, height: u64, from: Address, message: Message) {
        if height < next || height - next >= HEIGHTS {
            return;
        }
        let kept = self.kept.entry((height, from)).or_default();
        let blocks = kept.iter().filter(|kept| matches!(kept, Message::Block(_)));
        let full = matches!(message, Message::Block(_)) && blocks.count() >= BLOCKS_MAX;
        if !full && kept.len() < MESSAGES_MAX && !kept.contains(&message) {
            kept.push(message);
        }
    }

    /// A height begins: what was kept for it, each peer's in the order in which it came.
    pub(super) fn take(&mut self, height: u64) -> Vec<(Address, Message)> {
        let later = self.kept.split_off(&(height + 1, Address::ZERO));
        let due = std::mem::replace(&mut self.kept, later);
        due.into_iter()
            .filter(|((of, _), _)| *of == height)
            .flat_map(|((_, from), messages)| messages.into_iter().map(move |message| (from, message)))
            .collect()
    }

    /// A peer is gone: what it sent is sent again when it comes back.
    pub(super) fn forget(&mut self, peer: Address) {
        self.kept.retain(|(_, from), _| *from != peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Offered, Status};
    use alloy_primitives::B256;
    use purlin_chain_proto::Block;

    fn who(n: u8) -> Address {
        Address::repeat_byte(n)
    }

    fn message(n: u64) -> Message {
        Message::Status(Status {
            height: n,
            hash: B256::ZERO,
        })
    }

    #[test]
    fn a_peer_that_fills_its_room_fills_nobody_elses() {
        let mut future = Future::default();
        for n in 0..1_000 {
            future.keep(5, 5, who(1), message(n));
        }
        future.keep(5, 5, who(2), message(1));
        let taken = future.take(5);
        assert_eq!(taken.len(), MESSAGES_MAX + 1);
        assert_eq!(taken.last(), Some(&(who(2), message(1))));
        assert_eq!(future.take(5), []);
    }

    #[test]
    fn only_the_next_two_heights_are_kept_and_old_ones_go() {
        let mut future = Future::default();
        for height in [0, 4, 5, 6, 7, u64::MAX] {
            future.keep(5, height, who(1), message(height));
        }
        assert_eq!(future.take(6), [(who(1), message(6))]);
        assert!(future.kept.is_empty(), "5 is over when 6 begins");
    }

    #[test]
    fn a_peer_keeps_one_block_per_height_and_nothing_after_it_left() {
        let mut future = Future::default();
        let offered = |round| {
            let (height, block) = (5, Block::default());
            Message::Block(Box::new(Offered { height, round, block }))
        };
        future.keep(5, 5, who(1), offered(0));
        future.keep(5, 5, who(1), offered(1));
        future.keep(5, 5, who(2), offered(0));
        future.forget(who(2));
        assert_eq!(future.take(5), [(who(1), offered(0))]);
    }
}
