//! What a list of rules hides: rules that can never match, rules that others leave nothing, rules whose order nobody
//! has said.
//!
//! A rule is looked at among those of its own list and direction: the ACLs of a switch and of the port groups on it, the
//! policies of a router, the QoS rules of a switch.

use crate::expr::{Answer, Formula, Goal, Packet, ask};
use std::fmt;

/// One rule; higher priorities come first.
#[derive(Debug, Clone)]
pub struct Rule {
    /// How it is called in findings.
    pub name: String,
    pub priority: i64,
    /// Rules of different stages never meet: `from-lport`, `to-lport`, tiers.
    pub stage: String,
    pub action: String,
    pub formula: Formula,
}

/// Something that a list hides. Numbers are places in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// No packet matches.
    Never { rule: usize },
    /// Every packet that matches is decided before, by `by` together.
    Covered {
        rule: usize,
        by: Vec<usize>,
        /// The others do the same: it is superfluous, not ineffective.
        same_action: bool,
    },
    /// Two rules of one priority decide differently about `packet`; OVN picks one.
    Unordered {
        rule: usize,
        other: usize,
        packet: Box<Packet>,
    },
    /// It would take too long to find out.
    Unknown { rule: usize },
}

/// Pairs of equal priority that are compared at most.
pub const PAIRS_MAX: usize = 20_000;

/// Looks at all rules. Findings come in the order of the list.
pub fn review(rules: &[Rule]) -> Vec<Finding> {
    let goals: Vec<Goal> = rules.iter().map(|rule| Goal::new(&rule.formula)).collect();
    let review = Review { rules, goals: &goals };
    let mut findings = Vec::new();
    let mut pairs = PAIRS_MAX;
    for rule in 0..rules.len() {
        match review.decided_before(rule) {
            Some(finding) => findings.push(finding),
            None => findings.extend(review.unordered(rule, &mut pairs)),
        }
    }
    findings
}

struct Review<'a> {
    rules: &'a [Rule],
    goals: &'a [Goal],
}

impl Review<'_> {
    fn decided_before(&self, rule: usize) -> Option<Finding> {
        let own = &self.goals[rule];
        match ask(&[own], &[]) {
            Answer::Never => return Some(Finding::Never { rule }),
            Answer::Unknown => return Some(Finding::Unknown { rule }),
            Answer::Packet(_) => {}
        }
        let before: Vec<usize> = self.before(rule).collect();
        match self.left(rule, &before) {
            Answer::Packet(_) => None,
            Answer::Unknown => Some(Finding::Unknown { rule }),
            Answer::Never => {
                let by = self.fewest(rule, before);
                let same_action = by
                    .iter()
                    .all(|by| self.rules[*by].action == self.rules[rule].action);
                Some(Finding::Covered {
                    rule,
                    by,
                    same_action,
                })
            }
        }
    }

    /// Rules that decide before this one; of two equal ones the first in the list counts as first.
    fn before(&self, rule: usize) -> impl Iterator<Item = usize> + '_ {
        let own = &self.rules[rule];
        let before = move |(at, other): &(usize, &Rule)| {
            let twin = other.priority == own.priority
                && other.action == own.action
                && other.formula == own.formula
                && *at < rule;
            other.stage == own.stage && (other.priority > own.priority || twin)
        };
        self.rules.iter().enumerate().filter(before).map(|(at, _)| at)
    }

    fn left(&self, rule: usize, others: &[usize]) -> Answer {
        let others: Vec<&Goal> = others.iter().map(|at| &self.goals[*at]).collect();
        ask(&[&self.goals[rule]], &others)
    }

    /// Leaves out what is not needed to cover the rule.
    fn fewest(&self, rule: usize, mut by: Vec<usize>) -> Vec<usize> {
        if let Some(one) = by.iter().find(|one| self.left(rule, &[**one]) == Answer::Never) {
            return vec![*one];
        }
        let mut at = 0;
        while at < by.len() {
            let left_out = by.remove(at);
            if self.left(rule, &by) != Answer::Never {
                by.insert(at, left_out);
                at += 1;
            }
        }
        by
    }

    /// The first rule behind this one that decides differently at the same priority.
    fn unordered(&self, rule: usize, pairs: &mut usize) -> Option<Finding> {
        let own = &self.rules[rule];
        for (other, candidate) in self.rules.iter().enumerate().skip(rule + 1) {
            let meets = candidate.stage == own.stage && candidate.priority == own.priority;
            if !meets || candidate.action == own.action {
                continue;
            }
            *pairs = pairs.checked_sub(1)?;
            if let Answer::Packet(packet) = ask(&[&self.goals[rule], &self.goals[other]], &[]) {
                return Some(Finding::Unordered { rule, other, packet });
            }
        }
        None
    }
}

impl Finding {
    /// Place of the rule that it is about.
    pub fn rule(&self) -> usize {
        match self {
            Self::Never { rule }
            | Self::Covered { rule, .. }
            | Self::Unordered { rule, .. }
            | Self::Unknown { rule } => *rule,
        }
    }

    /// The finding as a sentence with the names of `rules`.
    pub fn say<'a>(&'a self, rules: &'a [Rule]) -> impl fmt::Display + 'a {
        Said { finding: self, rules }
    }
}

struct Said<'a> {
    finding: &'a Finding,
    rules: &'a [Rule],
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |at: &usize| &self.rules[*at].name;
        match self.finding {
            Finding::Never { rule } => write!(f, "{} can never match", name(rule)),
            Finding::Covered {
                rule,
                by,
                same_action,
            } => {
                write!(f, "{} never decides: ", name(rule))?;
                for (at, other) in by.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { ", " } else { "" }, name(other))?;
                }
                let verb = if by.len() == 1 { "decides" } else { "decide" };
                let same = if *same_action { ", and does the same" } else { "" };
                write!(f, " {verb} first about all that it matches{same}")
            }
            Finding::Unordered { rule, other, packet } => write!(
                f,
                "{} and {} have the same priority and decide differently about {packet}",
                name(rule),
                name(other)
            ),
            Finding::Unknown { rule } => write!(f, "{} is too intricate to be judged", name(rule)),
        }
    }
}
