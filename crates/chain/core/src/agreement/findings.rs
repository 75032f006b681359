//! What is wrong with agreement, in words, each with what helps.

mod validators;

use super::words::{named, time};
use super::{Failure, Stall, Summary, Voice};
use crate::quorum::ValidatorSet;
use alloy_primitives::Address;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Of a hundred heights so many may need a second round before somebody is told.
const MORE_ROUNDS: usize = 5;
/// Ways of a message in a decision: the proposal's, the prevotes', the precommits'.
const WAYS: u32 = 3;

/// What is known beside the window.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub summary: &'a Summary,
    /// Who decides the next height.
    pub set: &'a ValidatorSet,
    /// Who runs as far as this node sees; itself too.
    pub up: &'a BTreeSet<Address>,
    /// The key of this node, a validator's or not.
    pub me: Address,
    /// Of the last ping of each connected node.
    pub round_trips: &'a BTreeMap<Address, Duration>,
    /// The height that is being decided, and the round that it is in.
    pub height: u64,
    pub round: u32,
    /// What each validator said last at that height; empty at a node that hears no votes.
    pub voices: &'a [Voice],
    /// Since the last decision.
    pub silence: Duration,
    /// The silence that is too long.
    pub silence_max: Duration,
    /// Who signed two different things, at which height.
    pub twice: &'a [(Address, u64)],
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Pass,
    Warn,
    Fail,
}

impl Grade {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What was found by one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    pub grade: Grade,
    pub says: String,
    /// What helps; empty when nothing is wrong.
    pub fix: String,
    /// The validator that it is about, where it is about one.
    pub validator: Option<Address>,
}

impl Finding {
    fn new(check: &'static str, grade: Grade, says: impl Into<String>, fix: impl Into<String>) -> Self {
        let (says, fix) = (says.into(), fix.into());
        Self {
            check,
            grade,
            says,
            fix,
            validator: None,
        }
    }

    fn pass(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Grade::Pass, says, "")
    }

    fn about(mut self, validator: Address) -> Self {
        self.validator = Some(validator);
        self
    }
}

/// Every check's finding, what agrees with what should be included.
#[must_use]
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found = vec![progress(facts), quorum(facts)];
    found.extend(weight(facts));
    found.extend(rounds(facts));
    found.extend(period(facts));
    found.extend(latency(facts));
    found.extend(validators::check(facts));
    found
}

/// Whether anything is decided at all.
fn progress(facts: &Facts<'_>) -> Finding {
    const CHECK: &str = "chain.agreement";
    let Facts { height, round, .. } = facts;
    if facts.silence <= facts.silence_max {
        let says = match facts.summary.heights {
            Some(_) => format!("the last block was decided {} ago", time(facts.silence)),
            None => "nothing was decided yet since this node began".to_owned(),
        };
        return Finding::pass(CHECK, says);
    }
    let stall = Stall {
        set: facts.set,
        up: facts.up,
        voices: facts.voices,
        round: *round,
    };
    let says = format!(
        "height {height} is undecided for {}, in round {round}: {stall}",
        time(facts.silence)
    );
    let fix = if !facts.set.standing(facts.up).decides() {
        "bring up as many validators as a quorum needs; what they decided before stays"
    } else if !stall.silent().is_empty() {
        "see on those that are named why they do not vote: `purlin doctor` there says it (a full disk, chain.storage_max, \
         chain.role, an engine that has stopped)"
    } else {
        "enough are up and do not agree: see what follows, and the same on the other validators; clocks, program versions, \
         networks that let only some through"
    };
    Finding::new(CHECK, Grade::Fail, says, fix)
}

/// `; not seen: 0x.., 0x.. (power 3)`.
fn missing(facts: &Facts<'_>) -> String {
    let gone = facts.set.members().filter(|(who, _)| !facts.up.contains(who));
    let told = named(gone.map(|(who, power)| match power {
        1 => who.to_string(),
        power => format!("{who} (power {power})"),
    }));
    if told.is_empty() {
        told
    } else {
        format!("; not seen from here: {told}")
    }
}

/// How many must agree, who is up, how many may go.
fn quorum(facts: &Facts<'_>) -> Finding {
    const CHECK: &str = "chain.quorum";
    let (set, standing) = (facts.set, facts.set.standing(facts.up));
    let says = format!("{} validators: {standing}{}", set.len(), missing(facts));
    if !standing.decides() {
        return Finding::new(CHECK, Grade::Fail, says, "bring up those that are missing");
    }
    if set.faulty() == 0 {
        let says = format!("{says}; four are the fewest of which one may be missing");
        return Finding::pass(CHECK, says);
    }
    if standing.up == standing.quorum {
        let fix = "bring up those that are missing, or vote them out: purlin chain vote remove";
        return Finding::new(CHECK, Grade::Warn, says, fix);
    }
    Finding::pass(CHECK, says)
}

