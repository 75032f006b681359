//! What needs no node: checking files, the schema, and where each value comes from.

use crate::cli::Context;
use crate::cli::explain;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Form, Paint};
use crate::settings;
use clap::Subcommand;
use purlin_config::{Document, Faults};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check files and report every fault in one pass; needs no node.
    #[command(after_help = "Examples:
  purlin config check purlin.toml
  purlin config check - < purlin.yaml
  purlin config check purlin.toml -o json

Exit code 1 when a file has errors. Environment variables PURLIN__... count as they do for `purlin up`.")]
    Check {
        /// TOML, YAML or JSON; `-` for standard input.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Leave the environment out.
        #[arg(long)]
        no_env: bool,
    },
    /// Print the schema of the configuration as JSON Schema.
    #[command(after_help = "Examples:
  purlin config schema > purlin.schema.json")]
    Schema,
    /// Explain a key: what it does, its range, its value and where that was said.
    #[command(after_help = "Examples:
  purlin config explain                               all sections
  purlin config explain dhcp.subnets.lease_time
  purlin config explain dhcp.ack --config purlin.toml")]
    Explain {
        /// As in the file, with points between the parts [default: all sections].
        key: Option<String>,
        /// Show the value this file gives it.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

pub(super) fn run(command: &Command, context: &Context) -> Outcome {
    output::not_in_rows(context.form())?;
    match command {
        Command::Check { files, no_env } => check_all(files, *no_env, context),
        Command::Schema => {
            let schema = purlin_config::json_schema(&settings::all_sections());
            let form = if context.form() == Form::Table {
                Form::Json
            } else {
                context.form()
            };
            output::document(form, &schema)?;
            Ok(Exit::Ok)
        }
        Command::Explain { key, config } => {
            explain::key(key.as_deref().unwrap_or_default(), config.as_deref(), context)
        }
    }
}

fn check_all(files: &[PathBuf], no_env: bool, context: &Context) -> Outcome {
    let mut wrong = false;
    let mut reports = Vec::new();
    for file in files {
        let mut faults = Faults::new();
        let mut document = settings::parse_file(file, &mut faults)?;
        if !no_env {
            settings::overlay_environment(&mut document, &mut faults);
        }
        // Of a text that could not be read nothing sensible can be said besides.
        if !faults.has_errors() {
            let _ = settings::check(&document, &mut faults);
        }
        wrong |= faults.has_errors();
        if context.form() == Form::Table {
            tell(file, &document, &faults)?;
        } else {
            let report = faults.to_json(&document);
            reports.push(
                json!({"file": file.display().to_string(), "ok": !faults.has_errors(), "faults": report}),
            );
        }
    }
    if context.form() != Form::Table {
        output::document(context.form(), &reports.into())?;
    }
    Ok(if wrong { Exit::Failed } else { Exit::Ok })
}

fn tell(file: &Path, document: &Document, faults: &Faults) -> Result<(), Failure> {
    if !faults.is_empty() {
        eprintln!("{}", faults.to_text(document, Paint::stderr().is_on()).trim_end());
    }
    if !faults.has_errors() {
        say!("{}: ok", file.display());
    }
    Ok(())
}
