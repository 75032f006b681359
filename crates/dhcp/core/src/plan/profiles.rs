//! Boot answers from outside of the scopes, found by machine: a site may have one for each of its machines.

use super::SubnetPlan;
use crate::settings::{BootEntry, BootProfile};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use purlin_types::Mac;
use std::iter::Peekable;

/// A boot answer from outside of the scopes.
#[derive(Debug)]
pub(crate) struct ProfilePlan {
    pub(crate) entry: BootEntry,
    /// Where it holds; empty is everywhere.
    pub(crate) subnets: Vec<u16>,
}

/// All of them, in the order in which they are tried.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    all: Vec<ProfilePlan>,
    /// Those that name no machine.
    for_any: Vec<u16>,
    by_mac: HashMap<Mac, Vec<u16>, FixedState>,
}

impl Profiles {
    pub(super) fn compile(settings: &[BootProfile], subnets: &[SubnetPlan]) -> Self {
        let mut profiles = Self::default();
        for plan in settings.iter().filter_map(|profile| compile(profile, subnets)) {
            let at = profiles.all.len() as u16;
            if plan.entry.macs.is_empty() {
                profiles.for_any.push(at);
            }
            for mac in &plan.entry.macs {
                let named = profiles.by_mac.entry(*mac).or_default();
                // Said twice in one entry, it is meant once.
                if named.last() != Some(&at) {
                    named.push(at);
                }
            }
            profiles.all.push(plan);
        }
        profiles
    }

    pub(crate) fn get(&self, at: u16) -> &ProfilePlan {
        &self.all[usize::from(at)]
    }

    /// Those that may fit a machine, in order: whoever else they name is not looked at.
    pub(crate) fn of(&self, mac: Option<Mac>) -> impl Iterator<Item = (u16, &ProfilePlan)> + Clone {
        let named = mac
            .and_then(|mac| self.by_mac.get(&mac))
            .map_or(&[][..], Vec::as_slice);
        let merged = Merged {
            one: self.for_any.iter().copied().peekable(),
            other: named.iter().copied().peekable(),
        };
        merged.map(|at| (at, self.get(at)))
    }
}

/// Two ascending sequences as one.
#[derive(Clone)]
struct Merged<A: Iterator<Item = u16>, B: Iterator<Item = u16>> {
    one: Peekable<A>,
    other: Peekable<B>,
}

impl<A: Iterator<Item = u16>, B: Iterator<Item = u16>> Iterator for Merged<A, B> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        match (self.one.peek(), self.other.peek()) {
            (Some(one), Some(other)) if other < one => self.other.next(),
            (Some(_), _) => self.one.next(),
            (None, _) => self.other.next(),
        }
    }
}

/// A profile of subnets that are not there fits nobody.
fn compile(profile: &BootProfile, subnets: &[SubnetPlan]) -> Option<ProfilePlan> {
    let named = |name: &String| subnets.iter().position(|s| s.name == *name);
    let here: Vec<u16> = profile
        .subnets
        .iter()
        .filter_map(named)
        .map(|i| i as u16)
        .collect();
    (profile.subnets.is_empty() || !here.is_empty()).then(|| ProfilePlan {
        entry: profile.entry.clone(),
        subnets: here,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(macs: &[Mac]) -> BootProfile {
        BootProfile {
            entry: BootEntry {
                macs: macs.to_vec(),
                ..BootEntry::default()
            },
            subnets: Vec::new(),
        }
    }

    #[test]
    fn a_machine_sees_its_own_and_those_for_any_in_order() {
        let mac = |n| Mac([2, 0, 0, 0, 0, n]);
        let all = [
            profile(&[mac(1)]),
            profile(&[]),
            profile(&[mac(2), mac(1), mac(2)]),
            profile(&[]),
            profile(&[mac(1)]),
        ];
        let profiles = Profiles::compile(&all, &[]);
        let seen = |mac| profiles.of(mac).map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(seen(Some(mac(1))), [0, 1, 2, 3, 4]);
        assert_eq!(seen(Some(mac(2))), [1, 2, 3]);
        assert_eq!(seen(Some(mac(3))), [1, 3]);
        assert_eq!(seen(None), [1, 3]);
    }
}
