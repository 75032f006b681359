//! What a run found, for people and as JSON.

use crate::cli::Context;
use crate::cli::bench::show_cost;
use crate::exit::Failure;
use crate::output::{self, Form, Paint, Tone};
use purlin_chain_client::bench::{BenchReport, Refusal, Waits};
use serde_json::to_value;

/// Different messages that are shown.
const MESSAGES: usize = 8;

pub(super) fn show(report: &BenchReport, context: &Context) -> Result<(), Failure> {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        let broken = |cause: serde_json::Error| Failure::failed(cause.to_string(), "");
        let mut value = to_value(report).map_err(broken)?;
        value["clean"] = report.is_clean().into();
        return output::document(context.form(), &value);
    }
    show_conditions(report);
    show_rates(report);
    show_waits(report);
    show_blocks(report);
    show_messages("refused", &report.refusals);
    show_messages("not answered", &report.failures);
    show_cost("generator", report.generator.as_ref());
    show_cost("server", report.server.as_ref());
    show_verdict(report);
    Ok(())
}

fn show_conditions(report: &BenchReport) {
    let (conditions, made) = (&report.conditions, &report.preparation);
    let title = format!(
        "{}: {} ({})",
        report.servers.join(", "),
        conditions.mix,
        conditions.load
    );
    say!("{}", Paint::stdout().text(Tone::Strong, &title));
    say!(
        "  {}, chain {}: {} senders, {} connections, batches of {}, blocks of {:.0} Mgas",
        report.client,
        conditions.chain_id,
        conditions.senders,
        conditions.connections,
        conditions.batch,
        conditions.gas_limit as f64 / 1e6,
    );
    say!(
        "  prepared in {:.2} s ({} transactions), signed {:.0}/s on {} threads",
        made.seconds,
        made.transactions,
        made.signatures_per_second,
        made.signing_threads,
    );
}

fn show_rates(report: &BenchReport) {
    say!(
        "  {} sent ({} attempts), {} accepted = {:.0}/s",
        report.sent,
        report.attempts,
        report.accepted,
        report.accepted_per_second,
    );
    let rates = format!(
        "{} in blocks within {:.2} s = {:.0}/s, {:.1} Mgas/s",
        report.mined,
        report.seconds,
        report.mined_per_second,
        report.gas_per_second / 1e6,
    );
    say!("  {}", Paint::stdout().text(Tone::Strong, &rates));
    if report.resent + report.given_up > 0 {
        say!("  {} sent again, {} given up", report.resent, report.given_up);
    }
}

fn show_waits(report: &BenchReport) {
    say!(
        "  {:<12} {:>9} {:>9} {:>9} {:>9} {:>9}   milliseconds",
        "",
        "p50",
        "p95",
        "p99",
        "max",
        "count"
    );
    show_wait("acceptance", report.acceptance);
    show_wait("inclusion", report.inclusion);
}

fn show_wait(step: &str, waits: Option<Waits>) {
    if let Some(waits) = waits {
        say!(
            "  {step:<12} {:>9.1} {:>9.1} {:>9.1} {:>9.1} {:>9}",
            waits.p50_ms,
            waits.p95_ms,
            waits.p99_ms,
            waits.max_ms,
            waits.count
        );
    }
}

fn show_blocks(report: &BenchReport) {
    let blocks = &report.blocks;
    say!(
        "  {} blocks, {} without ours: {:.0} transactions each, at most {}; fullest {:.0} %; every {:.0} ms, at most {:.0}; last after {:.2} s",
        blocks.count,
        blocks.without_ours,
        blocks.transactions_mean,
        blocks.transactions_max,
        blocks.fullest * 100.0,
        blocks.interval_ms_mean,
        blocks.interval_ms_max,
        blocks.last_seconds,
    );
}

fn show_messages(what: &str, messages: &[Refusal]) {
    for refusal in messages.iter().take(MESSAGES) {
        say!("  {what} {} times: {}", refusal.count, refusal.message);
    }
    if messages.len() > MESSAGES {
        say!(
            "  {what} for {} other reasons: -o json",
            messages.len() - MESSAGES
        );
    }
}

fn show_verdict(report: &BenchReport) {
    let (paint, checked) = (Paint::stdout(), &report.verification);
    if checked.verified {
        let right = format!(
            "verified: {} receipts, {} accounts to the wei, {} blocks, {} slots, in {:.2} s",
            checked.receipts, checked.accounts, checked.blocks, checked.slots, checked.seconds
        );
        say!("\n{}", paint.text(Tone::Good, &right));
    } else {
        say!("\n{}", paint.text(Tone::Bad, "the chain is not as it has to be"));
    }
    for problem in &checked.problems {
        say!("  {} ({} times)", problem.what, problem.count);
        for example in &problem.examples {
            say!("    {example}");
        }
    }
    if report.timed_out {
        let late = format!(
            "{} of {} were not in a block when the time was up",
            u64::from(report.conditions.transactions)
                - report.mined.min(report.conditions.transactions.into()),
            report.conditions.transactions
        );
        say!("{}", paint.text(Tone::Bad, &late));
    }
    if report.interrupted {
        say!("interrupted before its end");
    }
}
