//! An outcome for people and for programs.

use super::outcome::{Cost, Outcome};
use serde_json::{Value, json};
use std::fmt;

/// More lines tell nobody more.
const SHOWN: usize = 20;

impl Outcome {
    /// All of it; times in seconds, from the beginning of the clients' life.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "good": self.faults.is_empty(),
            "promises": self.promises,
            "changes_of_hands": self.changes_of_hands,
            "owners": self.owners,
            "moved": self.moved,
            "claims_looked_at": self.looks,
            "troubles": self.costs.iter().map(row).collect::<Vec<_>>(),
            "broken": self.faults,
            "record": self.record,
        })
    }
}

fn row(cost: &Cost) -> Value {
    let struck = &cost.struck;
    json!({
        "faults": struck.faults.iter().map(|fault| fault.name()).collect::<Vec<_>>(),
        "who": struck.who,
        "began": struck.began.as_secs_f64(),
        "ended": struck.ended.as_secs_f64(),
        "whole_after": struck.back.as_secs_f64(),
        "longest_wait": cost.wait.as_secs_f64(),
        "crush": struck.slowness.crush,
        "stolen": struck.slowness.stolen,
        "limit": cost.limit.map(|limit| limit.as_secs_f64()),
        "good": !cost.is_too_high(),
    })
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.costs.is_empty() {
            writeln!(
                f,
                "{:>8}  {:<44} {:<22} {:>8} {:>8} {:>6}",
                "at", "fault", "whom", "whole", "waited", "limit"
            )?;
        }
        for cost in &self.costs {
            let (struck, limit) = (
                &cost.struck,
                cost.limit.map(|limit| format!("{:.1} s", limit.as_secs_f64())),
            );
            writeln!(
                f,
                "{:6.1} s  {:<44} {:<22} {:6.1} s {:6.1} s {:>6}",
                struck.began.as_secs_f64(),
                struck.names(),
                struck.who,
                struck.back.as_secs_f64(),
                cost.wait.as_secs_f64(),
                limit.unwrap_or_else(|| "-".to_owned())
            )?;
        }
        writeln!(
            f,
            "{} promises, {} changes of hands, {} clients had an address at the end, {} were moved; claims looked at {} times",
            self.promises, self.changes_of_hands, self.owners, self.moved, self.looks
        )?;
        for fault in self.faults.iter().take(SHOWN) {
            writeln!(f, "BROKEN {fault}")?;
        }
        let hidden = self.faults.len().saturating_sub(SHOWN);
        if hidden > 0 {
            writeln!(f, "and {hidden} more")?;
        }
        let record = self.record.as_ref();
        record.map_or(Ok(()), |path| writeln!(f, "all promises: {}", path.display()))
    }
}
