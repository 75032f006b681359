//! The guide's file and variables as one checked document.

use super::expand::{Unset, expand};
use super::schema::{Form, SECTIONS, VARIABLES};
use crate::exit::Failure;
use crate::output::Paint;
use crate::settings;
use purlin_config::{Document, Faults, Format, Input, Section, SourceKind, check_names, check_section};
use serde_json::{Value, json};
use std::path::Path;

/// Reads a variable of the environment.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

pub(super) fn sections() -> Vec<&'static Section> {
    SECTIONS.iter().collect()
}

/// The file, if one is named, with the variables over it; every fault is told.
///
/// # Errors
/// When the file cannot be read, a variable in it is not set, or anything has a fault.
pub(super) fn read(file: Option<&Path>, lookup: Lookup<'_>) -> Result<Document, Failure> {
    let mut inputs = Vec::new();
    if let Some(file) = file {
        let text = settings::read_text(file)?;
        let text = expand(&text, lookup).map_err(|unset| unset_failure(file, &unset))?;
        inputs.push(Input::file(file.display().to_string(), text));
    }
    inputs.extend(variables(lookup));
    let mut faults = Faults::new();
    let document = Document::parse(inputs, &mut faults);
    check(&document, &mut faults);
    refuse(&document, &faults)?;
    Ok(document)
}

/// Checks names, types and ranges; those of sections that nothing uses yet too.
pub(super) fn check(document: &Document, faults: &mut Faults) {
    let sections = sections();
    check_names(document, &sections, faults);
    for section in sections {
        check_section(document, section, faults);
    }
}

/// Tells every fault, and fails when one is an error.
pub(super) fn refuse(document: &Document, faults: &Faults) -> Result<(), Failure> {
    if !faults.is_empty() {
        let text = faults.to_text(document, Paint::stderr().is_on());
        eprintln!("{}", text.trim_end());
    }
    if faults.has_errors() {
        return Err(Failure::failed(
            "the configuration has faults",
            "correct the faults above; keys and variables are those of the scaling guide",
        ));
    }
    Ok(())
}

fn unset_failure(file: &Path, unset: &[Unset]) -> Failure {
    let details = unset.iter().map(|unset| {
        let Unset { name, line, column } = unset;
        format!("  {}:{line}:{column}: ${{{name}}} is not set", file.display())
    });
    let what = format!("{} names variables that are not set", file.display());
    Failure::failed(what, "set them, or write ${NAME:-default}").with_details(details.collect())
}

/// Each variable as a text of its own, so that a fault names it.
fn variables(lookup: Lookup<'_>) -> Vec<Input> {
    let set = VARIABLES.iter().filter_map(|(name, path, form)| {
        let value = lookup(name).filter(|value| !value.trim().is_empty())?;
        Some(Input {
            name: (*name).to_owned(),
            text: nested(path, &leaf(value.trim(), *form)).to_string(),
            kind: SourceKind::Environment,
            format: Some(Format::Json),
        })
    });
    set.collect()
}

fn leaf(text: &str, form: Form) -> Value {
    match form {
        Form::Text => json!(text),
        Form::Plain => serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| value.is_boolean() || value.is_i64())
            .unwrap_or_else(|| json!(text)),
        Form::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.collect::<Vec<_>>().into()
        }
    }
}

fn nested(path: &str, leaf: &Value) -> Value {
    path.rsplit('.')
        .fold(leaf.clone(), |value, key| json!({ key: value }))
}
