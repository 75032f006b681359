//! Health: named checks with their state, and what follows from them.
//!
//! ```text
//! started   no Startup check fails             ─► /health/startup
//! live      no Live check fails                ─► /health/live     (else: restart me)
//! ready     started, live, no Ready check fails ─► /health/ready    (else: send me nothing)
//! state     the worst of all checks            ─► /health
//! ```
//!
//! Everything is computed from the checks alone. A full disk makes a node not ready, but never not live: a
//! restart would not help.

use crate::json::{field, text};

/// How a check ended, or the worst of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Pass,
    /// Works, but somebody should look.
    Warn,
    Fail,
}

impl State {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// Which question a failing check answers with no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bears {
    /// The process cannot go on and should be restarted.
    Live,
    /// The node should get no work for now.
    Ready,
    /// The node has not finished starting.
    Startup,
    /// None: it is for people.
    Advice,
}

impl Bears {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ready => "ready",
            Self::Startup => "startup",
            Self::Advice => "advice",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Short and stable, with a dot between part and matter: `store.journal`, `dhcp.sockets`.
    pub name: &'static str,
    pub bears: Bears,
    pub state: State,
    /// One sentence with the facts: `the last sync took 4.1 s`.
    pub says: String,
    /// What to do, with the command; empty when it passes.
    pub fix: String,
}

impl Check {
    #[must_use]
    pub fn pass(name: &'static str, bears: Bears, says: impl Into<String>) -> Self {
        Self {
            name,
            bears,
            state: State::Pass,
            says: says.into(),
            fix: String::new(),
        }
    }

    #[must_use]
    pub fn warn(name: &'static str, bears: Bears, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            bears,
            state: State::Warn,
            says: says.into(),
            fix: fix.into(),
        }
    }

    #[must_use]
    pub fn fail(name: &'static str, bears: Bears, says: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name,
            bears,
            state: State::Fail,
            says: says.into(),
            fix: fix.into(),
        }
    }
}

/// All checks of a moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    pub checks: Vec<Check>,
}

impl Health {
    /// The worst state of all checks; [`State::Pass`] without any.
    #[must_use]
    pub fn state(&self) -> State {
        self.checks
            .iter()
            .map(|check| check.state)
            .max()
            .unwrap_or(State::Pass)
    }

    #[must_use]
    pub fn live(&self) -> bool {
        self.holds(Bears::Live)
    }

    #[must_use]
    pub fn started(&self) -> bool {
        self.holds(Bears::Startup)
    }

    #[must_use]
    pub fn ready(&self) -> bool {
        self.live() && self.started() && self.holds(Bears::Ready)
    }

    /// What keeps the node from being ready, worst questions first.
    pub fn obstacles(&self) -> impl Iterator<Item = &Check> {
        let of = |bears| {
            self.checks
                .iter()
                .filter(move |check| check.bears == bears && check.state == State::Fail)
        };
        of(Bears::Live).chain(of(Bears::Startup)).chain(of(Bears::Ready))
    }

    fn holds(&self, bears: Bears) -> bool {
        !self
            .checks
            .iter()
            .any(|check| check.bears == bears && check.state == State::Fail)
    }

    /// The state as JSON.
    ///
    /// ```text
    /// {"state":"warn","live":true,"ready":true,"started":true,"checks":[
    ///   {"name":"store.disk","bears":"ready","state":"warn","says":"…","fix":"…"}]}
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        field(&mut out, "state", |out| text(out, self.state().as_str()));
        for (name, holds) in [
            ("live", self.live()),
            ("ready", self.ready()),
            ("started", self.started()),
        ] {
            let word = if holds { "true" } else { "false" };
            field(&mut out, name, |out| out.push_str(word));
        }
        field(&mut out, "checks", |out| {
            out.push('[');
            for (i, check) in self.checks.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                check.write_json(out);
            }
            out.push(']');
        });
        out.push('}');
        out
    }
}

impl Check {
    fn write_json(&self, out: &mut String) {
        out.push('{');
        let words = [
            self.name,
            self.bears.as_str(),
            self.state.as_str(),
            &self.says,
            &self.fix,
        ];
        for (name, word) in ["name", "bears", "state", "says", "fix"].into_iter().zip(words) {
            field(out, name, |out| text(out, word));
        }
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(checks: &[(Bears, State)]) -> Health {
        let check = |&(bears, state)| Check {
            name: "part.matter",
            bears,
            state,
            says: String::new(),
            fix: String::new(),
        };
        Health {
            checks: checks.iter().map(check).collect(),
        }
    }

    #[test]
    fn a_node_without_checks_is_well() {
        let health = Health::default();
        assert!(health.live() && health.ready() && health.started());
        assert_eq!(health.state(), State::Pass);
    }

    #[test]
    fn a_failing_part_makes_it_unready_but_leaves_it_alive() {
        let health = health(&[(Bears::Ready, State::Fail), (Bears::Live, State::Pass)]);
        assert!(health.live() && health.started() && !health.ready());
        assert_eq!(health.obstacles().count(), 1);
    }

    #[test]
    fn what_is_not_alive_or_started_is_not_ready() {
        assert!(!health(&[(Bears::Live, State::Fail)]).ready());
        let starting = health(&[(Bears::Startup, State::Fail)]);
        assert!(!starting.ready() && !starting.started() && starting.live());
    }

    #[test]
    fn warnings_and_advice_change_the_state_only() {
        let health = health(&[(Bears::Ready, State::Warn), (Bears::Advice, State::Fail)]);
        assert!(health.ready() && health.live());
        assert_eq!(health.state(), State::Fail);
    }

    #[test]
    fn json_has_the_documented_shape() {
        let check = Check::warn(
            "store.disk",
            Bears::Ready,
            "\"/data\" is 91 % full",
            "free some space",
        );
        assert_eq!(
            Health { checks: vec![check] }.to_json(),
            r#"{"state":"warn","live":true,"ready":true,"started":true,"checks":[{"name":"store.disk","bears":"ready","state":"warn","says":"\"/data\" is 91 % full","fix":"free some space"}]}"#
        );
    }
}
