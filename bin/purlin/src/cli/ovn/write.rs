//! Writes: one transaction each, shown as what they changed.

mod progress;

use super::diff;
use super::document::{self, Options};
use super::fields::{Field, new_row};
use super::tables::Side;
use crate::cli::Context;
use crate::client::{Ask, encode, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Form, Paint, Tone};
use clap::{Args, ValueEnum};
use purlin_config::{Document, Faults, Input};
use serde_json::{Map, Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a change is made.
#[derive(Debug, Args)]
pub(crate) struct Manner {
    /// Only show the exact difference.
    #[arg(long, help_heading = "How")]
    dry_run: bool,
    /// Wait until ovn-northd has written the flows (sb), or every hypervisor has them (hv).
    #[arg(
        long,
        value_enum,
        value_name = "sb|hv",
        conflicts_with = "dry_run",
        help_heading = "How"
    )]
    #[arg(hide_possible_values = true)]
    wait: Option<Until>,
    /// How long to wait at most.
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10s",
        requires = "wait",
        help_heading = "How"
    )]
    #[arg(value_parser = super::seconds)]
    timeout: u64,
    /// Whose rows are made.
    #[arg(long, value_name = "OWNER", help_heading = "How")]
    owner: Option<String>,
    /// Write rows of other managers, too; admins only.
    #[arg(long, help_heading = "How")]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Until {
    Sb,
    Hv,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// A table as OVN calls it, or a word for it: switch, port, router, acl, lsp; `purlin ovn list` tells them all.
    table: String,
    /// Columns of the row.
    #[arg(value_name = "COLUMN=VALUE")]
    fields: Vec<String>,
    /// Where it hangs: TABLE/ROW, or TABLE/ROW/COLUMN where several columns would do.
    #[arg(long, value_name = "TABLE/ROW")]
    parent: Option<String>,
    /// Read columns from a file, `-` for standard input; those given besides win.
    #[arg(long, short = 'f', value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// A table as OVN calls it, or a word for it: switch, port, router, acl, lsp; `purlin ovn list` tells them all.
    table: String,
    /// A UUID, or a name that is unique in the table.
    row: String,
    /// Columns, keys or elements.
    #[arg(required = true, value_name = "COLUMN=VALUE")]
    fields: Vec<String>,
    /// Only if the row still has this ETag; for whole columns.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// A table as OVN calls it, or a word for it: switch, port, router, acl, lsp; `purlin ovn list` tells them all.
    table: String,
    /// UUIDs or names; all of them go, or none.
    #[arg(required = true, value_name = "ROW")]
    rows: Vec<String>,
    /// Only if the row still has this ETag; for one row.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    #[command(flatten)]
    manner: Manner,
}

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Changes, or with --owner a document, in JSON, YAML or TOML; `-` for standard input.
    #[arg(long, short = 'f', value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    manner: Manner,
}

impl Create {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let table = Side::North.table(&self.table)?;
        let mut row = match &self.file {
            Some(file) => read(file)?,
            None => Map::new(),
        };
        let fields = self.fields.iter().map(|text| Field::parse(&table, text));
        row.extend(new_row(&fields.collect::<Result<Vec<_>, _>>()?)?);
        let parent = self.parent.as_deref().map(parent).transpose()?;
        let path = format!("{}/{}", Side::North.path(), encode(&table));
        let path = with_query(&path, &[("parent", &parent.unwrap_or_default())]);
        let ask = |path| Ask::post(path).json(&Value::Object(row));
        self.manner.send(path, ask, context).await
    }
}

impl Set {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let table = Side::North.table(&self.table)?;
        let fields = self.fields.iter().map(|text| Field::parse(&table, text));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let is_whole = |field: &Field| matches!(field, Field::Whole(..));
        if fields.iter().all(is_whole) {
            let path = one(&table, &self.row);
            let columns = Value::Object(new_row(&fields)?);
            let ask = |path| matched(Ask::patch(path).json(&columns), self.if_match.as_deref());
            return self.manner.send(path, ask, context).await;
        }
        if self.if_match.is_some() {
            return Err(Failure::usage(
                "--if-match goes with whole columns",
                "write COLUMN=VALUE, or leave --if-match out: elements of sets and maps do not overwrite each other",
            ));
        }
        let orders: Vec<Value> = fields
            .iter()
            .map(|field| order(&table, &self.row, field))
            .collect();
        changes(&orders, &self.manner, context).await
    }
}

