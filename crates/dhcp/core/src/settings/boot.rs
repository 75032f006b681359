//! Lists of boot answers, found by machine: a site may have one for each of a hundred thousand.

use super::BootEntry;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use purlin_types::Mac;
use std::iter::Peekable;
use std::ops::Deref;

/// The boot answers of one scope, in the order in which they are tried.
#[derive(Debug, Clone, Default)]
pub struct BootEntries {
    entries: Vec<BootEntry>,
    /// Only where one of them names a machine: most scopes have no entry at all.
    machines: Option<Box<Machines>>,
}

impl BootEntries {
    /// Those that may fit a machine, in order: what names others only is not looked at.
    pub(crate) fn of(&self, mac: Option<Mac>) -> impl Iterator<Item = (u32, &BootEntry)> + Clone {
        let machines = self.machines.as_deref();
        let all = if machines.is_none() { self.entries.len() } else { 0 };
        let named = machines.map(|machines| machines.of(mac)).into_iter().flatten();
        (0..all as u32)
            .chain(named)
            .map(|at| (at, &self.entries[at as usize]))
    }
}

impl From<Vec<BootEntry>> for BootEntries {
    fn from(entries: Vec<BootEntry>) -> Self {
        let named = entries.iter().any(|entry| !entry.macs.is_empty());
        let machines = named.then(|| {
            let mut machines = Machines::default();
            (0..)
                .zip(&entries)
                .for_each(|(at, entry)| machines.add(at, entry));
            Box::new(machines)
        });
        Self { entries, machines }
    }
}

impl Deref for BootEntries {
    type Target = [BootEntry];

    fn deref(&self) -> &[BootEntry] {
        &self.entries
    }
}

/// The index follows from the entries.
impl PartialEq for BootEntries {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
    }
}

impl Eq for BootEntries {}

/// Places in a list of boot answers, by the machine that they are for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machines {
    /// Those that name no machine.
    for_any: Vec<u32>,
    by_mac: HashMap<Mac, Vec<u32>, FixedState>,
}

impl Machines {
    /// Notes whom the entry at `at` is for; places are added in ascending order.
    pub(crate) fn add(&mut self, at: u32, entry: &BootEntry) {
        if entry.macs.is_empty() {
            self.for_any.push(at);
        }
        for mac in &entry.macs {
            let named = self.by_mac.entry(*mac).or_default();
            // Said twice in one entry, it is meant once.
            if named.last() != Some(&at) {
                named.push(at);
            }
        }
    }

    /// The places of those that may fit a machine, ascending.
    pub(crate) fn of(&self, mac: Option<Mac>) -> impl Iterator<Item = u32> + Clone {
        let named = mac.and_then(|mac| self.by_mac.get(&mac));
        Merged {
            one: self.for_any.iter().copied().peekable(),
            other: named.map_or(&[][..], Vec::as_slice).iter().copied().peekable(),
        }
    }
}

/// Two ascending sequences as one.
#[derive(Clone)]
struct Merged<A: Iterator<Item = u32>, B: Iterator<Item = u32>> {
    one: Peekable<A>,
    other: Peekable<B>,
}

impl<A: Iterator<Item = u32>, B: Iterator<Item = u32>> Iterator for Merged<A, B> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        match (self.one.peek(), self.other.peek()) {
            (Some(one), Some(other)) if other < one => self.other.next(),
            (Some(_), _) => self.one.next(),
            (None, _) => self.other.next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(n: u8) -> Mac {
        Mac([2, 0, 0, 0, 0, n])
    }

    fn entries(all: &[&[u8]]) -> BootEntries {
        let entry = |macs: &&[u8]| BootEntry {
            macs: macs.iter().copied().map(mac).collect(),
            ..BootEntry::default()
        };
        all.iter().map(entry).collect::<Vec<_>>().into()
    }

    #[test]
    fn a_machine_sees_its_own_and_those_for_any_in_order() {
        let entries = entries(&[&[1], &[], &[2, 1, 2], &[], &[1]]);
        let seen = |mac| entries.of(mac).map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(seen(Some(mac(1))), [0, 1, 2, 3, 4]);
        assert_eq!(seen(Some(mac(2))), [1, 2, 3]);
        assert_eq!(seen(Some(mac(3))), [1, 3]);
        assert_eq!(seen(None), [1, 3]);
    }

    #[test]
    fn entries_that_name_nobody_need_no_index() {
        let entries = entries(&[&[], &[]]);
        assert!(entries.machines.is_none());
        assert_eq!(entries.of(None).map(|(at, _)| at).collect::<Vec<_>>(), [0, 1]);
    }
}
