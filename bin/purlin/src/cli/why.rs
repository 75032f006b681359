//! `purlin why`: a client's story in plain words.

use super::Context;
use crate::client::{Ask, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Form, Paint, Tone};
use serde_json::Value;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin why 02:00:00:00:00:01      by hardware address
  purlin why 10.67.1.5              by IP address
  purlin why node-a                 by host name
  purlin why 10.67.1.5 -o json      with every field of every decision")]
pub(crate) struct Args {
    /// A MAC address, an IP address or a host name.
    subject: String,
}

pub(super) async fn run(args: &Args, context: &Context) -> Outcome {
    let path = with_query("/api/v1/why", &[("subject", &args.subject)]);
    let story = context.client()?.value(Ask::get(path)).await?;
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &story)?;
        return Ok(Exit::Ok);
    }
    tell(&story, context.form() == Form::Wide, Paint::stdout())
}

fn tell(story: &Value, wide: bool, paint: Paint) -> Outcome {
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let summary = text(story, "summary");
    if !summary.is_empty() {
        println!("{}", paint.text(Tone::Strong, &summary));
    }
    let decisions = ["decisions", "story", "items"]
        .into_iter()
        .find_map(|key| story.get(key)?.as_array());
    let decisions = decisions.map(Vec::as_slice).unwrap_or_default();
    if decisions.is_empty() && summary.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            "nothing is on record about it: no packet of this client came in since the node started",
            "check the relay and the cabling; purlin events --follow shows packets as they come",
        ));
    }
    for decision in decisions {
        let outcome = text(decision, "outcome");
        let tone = match outcome.as_str() {
            "answered" => Tone::Good,
            "refused" | "silent" => Tone::Warning,
            "dropped" => Tone::Bad,
            _ => Tone::Faint,
        };
        let mut line = format!(
            "{}  {:<13} -> {:<9}  {}",
            text(decision, "at"),
            text(decision, "event"),
            text(decision, "answer"),
            paint.text(tone, &text(decision, "text")),
        );
        let code = text(decision, "code");
        if !code.is_empty() {
            line.push_str(&format!("  [{code}]"));
        }
        if wide {
            line.push_str(&format!("  {}", text(decision, "subnet")));
        }
        println!("{}", line.trim_end());
        let fix = text(decision, "fix");
        if outcome != "answered" && !fix.is_empty() {
            println!("    fix: {fix}");
        }
    }
    Ok(Exit::Ok)
}