impl Delete {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let table = Side::North.table(&self.table)?;
        if let [row] = self.rows.as_slice() {
            let ask = |path| matched(Ask::delete(path), self.if_match.as_deref());
            return self.manner.send(one(&table, row), ask, context).await;
        }
        if self.if_match.is_some() {
            return Err(Failure::usage(
                "--if-match goes with one row",
                "delete them one by one",
            ));
        }
        let order = |row: &String| json!({ "op": "delete", "table": table, "row": row });
        changes(
            &self.rows.iter().map(order).collect::<Vec<_>>(),
            &self.manner,
            context,
        )
        .await
    }
}

impl Apply {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let text = read_text(&self.file)?;
        apply((&self.file, text), "apply", &self.options, &self.manner, context).await
    }
}

/// Makes the changes of a file, or puts its document into force; the file shows which of the two it is.
pub(super) async fn apply(
    (file, text): (&Path, String),
    verb: &str,
    options: &Options,
    manner: &Manner,
    context: &Context,
) -> Outcome {
    let members = parsed(file, &text)?;
    let Some(orders) = members.get("changes").and_then(Value::as_array) else {
        return document::put((file, text), verb, options, manner, context).await;
    };
    if options.is_said() {
        return Err(Failure::usage(
            "--prune and --adopt are for documents",
            format!("{} is a list of changes", file.display()),
        ));
    }
    changes(orders, manner, context).await
}

async fn changes(orders: &[Value], manner: &Manner, context: &Context) -> Outcome {
    let body = json!({ "changes": orders });
    let ask = |path| Ask::post(path).json(&body);
    manner.send("/api/v1/ovn/changes".to_owned(), ask, context).await
}

fn one(table: &str, row: &str) -> String {
    format!("{}/{}/{}", Side::North.path(), encode(table), encode(row))
}

fn order(table: &str, row: &str, field: &Field) -> Value {
    match field {
        Field::Whole(column, value) => {
            json!({ "op": "update", "table": table, "row": row, "columns": { column: value } })
        }
        Field::Add(column, values) => {
            json!({ "op": "add", "table": table, "row": row, "column": column, "values": values })
        }
        Field::Remove(column, values) => {
            json!({ "op": "remove", "table": table, "row": row, "column": column, "values": values })
        }
    }
}

fn matched(ask: Ask, etag: Option<&str>) -> Ask {
    match etag {
        Some(etag) => ask.if_match(&format!("\"{}\"", etag.trim_matches('"'))),
        None => ask,
    }
}

/// `switch/web` with the table's own name.
fn parent(told: &str) -> Result<String, Failure> {
    let (table, rest) = told.split_once('/').ok_or_else(|| {
        Failure::usage(
            format!("--parent {told} names no row"),
            "write TABLE/ROW, like switch/web",
        )
    })?;
    Ok(format!("{}/{rest}", Side::North.table(table)?))
}

/// An object in any of the forms of a configuration.
pub(super) fn read(path: &Path) -> Result<Map<String, Value>, Failure> {
    parsed(path, &read_text(path)?)
}

/// What a file holds, or standard input for `-`.
pub(super) fn read_text(path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let read = if path.as_os_str() == "-" {
        std::io::stdin().read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|mut file| file.read_to_string(&mut text))
    };
    let failed = |cause| Failure::failed(format!("cannot read {}: {cause}", path.display()), "check --file");
    read.map(|_| text).map_err(failed)
}

/// A text as the API takes it, with its media type. TOML travels as JSON; the others as they are, so that faults are told
/// with the lines of the file.
pub(super) fn format(path: &Path, text: String) -> Result<(&'static str, String), Failure> {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    Ok(match ending {
        "toml" => (
            "application/json",
            Value::Object(parsed(path, &text)?).to_string(),
        ),
        _ if text.trim_start().starts_with('{') => ("application/json", text),
        _ => ("application/yaml", text),
    })
}

fn parsed(path: &Path, text: &str) -> Result<Map<String, Value>, Failure> {
    let name = path.display().to_string();
    // A list of changes without a head is one as well.
    if let Ok(Value::Array(changes)) = serde_json::from_str(text) {
        return Ok(Map::from_iter([("changes".to_owned(), Value::Array(changes))]));
    }
    let mut faults = Faults::new();
    let document = Document::parse([Input::file(&name, text.to_owned())], &mut faults);
    if faults.errors() > 0 {
        let told = faults.to_text(&document, false);
        let details = told.lines().map(str::to_owned).collect();
        return Err(Failure::failed(format!("{name} cannot be read"), "").with_details(details));
    }
    match document.to_json() {
        Value::Object(members) => Ok(members),
        _ => Err(Failure::failed(
            format!("{name} is no object"),
            "see the examples of --help",
        )),
    }
}

