//! The reckoning: what was promised, and whether all of it was kept.

use super::{Claims, Fault, Wound};
use crate::cluster::campus::{Campus, Plan};
use crate::cluster::crowd::{Memory, Moment, overlaps};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// What a trial came to.
#[derive(Debug)]
pub struct Outcome {
    pub promises: usize,
    pub changes_of_hands: usize,
    pub owners: u64,
    pub moved: usize,
    pub looks: u64,
    /// The longest that somebody with an address waited after each loss of a node.
    pub waits: Vec<(Fault, Duration)>,
    /// Everything that must not be.
    pub faults: Vec<String>,
    /// Where all that was promised is written down, when something must not be.
    pub record: Option<PathBuf>,
}

impl Outcome {
    pub(super) fn of(
        memory: &Memory,
        claims: &Claims,
        losses: &[(Moment, Wound)],
        calm: &[(Moment, Moment, Fault)],
        plan: &Plan,
        campus: &Campus,
    ) -> Self {
        let limit = plan.takeover_limit();
        let wait = |(at, wound): &(Moment, Wound)| (wound.fault, memory.longest_wait(*at, limit));
        let waits: Vec<(Fault, Duration)> = losses.iter().map(wait).collect();
        let mut faults: Vec<String> = overlaps(&memory.notes).iter().map(ToString::to_string).collect();
        faults.extend(
            memory
                .refusals()
                .iter()
                .map(|note| format!("refused what was promised: {note:?}")),
        );
        faults.extend(claims.faults().iter().cloned());
        let slow = waits.iter().filter(|(_, wait)| *wait >= limit);
        faults.extend(
            slow.map(|(fault, wait)| format!("{fault}: a client waited {wait:?}, more than {limit:?}")),
        );
        for (from, until, fault) in calm {
            let wait = memory.longest_wait(*from, *until - *from);
            if wait >= CALM_LIMIT {
                faults.push(format!("{fault} made a client wait for {wait:?}"));
            }
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
        let record = (!faults.is_empty()).then(|| write_down(memory, campus));
        Self {
            promises: memory.promises(),
            changes_of_hands: memory.changes_of_hands(),
            owners: memory.owners,
            moved: memory.moved(),
            looks: claims.looks(),
            waits,
            faults,
            record,
        }
    }

    /// # Panics
    /// When something must not be.
    pub fn must_be_good(&self) {
        assert!(self.faults.is_empty(), "{self}");
        assert!(self.promises > 0 && self.owners > 0 && self.looks > 0, "{self}");
    }
}

/// What harmless faults may cost: somebody's packet in the second in which one is noticed.
const CALM_LIMIT: Duration = Duration::from_secs(3);
/// More lines tell nobody more.
const SHOWN: usize = 20;

fn write_down(memory: &Memory, campus: &Campus) -> PathBuf {
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
    path
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} promises, {} changes of hands, {} clients had an address at the end, {} were moved; claims looked at {} times",
            self.promises, self.changes_of_hands, self.owners, self.moved, self.looks
        )?;
        for (fault, wait) in &self.waits {
            writeln!(
                f,
                "{fault}: nobody waited longer than {:.1} s",
                wait.as_secs_f64()
            )?;
        }
        for fault in self.faults.iter().take(SHOWN) {
            writeln!(f, "BROKEN {fault}")?;
        }
        let hidden = self.faults.len().saturating_sub(SHOWN);
        if hidden > 0 {
            writeln!(f, "and {hidden} more")?;
        }
        self.record
            .as_ref()
            .map_or(Ok(()), |path| writeln!(f, "all promises: {}", path.display()))
    }
}
