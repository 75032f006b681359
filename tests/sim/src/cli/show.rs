//! Outcomes as text and as JSON.

use super::{Form, Options};
use purlin_sim::{Broken, Level, Mix, Outcome, RULES, Tally, run_mix};
use serde_json::{Value, json};
use std::fmt::Write;

/// One seed: whether everything held, and what there is to say.
pub(crate) fn single(options: &Options, seed: u64) -> (bool, String) {
    let level = match (options.trace, options.form()) {
        (false, _) => Level::Last,
        (true, Form::Text) => Level::Print,
        (true, Form::Json) => Level::All,
    };
    let outcome = run_mix(seed, options.mix(), options.without, level);
    let held = outcome.broken.is_none();
    let shown = match options.form() {
        Form::Json => one(&outcome, options.trace).to_string(),
        Form::Text => {
            let mut text = String::new();
            if !options.trace && !held {
                outcome.story.iter().for_each(|line| text.extend([line, "\n"]));
            }
            let (verdict, tally, digest) = (outcome.verdict(), outcome.tally, outcome.digest);
            let _ = writeln!(text, "{verdict}\n{tally}\ntrace hash {digest:016x}");
            text
        }
    };
    (held, shown)
}

fn one(outcome: &Outcome, trace: bool) -> Value {
    let story = (trace || outcome.broken.is_some()).then_some(&outcome.story);
    json!({
        "seed": outcome.seed,
        "mix": outcome.mix.name(),
        "held": outcome.broken.is_none(),
        "broken": outcome.broken.as_ref().map(|broken| fault(outcome.seed, broken)),
        "trace_hash": format!("{:016x}", outcome.digest),
        "tally": counts(&outcome.tally),
        "trace": story,
    })
}

/// A broken invariant.
pub(super) fn fault(seed: u64, broken: &Broken) -> Value {
    json!({
        "seed": seed,
        "invariant": broken.rule,
        "at_seconds": broken.at as f64 / 1e9,
        "what": broken.what,
    })
}

pub(super) fn counts(tally: &Tally) -> Value {
    json!({
        "events": tally.events,
        "promises": tally.promises,
        "refusals": tally.refusals,
        "faults": tally.faults,
        "failovers": tally.failovers,
        "claims_by_force": tally.takeovers,
        "unrecorded_promises": tally.unrecorded,
        "lost_fences": tally.setbacks,
    })
}

/// The rules that can be left out.
pub(crate) fn rules(form: Form) -> String {
    let rules = RULES.iter();
    match form {
        Form::Text => {
            let line = |text: String, rule: &purlin_sim::Rule| {
                let (name, of, without) = (rule.name, rule.of, rule.without);
                let seed = rule
                    .seed
                    .map_or_else(|| "no seed known".to_owned(), |seed| format!("seed {seed}"));
                let mix = match rule.mix {
                    Mix::Any => String::new(),
                    mix => format!(" --mix {}", mix.name()),
                };
                text + &format!("{name:<22} {of:<8} {seed:<14} without it: {without}{mix}\n")
            };
            rules.fold(String::new(), line)
        }
        Form::Json => {
            let rules = rules.map(|rule| {
                let mix = rule.mix.name();
                json!({ "name": rule.name, "of": rule.of, "without": rule.without, "seed": rule.seed, "mix": mix })
            });
            Value::Array(rules.collect()).to_string()
        }
    }
}
