//! Boot answers from outside of the scopes, found by machine: a site may have one for each of its machines.

use super::SubnetPlan;
use crate::settings::{BootEntry, BootProfile, Machines};
use purlin_types::Mac;

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
    machines: Machines,
}

impl Profiles {
    pub(super) fn compile(settings: &[BootProfile], subnets: &[SubnetPlan]) -> Self {
        let mut profiles = Self::default();
        for plan in settings.iter().filter_map(|profile| compile(profile, subnets)) {
            profiles.machines.add(profiles.all.len() as u32, &plan.entry);
            profiles.all.push(plan);
        }
        profiles
    }

    pub(crate) fn get(&self, at: u32) -> &ProfilePlan {
        &self.all[at as usize]
    }

    /// Those that may fit a machine, in order: what names others only is not looked at.
    pub(crate) fn of(&self, mac: Option<Mac>) -> impl Iterator<Item = (u32, &ProfilePlan)> + Clone {
        self.machines.of(mac).map(|at| (at, self.get(at)))
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
