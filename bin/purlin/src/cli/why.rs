//! `purlin why`: a client's story in plain words.

use super::Context;
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Outcome};
use crate::output::{self, Form, Paint, Tone};
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin why 02:00:00:00:00:01      by hardware address
  purlin why 10.67.1.5              by IP address
  purlin why node-a                 by host name
  purlin why 10.67.1.5 -o json      with every field of every decision

Exit code 3 when nothing is on record; what to check is then told all the same.")]
pub(crate) struct Args {
    /// A MAC address, an IP address or a host name.
    subject: String,
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
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
    say!("{}", paint.text(Tone::Strong, text(story, "summary")));
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
        say!("  - {check}");
    }
}

/// `2025-01-31T10:00:00.123Z  DHCPDISCOVER -> DHCPOFFER  offered 10.0.0.5  [PUR-1001]`
fn decision_line(decision: &Value, paint: Paint) -> String {
    let tone = match text(decision, "outcome") {
        "answered" => Tone::Good,
        "refused" | "silent" => Tone::Warning,
        "dropped" => Tone::Bad,
        _ => Tone::Faint,
    };
    format!(
        "{}  {:<12} -> {:<9}  {}  [{}]",
        text(decision, "at"),
        text(decision, "event"),
        text(decision, "answer"),
        paint.text(tone, text(decision, "text")),
        text(decision, "code"),
    )
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
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
}
