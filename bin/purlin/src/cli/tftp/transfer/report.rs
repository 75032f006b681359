//! A finished transfer in words.

use crate::cli::Context;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Form, Paint, Tone};
use purlin_tftp_client::TransferReport;
use serde_json::to_value;

pub(super) fn show(report: &TransferReport, name: &str, direction: &str, context: &Context) -> Outcome {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        let value = to_value(report).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
        output::document(context.form(), &value)?;
        return Ok(Exit::Ok);
    }
    say!(
        "{}",
        Paint::stdout().text(Tone::Good, &sentence(report, name, direction))
    );
    let trouble = trouble(report);
    if !trouble.is_empty() {
        say!("  {}", trouble.join(", "));
    }
    Ok(Exit::Ok)
}

fn sentence(report: &TransferReport, name: &str, direction: &str) -> String {
    format!(
        "{name}: {} octets {direction} {} in {:.3} s ({:.1} Mbit/s, first block after {:.1} ms), {} octets x {} blocks",
        report.octets,
        report.server,
        report.seconds,
        report.octets_per_second * 8.0 / 1e6,
        report.first_block_seconds * 1e3,
        report.blksize,
        report.windowsize,
    )
}

/// What did not go as it should, in words; empty when all did.
fn trouble(report: &TransferReport) -> Vec<String> {
    let counts = [
        (u64::from(report.requests_repeated), "requests repeated"),
        (u64::from(report.timeouts), "times silence"),
        (report.gaps, "blocks lost"),
        (report.duplicates, "packets twice"),
        (report.strangers, "packets from strangers"),
        (report.malformed, "packets malformed"),
    ];
    let seen = counts.into_iter().filter(|(count, _)| *count > 0);
    seen.map(|(count, what)| format!("{count} {what}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> TransferReport {
        TransferReport {
            name: "boot.ipxe".to_owned(),
            server: "127.0.0.1:6969".parse().unwrap(),
            octets: 1_000_000,
            blocks: 701,
            blksize: 1428,
            windowsize: 16,
            tsize: Some(1_000_000),
            options_acknowledged: true,
            first_answer_seconds: 0.001,
            first_block_seconds: 0.002,
            seconds: 0.5,
            octets_per_second: 2e6,
            requests_repeated: 0,
            timeouts: 0,
            gaps: 0,
            duplicates: 0,
            strangers: 0,
            malformed: 0,
        }
    }

    #[test]
    fn a_report_tells_the_rate_and_only_real_trouble() {
        let mut report = report();
        let line = sentence(&report, "boot.ipxe", "from");
        assert!(
            line.contains("16.0 Mbit/s") && line.contains("first block after 2.0 ms"),
            "{line}"
        );
        assert!(trouble(&report).is_empty());
        report.gaps = 3;
        assert_eq!(trouble(&report), ["3 blocks lost"]);
        assert_eq!(to_value(&report).unwrap()["octets"], 1_000_000);
    }
}
