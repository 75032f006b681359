//! `purlin explain`: what a code or a configuration key means. Works without a node.

use super::Context;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use crate::reasons;
use crate::settings;
use crate::up::own;
use purlin_config::{Document, Faults};
use purlin_telemetry::Reason;
use serde_json::{Value, json};
use std::path::Path;

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
    output::not_in_rows(context.form())?;
    if let Some(reason) = reasons::find(subject) {
        return explain(reason, context);
    }
    key(subject, None, context)
}

/// Explains a configuration key, or lists the sections when none is named.
pub(super) fn key(path: &str, config: Option<&Path>, context: &Context) -> Outcome {
    let sections = settings::all_sections();
    if path.is_empty() {
        for section in &sections {
            say!("{:<14} {}", section.name, section.doc);
        }
        return Ok(Exit::Ok);
    }
    let document = present(config)?;
    let Some(explanation) = purlin_config::explain(&document, &sections, path) else {
        let what = format!("no code and no configuration key is called {path:?}");
        let fix = "`purlin explain` lists all codes, `purlin config explain` all sections";
        return Err(Failure::new(Exit::NotFound, what, fix));
    };
    let own = own::is_own(path);
    if matches!(context.form(), Form::Table | Form::Wide) {
        let whose = if own {
            "each node's own"
        } else {
            "the same at all nodes"
        };
        say!("{}\n  cluster   {whose}", explanation.to_text().trim_end());
    } else {
        let mut told = explanation.to_json();
        told["shared"] = (!own).into();
        output::document(context.form(), &told)?;
    }
    Ok(Exit::Ok)
}

/// The document whose values are told: the file, with the environment over it. Its faults are not the question here.
fn present(config: Option<&Path>) -> Result<Document, Failure> {
    let mut faults = Faults::new();
    let mut document = match config {
        Some(file) => settings::parse_file(file, &mut faults)?,
        None => Document::empty(),
    };
    settings::overlay_environment(&mut document, &mut faults);
    Ok(document)
}

fn explain(reason: &Reason, context: &Context) -> Outcome {
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &as_json(reason))?;
        return Ok(Exit::Ok);
    }
    let paint = Paint::stdout();
    say!(
        "{}",
        paint.text(Tone::Strong, &format!("{}  {}", reason.code, reason.slug))
    );
    say!("\n  {}\n\n{}", reason.text, reason.explain);
    if !reason.fix.is_empty() {
        say!("\nFix: {}", reason.fix);
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
