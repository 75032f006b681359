//! The right to claim: the one function that decides whether a claim may be asked for, and how.

/// Who has a claim, for a node that wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Holder {
    /// Never claimed, or given back in order.
    Nobody,
    /// The node itself, by the store's word, without holding it. `flushed`: it never decided under that epoch, or all
    /// that it decided is durable.
    Myself { flushed: bool },
    /// The node itself holds it, valid at this instant, under an epoch that a failover has made useless.
    MyselfStill,
    /// Another life. `lapsed`: its lease lapsed under the node's eyes.
    Other { lapsed: bool },
}

/// How a claim may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// What its last holder promised is all recorded.
    InOrder,
    /// What is not recorded is in doubt: the claim becomes suspect.
    ByForce,
}

/// Whether a claim may be asked for now.
///
/// - `settled`: enough time has passed since the store's last failover for the tenure of an owner whose claim was lost in
///   it to be over ([`crate::observe::Observer::settled`]). Only who holds the claim at this very instant needs no wait.
/// - `doomed`: the claim's epoch is of a history whose end may have been lost.
#[must_use]
pub const fn right(holder: Holder, settled: bool, doomed: bool) -> Option<Right> {
    match holder {
        Holder::Nobody | Holder::Myself { flushed: true } if settled && !doomed => Some(Right::InOrder),
        Holder::Nobody | Holder::Myself { .. } if settled => Some(Right::ByForce),
        Holder::MyselfStill | Holder::Other { lapsed: true } => Some(Right::ByForce),
        Holder::Nobody | Holder::Myself { .. } | Holder::Other { lapsed: false } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_taken_in_order() {
        assert_eq!(right(Holder::Nobody, true, false), Some(Right::InOrder));
        assert_eq!(
            right(Holder::Myself { flushed: true }, true, false),
            Some(Right::InOrder)
        );
    }

    #[test]
    fn what_was_not_given_back_is_suspect() {
        assert_eq!(
            right(Holder::Other { lapsed: true }, true, false),
            Some(Right::ByForce)
        );
        assert_eq!(
            right(Holder::Myself { flushed: false }, true, false),
            Some(Right::ByForce)
        );
    }

    #[test]
    fn after_a_failover_even_the_free_waits_and_is_suspect() {
        assert_eq!(right(Holder::Nobody, false, true), None);
        assert_eq!(right(Holder::Nobody, true, true), Some(Right::ByForce));
        assert_eq!(right(Holder::MyselfStill, false, true), Some(Right::ByForce));
    }

    #[test]
    fn the_living_are_waited_for() {
        assert_eq!(right(Holder::Other { lapsed: false }, true, false), None);
    }
}
