//! The reckoning: what was promised, and whether all of it was kept.

use super::{Claims, Struck};
use crate::cluster::campus::{Campus, LEAD_TIME, Plan, Standby};
use crate::cluster::crowd::{Memory, Note, overlaps};
use std::collections::{BTreeSet, HashSet};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

/// Addresses about which nodes are asked when something must not be.
const DISPUTED_MAX: usize = 20;

/// One time of trouble with what it cost.
#[derive(Debug, Clone)]
pub struct Cost {
    pub struck: Struck,
    /// The longest that somebody with an address waited.
    pub wait: Duration,
    /// The longest that somebody may.
    pub limit: Option<Duration>,
}

/// What a trial came to.
#[derive(Debug)]
pub struct Outcome {
    pub promises: usize,
    pub changes_of_hands: usize,
    pub owners: u64,
    pub moved: usize,
    pub looks: u64,
    pub costs: Vec<Cost>,
    /// Everything that must not be.
    pub faults: Vec<String>,
    /// Where all that was promised is written down, when something must not be.
    pub record: Option<PathBuf>,
}

/// Addresses that two had at once, or whose client was refused.
fn disputed(memory: &Memory) -> BTreeSet<Ipv4Addr> {
    let twice = overlaps(&memory.notes);
    let twice = twice.iter().map(|overlap| overlap.0.address);
    let refused = memory.refusals();
    let refused = refused.iter().filter_map(|note| match note {
        Note::Refused { address, .. } => Some(*address),
        _ => None,
    });
    twice.chain(refused).take(DISPUTED_MAX).collect()
}

impl Cost {
    fn of(struck: Struck, memory: &Memory, plan: &Plan) -> Self {
        Self {
            wait: struck.longest_wait(memory, plan),
            limit: struck.limit(plan),
            struck,
        }
    }

    /// Whether somebody waited too long.
    #[must_use]
    pub fn is_too_high(&self) -> bool {
        self.limit.is_some_and(|limit| self.wait >= limit)
    }
}

/// Promises before `end` of an address that was never anybody's which go further than the client lead time: the copy of
/// the database that may take its place cannot have known of them.
fn too_long(memory: &Memory, end: Duration) -> Vec<String> {
    let mut known = HashSet::new();
    let mut faults = Vec::new();
    for note in &memory.notes {
        if let Note::Promised {
            at, address, until, ..
        } = note
            && *at < end
            && known.insert(*address)
            && until.saturating_sub(*at) > LEAD_TIME
        {
            faults.push(format!(
                "promised beyond the lead time of {LEAD_TIME:?}: {note:?}"
            ));
        }
    }
    faults
}

impl Outcome {
    pub(super) fn of(memory: &Memory, claims: &Claims, struck: Vec<Struck>, plan: &Plan) -> Self {
        let costs = struck.into_iter().map(|one| Cost::of(one, memory, plan));
        let costs: Vec<Cost> = costs.collect();
        let mut faults: Vec<String> = overlaps(&memory.notes).iter().map(ToString::to_string).collect();
        let refused = memory.refusals();
        faults.extend(
            refused
                .iter()
                .map(|note| format!("refused what was promised: {note:?}")),
        );
        faults.extend(claims.faults().iter().cloned());
        if plan.standby == Standby::Asynchronous {
            // After it the database may have no standby any more, and promises what one server can.
            let before = costs.iter().map(|cost| cost.struck.began).min();
            faults.extend(too_long(memory, before.unwrap_or(Duration::MAX)));
        }
        for cost in costs.iter().filter(|cost| cost.is_too_high()) {
            let (names, wait, limit) = (cost.struck.names(), cost.wait, cost.limit.unwrap_or_default());
            faults.push(format!("{names}: a client waited {wait:?}, more than {limit:?}"));
        }
        if memory.unanswered > 0 {
            let (unanswered, owners) = (memory.unanswered, memory.owners);
            faults.push(format!(
                "{unanswered} of {owners} clients with an address were not answered at the end"
            ));
        }
        if memory.astray > 0 {
            faults.push(format!("{} answers were for nobody", memory.astray));
        }
        Self {
            promises: memory.promises(),
            changes_of_hands: memory.changes_of_hands(),
            owners: memory.owners,
            moved: memory.moved(),
            looks: claims.looks(),
            costs,
            faults,
            record: None,
        }
    }

    /// Writes down all that was promised, and what each node decided about the addresses in question, beside the logs.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub(super) fn write_down(&mut self, memory: &Memory, campus: &Campus) {
        use std::io::Write;
        let path = campus.path("promises.txt");
        let file = std::fs::File::create(&path).expect("the folder is ours");
        let mut out = std::io::BufWriter::new(file);
        for note in &memory.notes {
            writeln!(out, "{note:?}").expect("the folder is ours");
        }
        for wait in &memory.waits {
            writeln!(out, "waited from {:?} to {:?}", wait.0, wait.1).expect("the folder is ours");
        }
        self.record = Some(path);
        for address in disputed(memory) {
            for node in &campus.nodes {
                let asked = address.to_string();
                let command = ["dhcp", "decision", "list", "--address", &asked, "--limit", "1000"];
                // A node that is down has nothing to tell.
                let (_, told) = node.tries(&command);
                let path = campus.path(&format!("{}-{asked}.txt", node.id));
                std::fs::write(path, told).expect("the folder is ours");
            }
        }
    }

    /// # Panics
    /// When something must not be.
    pub fn must_be_good(&self) {
        assert!(self.faults.is_empty(), "{self}");
        assert!(self.promises > 0 && self.owners > 0 && self.looks > 0, "{self}");
    }
}
