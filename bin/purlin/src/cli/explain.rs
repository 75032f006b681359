//! `purlin explain`: what a code or a configuration key means. Works without a node.

use super::Context;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use crate::reasons;
use purlin_telemetry::Reason;
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  purlin explain PUR-1101             a code from a decision, an error or a log line
  purlin explain dhcp.subnets.pools   a configuration key
  purlin explain                      all codes")]
pub(crate) struct Args {
    /// A code (PUR-1101, 1101), its name (no_subnet_for_relay), or a configuration key.
    subject: Option<String>,
}

const KIND: Kind = Kind {
    plural: "codes",
    name: "code",
    columns: &[
        Column::new("CODE", "code", Show::Text),
        Column::new("NAME", "name", Show::Text),
        Column::new("TEXT", "text", Show::Text),
    ],
};

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let Some(subject) = &args.subject else {
        let rows: Vec<Value> = reasons::all().into_iter().map(as_json).collect();
        output::list(&context.view(), KIND, &rows)?;
        return Ok(Exit::Ok);
    };
    if let Some(reason) = reasons::find(subject) {
        return explain(reason, context);
    }
    Err(Failure::new(
        Exit::NotFound,
        format!("nothing is called {subject:?}"),
        "`purlin explain` lists all codes, `purlin config schema` all keys",
    ))
}

fn explain(reason: &Reason, context: &Context) -> Outcome {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &as_json(reason))?;
        return Ok(Exit::Ok);
    }
    let paint = Paint::stdout();
    println!(
        "{}",
        paint.text(Tone::Strong, &format!("{}  {}", reason.code, reason.slug))
    );
    println!("\n  {}\n\n{}", reason.text, reason.explain);
    if !reason.fix.is_empty() {
        println!("\nFix: {}", reason.fix);
    }
    Ok(Exit::Ok)
}

fn as_json(reason: &Reason) -> Value {
    json!({
        "code": reason.code.to_string(),
        "name": reason.slug,
        "text": reason.text,
        "explain": reason.explain,
        "fix": reason.fix,
    })
}
