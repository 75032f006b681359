//! Looks at the claims while everything goes on: one owner per slot and epoch, and epochs that never fall.

use std::collections::HashMap;

/// An owner and its life.
type Owner = (String, String);
/// Timeline and counter.
type Epoch = (u64, u64);

/// All claims seen so far.
#[derive(Debug, Default)]
pub struct Claims {
    owners: HashMap<(String, Epoch), Owner>,
    newest: HashMap<String, Epoch>,
    /// Whether a failover may have brought old claims back.
    forgetful: bool,
    looks: u64,
    faults: Vec<String>,
}

impl Claims {
    /// What to ask the database.
    pub const QUERY: &'static str =
        "SELECT key, owner, incarnation, gtl, epoch FROM purlin.claim WHERE owner IS NOT NULL";

    /// `forgetful`: commits may be lost.
    #[must_use]
    pub fn new(forgetful: bool) -> Self {
        Self {
            forgetful,
            ..Self::default()
        }
    }

    /// Takes in an answer: one claim per line, columns divided by bars.
    pub fn look(&mut self, answer: &str) {
        self.looks += 1;
        for line in answer.lines() {
            let columns: Vec<&str> = line.split('|').collect();
            let [key, owner, life, timeline, epoch] = columns[..] else {
                self.faults.push(format!("no claim: {line}"));
                continue;
            };
            let (Ok(timeline), Ok(epoch)) = (timeline.parse(), epoch.parse()) else {
                self.faults.push(format!("no epoch: {line}"));
                continue;
            };
            self.see(key, &(owner.to_owned(), life.to_owned()), (timeline, epoch));
        }
    }

    fn see(&mut self, key: &str, owner: &Owner, epoch: Epoch) {
        let known = self
            .owners
            .entry((key.to_owned(), epoch))
            .or_insert_with(|| owner.clone());
        if known != owner {
            let fault = format!("{key}: epoch {epoch:?} belonged to {known:?} and to {owner:?}");
            self.faults.push(fault);
        }
        let newest = self.newest.entry(key.to_owned()).or_insert(epoch);
        if epoch < *newest && !self.forgetful {
            let fault = format!("{key}: epoch {epoch:?} after {newest:?}");
            self.faults.push(fault);
        }
        *newest = epoch;
    }

    /// How often they were looked at.
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.looks
    }

    /// What must not be and was seen.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_change_hands_under_new_epochs_are_right() {
        let mut claims = Claims::new(false);
        claims.look("slot/1|n1|7|1|5\nslot/2|n2|9|1|3");
        claims.look("slot/1|n2|9|1|6\nslot/2|n2|9|1|3");
        claims.look("slot/1|n1|8|2|7");
        assert!(claims.faults().is_empty(), "{:?}", claims.faults());
    }

    #[test]
    fn one_epoch_with_two_owners_is_found() {
        let mut claims = Claims::new(true);
        claims.look("slot/1|n1|7|1|5");
        claims.look("slot/1|n2|9|1|5");
        assert_eq!(claims.faults().len(), 1);
        let mut lives = Claims::new(true);
        lives.look("slot/1|n1|7|1|5");
        lives.look("slot/1|n1|8|1|5");
        assert_eq!(lives.faults().len(), 1, "another life is another owner");
    }

    #[test]
    fn an_epoch_that_falls_is_found_where_no_commit_may_be_lost() {
        for forgetful in [false, true] {
            let mut claims = Claims::new(forgetful);
            claims.look("slot/1|n1|7|1|6");
            claims.look("slot/1|n1|7|1|5");
            assert_eq!(claims.faults().is_empty(), forgetful);
        }
    }

    #[test]
    fn what_is_no_claim_is_no_proof() {
        let mut claims = Claims::new(false);
        claims.look("slot/1|n1|7|x|6\nslot/1|n1");
        assert_eq!(claims.faults().len(), 2);
    }
}
