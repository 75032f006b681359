//! How Redis is, in words: nobody waits for it, and everybody may know that it is not there.

use crate::log;
use purlin_fabric_redis::{RedisHints, State};
use purlin_telemetry::health::{Bears, Check};
use tokio::sync::watch;

/// What is as it was without Redis, and what is not.
const WITHOUT: &str = "addresses and claims do not depend on it; sessions stay where they are, advisory locks fail, cached \
     values are kept for 5 s at most";

/// What a Redis is there for.
#[derive(Debug)]
pub(crate) struct Purpose {
    /// Name of its health check.
    check: &'static str,
    without: &'static str,
    /// What mends it, by what the server or the line said.
    remedy: fn(&str) -> &'static str,
}

/// The Redis by which nodes meet.
pub(super) static COORDINATION: Purpose = Purpose {
    check: "cluster.redis",
    without: WITHOUT,
    remedy,
};

/// A Redis of its own for what nodes know of boot files.
#[cfg(feature = "tftp")]
pub(super) static METADATA: Purpose = Purpose {
    check: "boot.metadata",
    without: "files are served from this node's own disk and memory, and each node looks for missing names itself",
    remedy: remedy_of_metadata,
};

/// The lines of one process to Redis: for commands, and for what others say.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    states: [watch::Receiver<State>; 2],
    purpose: &'static Purpose,
}

impl Lines {
    pub(super) fn of(redis: &RedisHints, purpose: &'static Purpose) -> Self {
        Self {
            states: [redis.state(), redis.listening()],
            purpose,
        }
    }

    /// Why one of them is down.
    fn trouble(&self) -> Option<(u64, String)> {
        self.states.iter().find_map(|line| match &*line.borrow() {
            State::Away { since, why } => Some((since.elapsed().as_secs(), why.to_string())),
            State::Connecting | State::Ready => None,
        })
    }

    pub(crate) fn check(&self) -> Check {
        let Purpose {
            check,
            without,
            remedy,
        } = self.purpose;
        match self.trouble() {
            None => Check::pass(check, Bears::Advice, "Redis was not found missing"),
            Some((away, why)) => {
                let says = format!("Redis has been away for {away} s: {why}; {without}");
                Check::warn(check, Bears::Advice, says, remedy(&why))
            }
        }
    }

    /// Says when Redis is missed, for another reason than before, or found. Ends with the lines.
    pub(super) async fn tell(mut self) {
        let mut told: Option<String> = None;
        loop {
            let why = self.trouble().map(|(_, why)| why);
            match (&why, &told) {
                (Some(why), before) if before.as_ref() != Some(why) => log::warn(&format!(
                    "Redis is not reached, and the node goes on without it: {why}; {}",
                    (self.purpose.remedy)(why)
                )),
                (None, Some(_)) => log::info("Redis is reached"),
                _ => {}
            }
            told = why;
            let [commands, messages] = &mut self.states;
            let changed = tokio::select! {
                changed = commands.changed() => changed,
                changed = messages.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
        }
    }
}

/// What mends it, by what the server or the line said.
fn remedy(why: &str) -> &'static str {
    let says = |words: &[&str]| {
        let why = why.to_ascii_lowercase();
        words.iter().any(|word| why.contains(word))
    };
    if says(&["wrongpass", "noauth", "authentication", "password"]) {
        "correct user and password in coordination.url, or coordination.password"
    } else if says(&["certificate", "tls", "handshake"]) {
        "say rediss:// in coordination.url where the server has TLS, with a certificate that this system believes"
    } else if says(&["no sentinel knows"]) {
        "correct coordination.sentinel_master: the name under which Sentinels watch it"
    } else {
        "see whether Redis runs and listens there: coordination.url, bind, protected-mode, firewalls"
    }
}

/// As [`remedy`]; this one has no password, no TLS and no Sentinels.
#[cfg(feature = "tftp")]
fn remedy_of_metadata(why: &str) -> &'static str {
    let why = why.to_ascii_lowercase();
    if ["noauth", "authentication", "password"]
        .iter()
        .any(|word| why.contains(word))
    {
        "it wants a password, which tftp.cache.redis has none of: say tftp.cache.shared = \"cluster\", with a [coordination] that has"
    } else {
        "see whether Redis runs and listens there: tftp.cache.redis, bind, protected-mode, firewalls"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    /// Checks these lines after each of the reasons: what is said beside it, and a part of what mends it.
    fn check(purpose: &'static Purpose, without: &str, cases: &[(&str, &str)]) {
        let (state, line) = watch::channel(State::Connecting);
        let states = [line.clone(), line];
        let lines = Lines { states, purpose };
        assert_eq!(lines.check().fix, "");
        for (why, fix) in cases {
            state.send_replace(State::Away {
                since: Instant::now(),
                why: (*why).into(),
            });
            let check = lines.check();
            assert_eq!(check.name, purpose.check);
            assert!(
                check.says.contains(why) && check.says.contains(without),
                "{check:?}"
            );
            assert!(check.fix.contains(fix), "{check:?}");
        }
        state.send_replace(State::Ready);
        assert_eq!(lines.check().fix, "");
    }

    #[test]
    fn a_redis_that_is_missed_is_named_with_what_mends_it() {
        let cases = [
            ("redis:6379: Connection refused", "listens there"),
            ("redis:6379: WRONGPASS invalid username-password pair", "password"),
            ("redis:6379: invalid peer certificate: UnknownIssuer", "rediss://"),
            ("no Sentinel knows a master named \"m\"", "sentinel_master"),
        ];
        check(&COORDINATION, "advisory locks fail", &cases);
    }

    #[cfg(feature = "tftp")]
    #[test]
    fn s2_26_metadata_that_cannot_be_shared_are_told_of() {
        let cases = [
            ("redis-1:6379: Connection refused", "tftp.cache.redis"),
            ("redis-1:6379: NOAUTH Authentication required", "password"),
        ];
        assert_eq!(METADATA.check, "boot.metadata");
        check(&METADATA, "own disk", &cases);
    }
}
