//! `purlin why`: a client's story in plain words.

use super::Context;
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Form, Paint, Tone, harmless};
use serde_json::Value;
use std::borrow::Cow;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin why 02:00:00:00:00:01      by hardware address
  purlin why 10.67.1.5              by IP address
  purlin why node-a                 by host name
  purlin why boot.ipxe              who asked for a boot file, and got it or not
  purlin why 0x5c50...34f1          what became of a transaction
  purlin why 10.67.1.5 -o json      with every field of every decision

Exit code 3 when nothing is on record; what to check is then told all the same.")]
pub(crate) struct Args {
    /// A MAC address, an IP address, a host name, the name of a boot file or a transaction's hash.
    subject: String,
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    output::not_in_rows(context.form())?;
    let path = with_query("/api/v1/why", &[("subject", &args.subject)]);
    let story = context.client()?.value(Ask::get(path)).await?;
    if matches!(context.form(), Form::Table | Form::Wide) {
        tell(&story, Paint::stdout());
    } else {
        output::document(context.form(), &story)?;
    }
    let seen = story.get("seen").and_then(Value::as_bool).unwrap_or(true);
    Ok(if seen { Exit::Ok } else { Exit::NotFound })
}

fn tell(story: &Value, paint: Paint) {
    say!("{}", paint.text(Tone::Strong, &text(story, "summary")));
    let decisions = list(story, "decisions");
    if !decisions.is_empty() {
        say!();
    }
    for decision in decisions {
        say!("{}", decision_line(decision, paint));
    }
    let checks = list(story, "checks");
    if !checks.is_empty() {
        say!("\nwhat to check:");
    }
    for check in checks.iter().filter_map(Value::as_str) {
        say!("  - {}", harmless::line(check));
    }
}

/// `2025-01-31T10:00:00.123Z  +5 ms  DHCPDISCOVER -> DHCPOFFER  offered 10.0.0.5  [PUR-1001]`
fn decision_line(decision: &Value, paint: Paint) -> String {
    let tone = match &*text(decision, "outcome") {
        "answered" => Tone::Good,
        "refused" | "silent" => Tone::Warning,
        "dropped" => Tone::Bad,
        _ => Tone::Faint,
    };
    let after = decision["after_ms"].as_u64();
    let after = after.map_or_else(String::new, |ms| format!("{:>10}  ", format!("+{ms} ms")));
    let node = match &*text(decision, "node") {
        "" => String::new(),
        node => format!("{node:<8}  "),
    };
    format!(
        "{}  {after}{node}{:<12} -> {:<9}  {}{}  [{}]",
        text(decision, "at"),
        text(decision, "event"),
        text(decision, "answer"),
        paint.text(tone, &said(decision)),
        stages(decision),
        text(decision, "code"),
    )
}

/// The reason; behind the name of the file, when it is about one.
pub(super) fn said(decision: &Value) -> String {
    match &*text(decision, "file") {
        "" => text(decision, "text").into_owned(),
        file => format!("{file}: {}", text(decision, "text")),
    }
}

/// How long each stage of a transfer took since its request: ` (3000000 octets; open 1.0, first block 1.2, whole 14.3 ms)`.
fn stages(decision: &Value) -> String {
    let names = [
        ("opened_ms", "open"),
        ("first_ms", "first block"),
        ("took_ms", "whole"),
    ];
    let times: Vec<String> = names
        .iter()
        .filter_map(|(key, name)| Some(format!("{name} {:.1}", decision.get(*key)?.as_f64()?)))
        .collect();
    let octets = decision.get("octets").and_then(Value::as_u64).unwrap_or(0);
    if octets == 0 || times.is_empty() {
        return String::new();
    }
    let again = match decision["retransmissions"].as_u64() {
        Some(count @ 1..) => format!("; {count} blocks again"),
        _ => String::new(),
    };
    format!(" ({octets} octets; {} ms{again})", times.join(", "))
}

/// Much of it was said by clients: names, files, options.
fn text<'a>(value: &'a Value, key: &str) -> Cow<'a, str> {
    harmless::line(value.get(key).and_then(Value::as_str).unwrap_or_default())
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_decision_is_one_line_with_its_code() {
        let decision = json!({"at": "T", "event": "DHCPDISCOVER", "answer": "-", "outcome": "silent",
            "text": "no subnet matches giaddr 10.9.0.1", "code": "PUR-1101"});
        let line = decision_line(&decision, Paint::off());
        assert_eq!(
            line,
            "T  DHCPDISCOVER -> -          no subnet matches giaddr 10.9.0.1  [PUR-1101]"
        );
    }

    #[test]
    fn what_a_client_calls_itself_is_shown_and_not_obeyed() {
        let decision = json!({"at": "T", "event": "RRQ", "answer": "-", "outcome": "silent", "code": "PUR-2002",
            "text": "\u{9b}2J is not there", "file": "\x1b[31mRED\x07"});
        let line = decision_line(&decision, Paint::off());
        assert!(line.contains("\\x1b[31mRED\\x07: \\x9b2J is not there"), "{line}");
    }

    #[test]
    fn a_transfer_is_told_with_its_file_and_its_stages() {
        let decision = json!({"at": "T", "after_ms": 812, "event": "RRQ", "answer": "DATA", "outcome": "answered",
            "text": "the whole file was sent", "code": "PUR-2001", "file": "boot.ipxe", "octets": 1000,
            "opened_ms": 1.0, "first_ms": 1.24, "took_ms": 14.3, "retransmissions": 2});
        assert_eq!(
            decision_line(&decision, Paint::off()),
            "T     +812 ms  RRQ          -> DATA       boot.ipxe: the whole file was sent (1000 octets; open 1.0, first \
             block 1.2, whole 14.3 ms; 2 blocks again)  [PUR-2001]"
        );
    }
}
