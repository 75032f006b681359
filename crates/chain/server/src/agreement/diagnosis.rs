//! What is wrong with agreement, as this node sees it: times, figures of each validator, quorum, findings.

use crate::consensus::{Shared, report};
use purlin_chain_core::agreement::{
    Facts, Failure, Figures, Finding, Grade, Spread, Summary, Voice, findings,
};
use purlin_chain_core::quorum::ValidatorSet;
use purlin_chain_peers::PeerInfo;
use purlin_chain_proto::Address;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What the doctor shows.
pub(crate) fn of(shared: &Shared) -> Value {
    let seen = Sight::of(shared);
    let found = seen.findings(shared);
    let worst = found.iter().map(|one| one.grade).max().unwrap_or(Grade::Pass);
    let summary = &seen.summary;
    let validators = summary.validators.iter().map(|one| seen.validator(one));
    json!({
        "node": shared.me(),
        "grade": worst.word(),
        "items": found.iter().map(item).collect::<Vec<_>>(),
        "heights": summary.heights.map(|(first, last)| json!({ "first": first, "last": last, "counted": summary.counted })),
        "rounds": rounds(summary),
        "times": {
            "proposal": spread(summary.proposal),
            "polka": spread(summary.polka),
            "commit": spread(summary.commit),
        },
        "period_ms": millis(seen.period),
        "interval": spread(summary.interval),
        "quorum": seen.quorum(),
        "validators": validators.collect::<Vec<_>>(),
    })
}

/// What this node sees at one moment.
struct Sight {
    me: Address,
    summary: Summary,
    set: ValidatorSet,
    period: Duration,
    up: BTreeSet<Address>,
    /// Of the height that is being decided.
    voices: Vec<Voice>,
    round_trips: BTreeMap<Address, Duration>,
}

impl Sight {
    fn of(shared: &Shared) -> Self {
        let peers = shared.peers();
        let trip = |peer: &PeerInfo| Some((peer.id, peer.round_trip?));
        let now = shared.now_in_force();
        Self {
            me: shared.me(),
            summary: shared.agreement().summary(),
            set: now.validators.clone(),
            period: now.period,
            up: report::up(shared, &peers),
            voices: shared.standing().voices,
            round_trips: peers.iter().filter_map(trip).collect(),
        }
    }

    fn findings(&self, shared: &Shared) -> Vec<Finding> {
        let standing = shared.standing();
        let lies = standing.equivocations.iter();
        let twice: Vec<_> = lies.map(|lie| (lie.validator, lie.height)).collect();
        findings(&Facts {
            summary: &self.summary,
            set: &self.set,
            up: &self.up,
            me: self.me,
            round_trips: &self.round_trips,
            height: standing.height,
            round: standing.round,
            voices: &self.voices,
            silence: report::silence(shared, &standing),
            silence_max: report::silence_max(shared),
            twice: &twice,
        })
    }

    fn quorum(&self) -> Value {
        let (set, standing) = (&self.set, self.set.standing(&self.up));
        json!({
            "total": set.total(),
            "quorum": set.quorum(),
            "faulty": set.faulty(),
            "up": standing.up,
            "spare": standing.up.checked_sub(standing.quorum),
            "decides": standing.decides(),
            "says": standing.to_string(),
        })
    }

    fn validator(&self, figures: &Figures) -> Value {
        let who = &figures.validator;
        let voice = self.voices.iter().find(|voice| voice.validator == *who);
        let said = voice.and_then(|voice| voice.last);
        json!({
            "address": who,
            "power": figures.power,
            "this": *who == self.me,
            "up": self.up.contains(who),
            "round_trip_ms": self.round_trips.get(who).map(|time| millis(*time)),
            "voted": said.map(|said| json!({ "round": said.round, "block": said.block })),
            "heights": figures.heights,
            "proposed": figures.proposed,
            "failed_turns": figures.failed,
            "signed": figures.signed,
            "counted": figures.counted,
            "missed": figures.missed,
            "missed_percent": figures.missed_percent(),
            "late_ms_p50": figures.late.map(|late| millis(late.p50)),
            "late_ms_p99": figures.late.map(|late| millis(late.p99)),
            "slow_percent": figures.slow_percent(),
        })
    }
}

fn item(finding: &Finding) -> Value {
    json!({
        "name": finding.check,
        "grade": finding.grade.word(),
        "ok": finding.grade != Grade::Fail,
        "detail": finding.says,
        "fix": finding.fix,
        "validator": finding.validator,
    })
}

fn rounds(summary: &Summary) -> Value {
    let failed = Failure::WORDS.iter().zip(summary.failed);
    let failed: BTreeMap<_, _> = failed.collect();
    json!({
        "more_than_one": summary.more_rounds,
        "more_than_one_percent": summary.more_rounds_percent(),
        "failed": failed,
    })
}

fn spread(spread: Option<Spread>) -> Value {
    let shown = |spread: Spread| json!({ "ms_p50": millis(spread.p50), "ms_p99": millis(spread.p99) });
    spread.map_or(Value::Null, shown)
}

/// Milliseconds with microseconds behind the point.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
