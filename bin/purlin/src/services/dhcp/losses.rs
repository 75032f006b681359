//! Replies that did not leave the machine: told when it begins, and shown in `/health` while it goes on.

use purlin_netio::SendReport;
use purlin_telemetry::health::{Bears, Check};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const NAME: &str = "dhcp.replies";
/// So long after the last loss it still counts as going on.
const FRESH: Duration = Duration::from_secs(60);

/// Why replies were lost, and what to do about it.
struct Cause {
    says: &'static str,
    fix: &'static str,
}

const UNRESOLVED: Cause = Cause {
    says: "replies are not sent: relays on an attached link answer no ARP",
    fix: "ip neigh show nud incomplete; ip neigh show nud failed",
};
const FULL: Cause = Cause {
    says: "replies are given up: a send buffer stays full",
    fix: "look at the link (ip -s link); with deploy/sysctl/90-purlin.conf buffers are larger",
};
const REFUSED: Cause = Cause {
    says: "the kernel refuses replies",
    fix: "ip route get RELAY; ip neigh show",
};

/// What was lost so far; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Losses(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    seen: SendReport,
    last: Option<(Instant, &'static Cause)>,
}

impl std::fmt::Debug for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.says)
    }
}

impl Losses {
    /// Takes the counts of all threads; a sentence when losses have begun, or have another cause now.
    pub(super) fn look(&self, now: Instant, counts: SendReport) -> Option<&'static str> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut state.seen, counts);
        // The first that applies is the one to mend first.
        let cause = if counts.unresolved > before.unresolved {
            &UNRESOLVED
        } else if counts.blocked > before.blocked {
            &FULL
        } else if counts.failed > before.failed {
            &REFUSED
        } else {
            return None;
        };
        let told = state
            .last
            .is_some_and(|(at, last)| is_fresh(now, at) && std::ptr::eq(last, cause));
        state.last = Some((now, cause));
        (!told).then_some(cause.says)
    }

    pub(super) fn check(&self, now: Instant) -> Check {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.last {
            Some((at, cause)) if is_fresh(now, at) => Check::warn(NAME, Bears::Advice, cause.says, cause.fix),
            _ => Check::pass(NAME, Bears::Advice, "all replies leave the machine"),
        }
    }
}

fn is_fresh(now: Instant, at: Instant) -> bool {
    now.duration_since(at) < FRESH
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_telemetry::health::State as Grade;

    #[test]
    fn a_loss_is_told_once_and_shown_while_it_is_fresh() {
        let (losses, start) = (Losses::default(), Instant::now());
        let mut counts = SendReport::default();
        assert_eq!(losses.look(start, counts), None);
        assert_eq!(losses.check(start).state, Grade::Pass);

        counts.unresolved = 7;
        assert_eq!(losses.look(start, counts), Some(UNRESOLVED.says));
        counts.unresolved = 9;
        let later = start + FRESH / 2;
        assert_eq!(losses.look(later, counts), None, "told already");
        let check = losses.check(start + FRESH);
        assert_eq!((check.state, check.bears), (Grade::Warn, Bears::Advice));
        assert_eq!(losses.check(later + FRESH).state, Grade::Pass);

        counts.failed = 1;
        assert_eq!(losses.look(later + FRESH, counts), Some(REFUSED.says));
    }
}