/// Validators without whom alone nothing is decided, in a set where one should be spared.
fn weight(facts: &Facts<'_>) -> Vec<Finding> {
    let (set, total) = (facts.set, facts.set.total());
    if set.len() < 4 {
        return Vec::new();
    }
    let heavy = set.members().filter(|(_, power)| *power > set.faulty());
    let heavy = heavy.map(|(who, power)| {
        let says = format!(
            "validator {who} has power {power} of {total}, and {} must agree: nothing is decided without it",
            set.quorum()
        );
        let fix = "spread the power, so that nobody has a third of it: purlin chain vote weigh";
        Finding::new("chain.weight", Grade::Warn, says, fix).about(who)
    });
    heavy.collect()
}

/// How long heights take, and how many rounds.
fn rounds(facts: &Facts<'_>) -> Option<Finding> {
    const CHECK: &str = "chain.rounds";
    let summary = facts.summary;
    let commit = summary.commit?;
    let percent = summary.more_rounds_percent();
    let reasons = Failure::WORDS.iter().zip(summary.failed);
    let reasons: Vec<String> = reasons
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    let mut says = format!(
        "the last {} heights took {} (99 %: {}), and {percent} % of them more than one round",
        summary.counted,
        time(commit.p50),
        time(commit.p99)
    );
    if !reasons.is_empty() {
        says = format!("{says}: {}", reasons.join(", "));
    }
    if percent < MORE_ROUNDS {
        return Some(Finding::pass(CHECK, says));
    }
    Some(Finding::new(
        CHECK,
        Grade::Warn,
        says,
        rounds_fix(&summary.failed),
    ))
}

/// What helps against the most frequent failure.
fn rounds_fix(failed: &[usize; Failure::WORDS.len()]) -> &'static str {
    let most = failed.iter().enumerate().max_by_key(|(_, count)| **count);
    match most.map(|(index, _)| Failure::WORDS[index]) {
        Some("no_proposal") => {
            "see to the validators whose turns fail: they are down, cut off, or too slow to make a block"
        }
        Some("no_block") => {
            "blocks are too big for the network between validators: a lower gas limit (purlin chain vote gas-limit) or \
             faster lines"
        }
        Some("refused") => "compare the program versions and the clocks of the validators",
        _ => "votes come too late for the rounds: see the validators and the round trips below",
    }
}

/// How often blocks come, beside how often they should.
fn period(facts: &Facts<'_>) -> Option<Finding> {
    const CHECK: &str = "chain.period";
    let (interval, wanted) = (facts.summary.interval?, facts.summary.period);
    let says = format!(
        "a block is due every {}, and comes every {} (99 %: {})",
        time(wanted),
        time(interval.p50),
        time(interval.p99)
    );
    let slack = (wanted / 4).max(Duration::from_millis(50));
    if interval.p50 <= wanted + slack {
        return Some(Finding::pass(CHECK, says));
    }
    let fix = "agreement takes longer than the period: see rounds, validators and round trips here, or vote for a longer one \
               (purlin chain vote period)";
    Some(Finding::new(CHECK, Grade::Warn, says, fix))
}

/// How far the nearest quorum is, beside the period.
fn latency(facts: &Facts<'_>) -> Option<Finding> {
    const CHECK: &str = "chain.latency";
    facts.set.power(&facts.me)?;
    let trip = |who: &Address| facts.round_trips.get(who).copied();
    let known = facts.set.members().filter(|(who, _)| *who != facts.me);
    let mut far: Vec<(Duration, u64, Address)> = known
        .filter_map(|(who, power)| Some((trip(&who)?, power, who)))
        .collect();
    far.sort_unstable();
    let mut power = facts.set.power(&facts.me)?;
    let reach = far.iter().find_map(|(trip, one, _)| {
        power += one;
        (power >= facts.set.quorum()).then_some(*trip)
    });
    let (reach, (farthest, _, who)) = (reach?, far.last()?);
    let least = reach * WAYS / 2;
    let says = format!(
        "a quorum is within a round trip of {}, so that a decision takes {} at least; the farthest validator is {who}, {}",
        time(reach),
        time(least),
        time(*farthest)
    );
    if least <= facts.summary.period || facts.summary.heights.is_none() {
        return Some(Finding::pass(CHECK, says));
    }
    let fix = "blocks cannot come as often as they should over this network: bring validators nearer to each other, or vote for \
               a longer period (purlin chain vote period)";
    Some(Finding::new(CHECK, Grade::Warn, says, fix))
}
