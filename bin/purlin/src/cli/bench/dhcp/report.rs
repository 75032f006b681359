//! What a run found, for people and as JSON.

use crate::cli::Context;
use crate::cli::bench::show_cost;
use crate::exit::Failure;
use crate::output::{self, Form, Paint, Tone};
use purlin_dhcp_client::bench::{BenchReport, Latency, PhaseReport, Verification};
use serde_json::{Value, to_value};

pub(super) fn show(report: &BenchReport, context: &Context) -> Result<(), Failure> {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        let mut value = to_value(report).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
        value["clean"] = Value::from(report.verification.is_clean());
        return output::document(context.form(), &value);
    }
    say!(
        "{}: {} clients behind {} relays, {} threads",
        report.server,
        report.clients,
        report.relays,
        report.threads
    );
    for phase in &report.phases {
        show_phase(phase);
    }
    show_verification(&report.verification);
    if report.interrupted {
        say!("interrupted before its end");
    }
    Ok(())
}

fn show_phase(phase: &PhaseReport) {
    let paint = Paint::stdout();
    let title = format!("{}: {} ({})", phase.name, phase.mix, phase.load);
    say!("\n{}", paint.text(Tone::Strong, &title));
    say!(
        "  {} done in {:.2} s = {:.0}/s, {:.3}% lost",
        phase.done,
        phase.seconds,
        phase.per_second,
        phase.loss() * 100.0
    );
    for count in &phase.operations {
        say!(
            "  {:<8} {:>9} begun {:>9} done {:>7} refused {:>7} timed out",
            count.operation.name(),
            count.started,
            count.done,
            count.refused,
            count.timed_out
        );
    }
    if !phase.latency.is_empty() {
        say!(
            "  {:<18} {:>9} {:>9} {:>9} {:>9} {:>9}   microseconds",
            "latency",
            "p50",
            "p90",
            "p99",
            "p99.9",
            "max"
        );
    }
    for Latency {
        step,
        p50_us,
        p90_us,
        p99_us,
        p999_us,
        max_us,
        ..
    } in &phase.latency
    {
        say!("  {step:<18} {p50_us:>9.0} {p90_us:>9.0} {p99_us:>9.0} {p999_us:>9.0} {max_us:>9.0}");
    }
    say!(
        "  {} sent, {} received, {} sent again, {} late, {} malformed, {} shed",
        phase.sent,
        phase.received,
        phase.retransmitted,
        phase.late,
        phase.malformed,
        phase.shed
    );
    show_cost("generator", phase.generator.as_ref());
    show_cost("server", phase.server.as_ref());
}

fn show_verification(verification: &Verification) {
    let paint = Paint::stdout();
    let servers: Vec<String> = verification.servers.iter().map(ToString::to_string).collect();
    say!(
        "\n{} answers checked, {} leases held, answered by {}",
        verification.checked,
        verification.leases,
        if servers.is_empty() {
            "nobody".to_owned()
        } else {
            servers.join(", ")
        }
    );
    if verification.is_clean() {
        say!("{}", paint.text(Tone::Good, "no promise was broken"));
        return;
    }
    for entry in &verification.violations {
        say!(
            "{}",
            paint.text(Tone::Bad, &format!("{:?}: {} times", entry.kind, entry.count))
        );
    }
    for violation in verification.evidence.iter().take(10) {
        say!(
            "  {:?} {} {} against {}",
            violation.kind,
            violation.address,
            violation.client,
            violation.against
        );
    }
}
