//! Validators one by one: who is missing, slow, wastes its turns, or signed twice.

use super::{Facts, Finding, Grade};
use crate::agreement::Figures;
use crate::agreement::figures::percent;
use crate::agreement::words::time;
use alloy_primitives::Address;

/// Fewer heights say nothing about a validator.
const HEIGHTS_MIN: usize = 10;
/// Of a hundred heights so many may pass without its vote.
const MISSED: usize = 5;
/// After so many votes in a row, who was missing is back.
const BACK: usize = 20;
/// Of a hundred heights at so many its votes stand out: then it is called slow.
const SLOW: usize = 50;
/// Turns that came to nothing.
const FAILED: usize = 2;
/// Certificates of which one at least should have the name of everybody.
const CERTIFICATES: usize = 50;

const CHECK: &str = "chain.validator";

/// One finding for each validator that is not as it should be, or one for all that they are.
pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = facts
        .twice
        .iter()
        .map(|(who, height)| twice(*who, *height))
        .collect();
    let figures = facts.summary.validators.iter();
    let figures = figures.filter(|one| facts.set.power(&one.validator).is_some());
    found.extend(figures.filter_map(|figures| one(facts, figures)));
    if found.is_empty() {
        found.push(well(facts));
    }
    found
}

fn well(facts: &Facts<'_>) -> Finding {
    let late = facts.summary.validators.iter();
    let late = late
        .filter_map(|figures| Some((figures.late?.p50, figures.validator)))
        .max();
    let says = match late {
        Some((late, who)) if facts.set.len() > 1 => format!(
            "all {} vote; the last is {who}, {} after the first",
            facts.set.len(),
            time(late)
        ),
        _ => "nothing is to be said against anybody".to_owned(),
    };
    Finding::pass(CHECK, says)
}

fn one(facts: &Facts<'_>, figures: &Figures) -> Option<Finding> {
    silent(facts, figures)
        .or_else(|| unsigned(facts, figures))
        .or_else(|| slow(facts, figures))
        .or_else(|| idle(facts, figures))
        .map(|finding| finding.about(figures.validator))
}

/// Its votes do not come.
fn silent(facts: &Facts<'_>, figures: &Figures) -> Option<Finding> {
    let missed = figures.missed_percent();
    if figures.counted < HEIGHTS_MIN || missed < MISSED || figures.heard >= BACK {
        return None;
    }
    let connected = if facts.up.contains(&figures.validator) {
        "it is connected with this node"
    } else {
        "it is not connected with this node"
    };
    let says = format!(
        "validator {} was silent in {missed} % of {} heights; {connected}; {}",
        figures.validator,
        figures.counted,
        spare(facts, &figures.validator)
    );
    let fix = if facts.up.contains(&figures.validator) {
        "see its own health: it may be catching up, or run without the key of its seat (chain.role, chain.key_file)"
    } else {
        "see whether it runs, and whether others see it (purlin chain validators --rpc URL there): if they do, the line between \
         it and this node is cut"
    };
    Some(Finding::new(CHECK, Grade::Warn, says, fix))
}

/// What a node can say that sees no votes: its name is in no certificate.
fn unsigned(facts: &Facts<'_>, figures: &Figures) -> Option<Finding> {
    let blind = facts.summary.counted == 0;
    if !blind || figures.heights < CERTIFICATES || figures.signed > 0 {
        return None;
    }
    let says = format!(
        "validator {} signed none of the last {} certificates; {}",
        figures.validator,
        figures.heights,
        spare(facts, &figures.validator)
    );
    let fix =
        "ask a validator (purlin chain doctor --server URL): it sees votes, this node only what they came to";
    Some(Finding::new(CHECK, Grade::Warn, says, fix))
}

/// Its votes come long after those of the others.
fn slow(facts: &Facts<'_>, figures: &Figures) -> Option<Finding> {
    let (excess, share) = (figures.excess?, figures.slow_percent());
    if figures.compared < HEIGHTS_MIN || share < SLOW {
        return None;
    }
    let this = if figures.validator == facts.me {
        ", this node,"
    } else {
        ""
    };
    let says = format!(
        "validator {}{this} votes {} after the others in {share} % of heights; {}",
        figures.validator,
        time(excess.p50),
        spare(facts, &figures.validator)
    );
    let fix = match facts.round_trips.get(&figures.validator) {
        // Its proposal, or ours, goes one way, and its vote comes back.
        Some(trip) if *trip * 2 >= excess.p50 => format!(
            "the way to it is long: a round trip takes {}; move it nearer, or vote for a longer period",
            time(*trip)
        ),
        _ => "see the load of its machine and how long its disk takes to sync (purlin doctor there): every vote is durable \
              before it is sent"
            .to_owned(),
    };
    Some(Finding::new(CHECK, Grade::Warn, says, fix))
}

/// It votes, and its turns come to nothing. Of who was missing until now they could not come to anything.
fn idle(facts: &Facts<'_>, figures: &Figures) -> Option<Finding> {
    let turns = figures.failed + figures.proposed;
    if figures.failed < FAILED
        || percent(figures.failed, turns) < MISSED
        || figures.missed_percent() >= MISSED
    {
        return None;
    }
    let says = format!(
        "validator {} votes, and {} of its {turns} turns to propose came to nothing; {}",
        figures.validator,
        figures.failed,
        spare(facts, &figures.validator)
    );
    let fix = "see its log and load: it takes too long to make a block, or makes one that others refuse";
    Some(Finding::new(CHECK, Grade::Warn, says, fix))
}

fn twice(validator: Address, height: u64) -> Finding {
    let says = format!("validator {validator} signed two different things at height {height}");
    let fix = "its key runs at two nodes, or it was started from an old copy of its directory: stop one of them; who does it on \
               purpose is voted out (purlin chain vote remove)";
    Finding::new(CHECK, Grade::Fail, says, fix).about(validator)
}

/// `without it the quorum of 3 of 4 has nobody to spare`.
fn spare(facts: &Facts<'_>, without: &Address) -> String {
    let mut others = facts.up.clone();
    others.remove(without);
    let standing = facts.set.standing(&others);
    let (quorum, total) = (standing.quorum, standing.total);
    match standing.up.checked_sub(quorum) {
        None => format!("without it the quorum of {quorum} of {total} is not reached"),
        Some(0) => format!("without it the quorum of {quorum} of {total} has nobody to spare"),
        Some(spare) => format!("without it the quorum of {quorum} of {total} has power {spare} to spare"),
    }
}
