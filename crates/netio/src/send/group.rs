//! Which datagrams of a batch go out as one message.

use super::Outgoing;
use crate::recv::BATCH;
use std::ops::Range;

/// Most payload of one message: what an IPv4 packet can hold, less headers.
const MESSAGE_MAX: usize = 65_000;

/// A batch sorted into groups of one source, target and length, each in its former order.
#[derive(Debug)]
pub(super) struct Groups {
    /// Positions in the batch, group after group.
    order: [u8; BATCH],
    /// Where each group starts in `order`; one more than there are groups.
    starts: [u8; BATCH + 1],
    count: usize,
}

impl Groups {
    pub(super) fn of(batch: &[Outgoing<'_>]) -> Self {
        let mut group_of = [0u8; BATCH];
        // Of each group: its first datagram, and how many there are.
        let mut heads = [(0u8, 0u8); BATCH];
        let mut count = 0;
        let mut last = 0;
        for (i, message) in batch.iter().enumerate() {
            let fits = |g: usize| {
                let (first, members) = heads[g];
                let head = &batch[usize::from(first)];
                let length = message.payload.len();
                head.payload.len() == length
                    && length > 0
                    && head.to == message.to
                    && head.from == message.from
                    && (usize::from(members) + 1) * length <= MESSAGE_MAX
            };
            // Mostly the group of the datagram before.
            let found = if count > 0 && fits(last) {
                Some(last)
            } else {
                (0..count).find(|&g| fits(g))
            };
            last = found.unwrap_or(count);
            if found.is_none() {
                heads[count] = (i as u8, 0);
                count += 1;
            }
            heads[last].1 += 1;
            group_of[i] = last as u8;
        }
        let mut groups = Self {
            order: [0; BATCH],
            starts: [0; BATCH + 1],
            count,
        };
        for (g, (_, members)) in heads[..count].iter().enumerate() {
            groups.starts[g + 1] = groups.starts[g] + members;
        }
        let mut next = groups.starts;
        for (i, g) in group_of[..batch.len()].iter().enumerate() {
            let at = &mut next[usize::from(*g)];
            groups.order[usize::from(*at)] = i as u8;
            *at += 1;
        }
        groups
    }

    /// Every datagram on its own.
    pub(super) fn single(count: usize) -> Self {
        let mut groups = Self {
            order: [0; BATCH],
            starts: [0; BATCH + 1],
            count,
        };
        for i in 0..count {
            groups.order[i] = i as u8;
            groups.starts[i + 1] = i as u8 + 1;
        }
        groups
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Positions in the batch, group after group.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> + '_ {
        self.order[..self.start(self.count)]
            .iter()
            .map(|&i| usize::from(i))
    }

    /// Where a group starts in [`Self::order`].
    pub(super) fn start(&self, group: usize) -> usize {
        usize::from(self.starts[group])
    }

    /// How many datagrams some groups have.
    pub(super) fn datagrams(&self, groups: Range<usize>) -> u64 {
        (self.start(groups.end) - self.start(groups.start)) as u64
    }

    /// Of each group: the position in the batch of its first datagram, where it starts, how many it has.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        (0..self.count).map(|g| {
            let (start, end) = (self.start(g), self.start(g + 1));
            (usize::from(self.order[start]), start, end - start)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddrV4};

    fn message(payload: &[u8], port: u16) -> Outgoing<'_> {
        Outgoing {
            payload,
            to: SocketAddrV4::new(Ipv4Addr::LOCALHOST, port),
            from: Ipv4Addr::UNSPECIFIED,
        }
    }

    fn sorted(batch: &[Outgoing<'_>]) -> Vec<Vec<usize>> {
        let groups = Groups::of(batch);
        let order: Vec<usize> = groups.order().collect();
        groups
            .iter()
            .map(|(_, start, count)| order[start..start + count].to_vec())
            .collect()
    }

    #[test]
    fn datagrams_alike_are_gathered_in_order() {
        let batch = [
            (&b"aa"[..], 1),
            (b"bb", 2),
            (b"cc", 1),
            (b"d", 1),
            (b"ee", 1),
            (b"ff", 2),
        ];
        let batch = batch.map(|(payload, port)| message(payload, port));
        assert_eq!(sorted(&batch), [vec![0, 2, 4], vec![1, 5], vec![3]]);
    }

    #[test]
    fn empty_and_very_long_datagrams_are_not_gathered_beyond_measure() {
        assert_eq!(sorted(&[message(b"", 1), message(b"", 1)]).len(), 2);
        let long = [0; 40_000];
        assert_eq!(sorted(&[message(&long, 1), message(&long, 1)]).len(), 2);
    }

    #[test]
    fn a_full_batch_of_strangers_is_all_groups_of_one() {
        let batch: Vec<_> = (0..BATCH as u16).map(|port| message(b"x", port)).collect();
        let groups = Groups::of(&batch);
        assert_eq!((groups.len(), groups.datagrams(0..BATCH)), (BATCH, BATCH as u64));
        assert_eq!(
            Groups::single(BATCH).order().collect::<Vec<_>>(),
            groups.order().collect::<Vec<_>>()
        );
    }
}
