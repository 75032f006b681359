//! What a run found, for people and as JSON.

use super::compare::Change;
use crate::cli::Context;
use crate::cli::bench::show_cost;
use crate::exit::Failure;
use crate::output::{self, Form, Paint, Tone};
use purlin_tftp_client::bench::{BenchReport, FaultCount, PhaseReport};
use serde_json::to_value;

/// Pieces of evidence that are shown.
const EVIDENCE: usize = 10;

pub(super) fn show(
    report: &BenchReport,
    changes: Option<&[Change]>,
    context: &Context,
) -> Result<(), Failure> {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        let broken = |cause: serde_json::Error| Failure::failed(cause.to_string(), "");
        let mut value = to_value(report).map_err(broken)?;
        value["clean"] = report.is_clean().into();
        if let Some(changes) = changes {
            value["changes"] = to_value(changes).map_err(broken)?;
        }
        return output::document(context.form(), &value);
    }
    say!("{}: {} threads", report.server, report.threads);
    for phase in &report.phases {
        show_phase(phase);
    }
    show_verdict(report);
    if let Some(changes) = changes {
        show_changes(changes);
    }
    if report.interrupted {
        say!("interrupted before its end");
    }
    Ok(())
}

fn show_phase(phase: &PhaseReport) {
    let title = format!("{}: {} ({})", phase.name, phase.profiles, phase.load);
    say!("\n{}", Paint::stdout().text(Tone::Strong, &title));
    say!(
        "  {} boots in {:.2} s = {:.0}/s, {:.0} Mbit/s, {} failed, {} shed",
        phase.boots_done,
        phase.seconds,
        phase.boots_per_second,
        phase.octets_per_second * 8.0 / 1e6,
        phase.boots_failed,
        phase.shed,
    );
    let count = &phase.transfers;
    say!(
        "  {} transfers: {} done, {} probed, {} missing, {} refused, {} timed out, {} too slow, {} wrong, {} unfinished",
        count.started,
        count.done,
        count.probed,
        count.missed,
        count.refused,
        count.timed_out,
        count.too_slow,
        count.wrong,
        count.unfinished,
    );
    show_latency(phase);
    say!(
        "  {} sent, {} received, {} twice (amplification {:.3}), {} gaps, {} timeouts, {} late, {} strangers, {} malformed",
        phase.sent,
        phase.received,
        phase.duplicates,
        phase.amplification,
        phase.gaps,
        phase.timeouts,
        phase.late,
        phase.strangers,
        phase.malformed,
    );
    show_harm(
        "to the server",
        &phase.faults_to_server,
        &phase.injected_to_server,
    );
    show_harm("to clients", &phase.faults_to_client, &phase.injected_to_client);
    for error in &phase.errors {
        say!("  error {} {:?}: {} times", error.code, error.text, error.count);
    }
    show_cost("generator", phase.generator.as_ref());
    show_cost("server", phase.server.as_ref());
}

fn show_latency(phase: &PhaseReport) {
    if phase.latency.is_empty() {
        return;
    }
    say!(
        "  {:<12} {:>10} {:>10} {:>10} {:>10} {:>10} {:>9}   microseconds",
        "latency",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max",
        "count"
    );
    for step in &phase.latency {
        say!(
            "  {:<12} {:>10.0} {:>10.0} {:>10.0} {:>10.0} {:>10.0} {:>9}",
            step.step,
            step.p50_us,
            step.p90_us,
            step.p99_us,
            step.p999_us,
            step.max_us,
            step.count
        );
    }
}

fn show_harm(way: &str, words: &str, count: &FaultCount) {
    if count != &FaultCount::default() {
        say!(
            "  harm {way}: {words}: {} lost, {} doubled, {} reordered",
            count.lost,
            count.doubled,
            count.reordered
        );
    }
}

fn show_verdict(report: &BenchReport) {
    let paint = Paint::stdout();
    if report.is_clean() {
        let done = report.phases.iter().map(|phase| phase.boots_done).sum();
        let (tone, words) = clean(done);
        say!("\n{}", paint.text(tone, words));
        return;
    }
    let count: u64 = report.phases.iter().map(|phase| phase.violations).sum();
    say!("\n{}", paint.text(Tone::Bad, &format!("{count} violations")));
    for found in report.evidence.iter().take(EVIDENCE) {
        say!(
            "  {:?} in {} at {} ({}): {}",
            found.kind,
            found.file,
            found.offset,
            found.profile,
            found.detail
        );
    }
}

/// The verdict on a run without violations, by how many boots it took to its end.
fn clean(done: u64) -> (Tone, &'static str) {
    match done {
        0 => (
            Tone::Bad,
            "not one boot was done, so nothing can be said of what is served",
        ),
        _ => (Tone::Good, "every octet was right"),
    }
}

fn show_changes(changes: &[Change]) {
    let paint = Paint::stdout();
    say!("\n{}", paint.text(Tone::Strong, "compared with the baseline"));
    for change in changes {
        let percent = match change.percent {
            Some(percent) => format!("{percent:+.1}%"),
            None => "new".to_owned(),
        };
        let line = format!(
            "  {:<10} {:<20} {:>14.3} -> {:>14.3} {percent:>9}",
            change.phase, change.figure, change.before, change.after
        );
        let tone = if change.worse_by() > 0.0 {
            Tone::Warning
        } else {
            Tone::Faint
        };
        say!("{}", paint.text(tone, &line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_came_is_nothing_that_was_right() {
        assert_eq!(clean(1), (Tone::Good, "every octet was right"));
        assert_eq!(clean(0).0, Tone::Bad);
        assert!(!clean(0).1.contains("right"));
    }
}