impl Manner {
    /// Nothing is written.
    pub(super) fn trial(owner: Option<&str>) -> Self {
        Self {
            dry_run: true,
            wait: None,
            timeout: 10,
            owner: owner.map(str::to_owned),
            force: false,
        }
    }

    pub(super) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    fn path(&self, path: String) -> String {
        let flag = |is: bool| if is { "true" } else { "" };
        let wait = self.wait.and_then(|until| until.to_possible_value());
        let wait = wait.map(|value| value.get_name().to_owned()).unwrap_or_default();
        let timeout = self.wait.map(|_| self.timeout.to_string()).unwrap_or_default();
        let pairs = [
            ("dryRun", flag(self.dry_run)),
            ("wait", &wait),
            ("timeout", &timeout),
            ("owner", self.owner.as_deref().unwrap_or_default()),
            ("force", flag(self.force)),
        ];
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path, None),
        };
        let asked = with_query(&path, &pairs);
        match (query, asked.contains('?')) {
            (None, _) => asked,
            (Some(query), true) => format!("{asked}&{query}"),
            (Some(query), false) => format!("{asked}?{query}"),
        }
    }

    pub(super) async fn send(
        &self,
        path: String,
        ask: impl FnOnce(String) -> Ask,
        context: &Context,
    ) -> Outcome {
        let mut client = context.client()?;
        let patience = Duration::from_secs(self.timeout + 30);
        let ask = ask(self.path(path)).patience(patience);
        let answer = match self.wait {
            None => client.value(ask).await?,
            Some(_) => progress::shown(client.value(ask), context).await?,
        };
        self.show(&answer, context)?;
        let waited_in_vain = self.wait.is_some() && answer["realised"]["done"] == false;
        Ok(if waited_in_vain { Exit::Failed } else { Exit::Ok })
    }

    fn show(&self, answer: &Value, context: &Context) -> Result<(), Failure> {
        match context.form() {
            Form::Table | Form::Wide => {}
            Form::Name => {
                if let Some(uuid) = answer["row"]["_uuid"].as_str() {
                    say!("{uuid}");
                }
                return Ok(());
            }
            form => return output::document(form, answer),
        }
        let paint = Paint::stdout();
        for line in diff::lines(&answer["diff"], paint) {
            say!("{line}");
        }
        for line in self.said(answer, paint) {
            say!("{line}");
        }
        Ok(())
    }

    /// What is to be said below the difference.
    fn said(&self, answer: &Value, paint: Paint) -> Vec<String> {
        let mut lines = Vec::new();
        for warning in answer["warnings"].as_array().into_iter().flatten() {
            let word = |key: &str| warning[key].as_str().unwrap_or_default();
            let text = format!("warning: {}: {}", word("place"), word("message"));
            lines.push(paint.text(Tone::Warning, &text));
        }
        let counts = diff::counts(&answer["diff"]);
        lines.push(match (counts.as_str(), self.dry_run) {
            ("", _) => "nothing is other than before".to_owned(),
            (counts, true) => format!("would be: {counts}"),
            (counts, false) => counts.to_owned(),
        });
        let ports: Vec<&str> = answer["affected"]
            .as_array()
            .map_or_else(Vec::new, |ports| ports.iter().filter_map(Value::as_str).collect());
        if !ports.is_empty() {
            const SHOWN: usize = 8;
            let more = match ports.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named = ports[..ports.len().min(SHOWN)].join(", ");
            lines.push(format!("traffic may change of {named}{more}"));
        }
        lines.extend(realised(&answer["realised"], paint));
        lines
    }
}

/// `on all 3 of 3 hypervisors after 41 ms`.
pub(super) fn realised(realised: &Value, paint: Paint) -> Option<String> {
    let took = realised["milliseconds"]
        .as_f64()
        .map_or_else(String::new, |ms| format!(" after {ms:.0} ms"));
    let chassis = match (realised["chassis_applied"].as_u64(), realised["chassis"].as_u64()) {
        (Some(applied), Some(all)) => format!("; {applied} of {all} hypervisors have it"),
        _ => String::new(),
    };
    if realised["done"] == true {
        let whom = if realised["wait"] == "hv" {
            "the hypervisors have it"
        } else {
            "the flows are written"
        };
        return Some(paint.text(Tone::Good, &format!("{whom}{took}{chassis}")));
    }
    let reason = realised["reason"].as_str()?;
    Some(paint.text(
        Tone::Bad,
        &format!("written, and not done{took}: {reason}{chassis}"),
    ))
}

#[cfg(test)]
mod tests;
