//! What a run found, for people and as JSON.

use super::cost::Costs;
use super::load::Tally;
use crate::cli::Context;
use crate::exit::Failure;
use crate::output::{self, Form, Paint, Tone};
use purlin_load::Times;
use serde::Serialize;
use serde_json::to_value;
use std::time::Duration;

/// The whole run.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) server: String,
    pub(super) phases: Vec<Phase>,
    /// Ports whose making was answered with yes.
    pub(super) ports_acknowledged: u64,
    /// Ports by which the table has grown; others may have made and taken away some meanwhile.
    pub(super) ports_found: u64,
    pub(super) switches_removed: u64,
    pub(super) interrupted: bool,
}

/// One part.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Phase {
    pub(super) name: String,
    pub(super) connections: u32,
    pub(super) seconds: f64,
    /// Objects that were made, read or seen.
    pub(super) done: u64,
    pub(super) per_second: f64,
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) latency_us: Latency,
    /// Of a kind of read, the one before the clock: it may have to make an order of all rows.
    pub(super) first_us: Option<f64>,
    /// CPU microseconds per object.
    pub(super) generator_us: Option<f64>,
    pub(super) node_us: Option<f64>,
    pub(super) database_us: Option<f64>,
    pub(super) evidence: Vec<String>,
}

/// Microseconds; 0 when nothing was timed.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Latency {
    pub(super) p50: u32,
    pub(super) p90: u32,
    pub(super) p99: u32,
    pub(super) max: u32,
}

impl Latency {
    fn of(times: &Times) -> Self {
        let [p50, p90, p99, max] = [0.5, 0.9, 0.99, 1.0].map(|share| times.quantile_us(share) as u32);
        Self { p50, p90, p99, max }
    }
}

impl Phase {
    pub(super) fn of(name: &str, connections: u32, took: Duration, tally: Tally, spent: &Costs) -> Self {
        let done = tally.done;
        let each = |seconds: Option<f64>| Some(seconds? * 1e6 / done as f64).filter(|each| each.is_finite());
        Self {
            name: name.to_owned(),
            connections,
            seconds: took.as_secs_f64(),
            done,
            per_second: done as f64 / took.as_secs_f64(),
            requests: tally.requests,
            failed: tally.failed,
            latency_us: Latency::of(&tally.times),
            first_us: None,
            generator_us: each(spent.generator),
            node_us: each(spent.node),
            database_us: each(spent.database),
            evidence: tally.evidence,
        }
    }
}

impl Report {
    pub(super) fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            phases: Vec::new(),
            ports_acknowledged: 0,
            ports_found: 0,
            switches_removed: 0,
            interrupted: false,
        }
    }

    /// Whether nothing failed, and all that was acknowledged is there.
    pub(super) fn is_clean(&self) -> bool {
        self.phases.iter().all(|phase| phase.failed == 0) && self.ports_found >= self.ports_acknowledged
    }
}

pub(super) fn show(report: &Report, context: &Context) -> Result<(), Failure> {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        let mut value = to_value(report).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
        value["clean"] = report.is_clean().into();
        return output::document(context.form(), &value);
    }
    if !report.phases.is_empty() {
        say!("{}", report.server);
        say!(
            "{:<38} {:>6} {:>9} {:>10} {:>9} {:>9} {:>9} {:>9}  {:>8} {:>8} {:>8}",
            "part",
            "at",
            "done",
            "per s",
            "p50 us",
            "p90 us",
            "p99 us",
            "max us",
            "node us",
            "db us",
            "own us"
        );
    }
    report.phases.iter().for_each(show_phase);
    show_verdict(report);
    Ok(())
}

fn show_phase(phase: &Phase) {
    let each = |cost: Option<f64>| cost.map_or_else(|| "-".to_owned(), |cost| format!("{cost:.0}"));
    let Latency { p50, p90, p99, max } = phase.latency_us;
    say!(
        "{:<38} {:>6} {:>9} {:>10.0} {p50:>9} {p90:>9} {p99:>9} {max:>9}  {:>8} {:>8} {:>8}",
        phase.name,
        phase.connections,
        phase.done,
        phase.per_second,
        each(phase.node_us),
        each(phase.database_us),
        each(phase.generator_us),
    );
    if let Some(first) = phase.first_us {
        say!("{:<38} the first took {first:.0} us", "");
    }
    for words in &phase.evidence {
        say!("  {words}");
    }
}

fn show_verdict(report: &Report) {
    let paint = Paint::stdout();
    let failed: u64 = report.phases.iter().map(|phase| phase.failed).sum();
    if failed > 0 {
        say!("{}", paint.text(Tone::Bad, &format!("{failed} failed")));
    }
    if report.ports_found < report.ports_acknowledged {
        let lost = report.ports_acknowledged - report.ports_found;
        let words = format!("{lost} of {} ports are not there", report.ports_acknowledged);
        say!("{}", paint.text(Tone::Bad, &words));
    } else if !report.phases.is_empty() {
        let words = format!(
            "all {} ports that were acknowledged were there",
            report.ports_acknowledged
        );
        say!("{}", paint.text(Tone::Good, &words));
    }
    say!(
        "{} switches taken away, with their ports",
        report.switches_removed
    );
    if report.interrupted {
        say!("interrupted before its end");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_no_success() {
        let mut report = Report::new("http://127.0.0.1:1");
        report.ports_acknowledged = 2;
        report.ports_found = 1;
        assert!(!report.is_clean());
        report.ports_found = 2;
        assert!(report.is_clean());
    }
}
