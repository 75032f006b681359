//! Documents: what an owner wants of the network. `purlin ovn plan`, `drift`, `export`; `apply` is in `write`.

use super::diff;
use super::write::{Manner, format, read_text};
use crate::cli::{Context, ListArgs, paging};
use crate::client::{Ask, Client, encode, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use clap::Args;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(super) const PLAN_EXAMPLES: &str = "Examples:
  purlin ovn plan -f shop.yaml --owner shop          what applying the document would change
  purlin ovn plan -f shop.yaml --owner shop --prune  rows of shop that it does not name would go, too
  purlin ovn plan -f changes.yaml                    the same for a file of changes
  generate | purlin ovn plan -f - --owner shop -o json

The files are those of `purlin ovn apply`. Nothing is written.";

pub(super) const DRIFT_EXAMPLES: &str = "Examples:
  purlin ovn drift                 every owner with a document in force
  purlin ovn drift shop            what applying the document again would change
  purlin ovn drift shop -o json

Ends with 1 when something is not as its document says.";

pub(super) const EXPORT_EXAMPLES: &str = "Examples:
  purlin ovn export shop > shop.yaml
  purlin ovn export purlin -o json";

const BASE: &str = "/api/v1/ovn/documents";
/// The route that only says what would be.
const PLAN: &str = "plan";

const OWNERS: Kind = Kind {
    plural: "documents in force",
    name: "owner",
    columns: &[
        Column::new("OWNER", "owner", Show::Text),
        Column::new("DRIFTED", "drifted", Show::Text),
        Column::new("MISSING", "missing_count", Show::Number),
        Column::new("DIFFERENT", "different_count", Show::Number),
        Column::new("EXTRA", "extra_count", Show::Number),
        Column::new("APPLIED", "applied_at", Show::Time),
        Column::new("BY", "applied_by", Show::Text),
    ],
};

/// How a document is put into force.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Of a document: rows of its owner that it does not name go.
    #[arg(long)]
    pub(super) prune: bool,
    /// Of a document: rows without an owner that it names become its owner's.
    #[arg(long)]
    pub(super) adopt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// The document or the changes; `-` for standard input.
    #[arg(long, short = 'f', value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Whose document it is.
    #[arg(long, value_name = "OWNER")]
    pub(super) owner: Option<String>,
    #[command(flatten)]
    pub(super) options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Drift {
    /// Only this owner, with every difference.
    owner: Option<String>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Whose rows.
    owner: String,
}

impl Options {
    pub(super) fn is_said(&self) -> bool {
        self.prune || self.adopt
    }
}

/// Puts the document of a file into force, or shows what that would change.
pub(super) async fn put(
    (file, text): (&Path, String),
    verb: &str,
    options: &Options,
    manner: &Manner,
    context: &Context,
) -> Outcome {
    let Some(owner) = manner.owner() else {
        let what = format!(
            "{} has no list `changes`, and nothing says whose document it is",
            file.display()
        );
        return Err(Failure::usage(
            what,
            "add --owner NAME, or see 'purlin ovn apply --help' for changes",
        ));
    };
    let flag = |is: bool| if is { "true" } else { "" };
    let path = format!("{BASE}/{}/{verb}", encode(owner));
    let path = with_query(
        &path,
        &[("prune", flag(options.prune)), ("adopt", flag(options.adopt))],
    );
    let (kind, text) = format(file, text)?;
    // A plan takes no parameters of a write: whoever may read may ask for it.
    let bare = (verb == PLAN).then(|| path.clone());
    let ask = |path| Ask::post(bare.unwrap_or(path)).text(kind, text);
    manner.send(path, ask, context).await
}

impl Plan {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let text = read_text(&self.file)?;
        let manner = Manner::trial(self.owner.as_deref());
        super::write::apply((&self.file, text), PLAN, &self.options, &manner, context).await
    }
}

impl Drift {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let mut client = context.client()?;
        match &self.owner {
            Some(owner) => one(&mut client, owner, context).await,
            None => all(&mut client, &self.list, context).await,
        }
    }
}

async fn ask(client: &mut Client, owner: &str) -> Result<Value, Failure> {
    client
        .value(Ask::get(format!("{BASE}/{}/drift", encode(owner))))
        .await
}

async fn one(client: &mut Client, owner: &str, context: &Context) -> Outcome {
    let told = ask(client, owner).await?;
    let exit = if told["drifted"] == true {
        Exit::Failed
    } else {
        Exit::Ok
    };
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &told)?;
        return Ok(exit);
    }
    let paint = Paint::stdout();
    for line in diff::lines(&told["diff"], paint) {
        say!("{line}");
    }
    say!("{}", verdict(&told, paint));
    Ok(exit)
}

/// `shop has drifted from its document: 1 missing, 2 different`.
fn verdict(told: &Value, paint: Paint) -> String {
    let owner = told["owner"].as_str().unwrap_or_default();
    let counts = ["missing", "different", "extra"].map(|word| (count(told, word), word));
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match told["drifted"] == true {
        true => {
            let text = format!("{owner} has drifted from its document: {}", parts.join(", "));
            paint.text(Tone::Bad, &text)
        }
        false => paint.text(Tone::Good, &format!("{owner} is as its document says")),
    }
}

fn count(told: &Value, word: &str) -> usize {
    told[word].as_array().map_or(0, Vec::len)
}

async fn all(client: &mut Client, args: &ListArgs, context: &Context) -> Outcome {
    let kept = paging::newest(client, BASE, &[], usize::MAX).await?;
    let mut rows = Vec::new();
    for owner in kept.iter().filter_map(|row| row["owner"].as_str()) {
        let mut told = ask(client, owner).await?;
        for word in ["missing", "different", "extra"] {
            told[format!("{word}_count")] = json!(count(&told, word));
        }
        rows.push(told);
    }
    rows.sort_by(|a, b| a["owner"].as_str().cmp(&b["owner"].as_str()));
    output::list(&context.list_view(args), OWNERS, &rows)?;
    let drifted = rows.iter().any(|row| row["drifted"] == true);
    Ok(if drifted { Exit::Failed } else { Exit::Ok })
}

impl Export {
    pub(super) async fn run(&self, context: &Context) -> Outcome {
        let path = format!("{BASE}/{}/export", encode(&self.owner));
        let mut client = context.client()?;
        if context.form() == Form::Json {
            output::document(Form::Json, &client.value(Ask::get(path)).await?)?;
            return Ok(Exit::Ok);
        }
        // As the node writes it: with what belongs together beside each other.
        let path = with_query(&path, &[("format", "yaml")]);
        let answer = client.answer(Ask::get(path).accept("*/*")).await?;
        let mut out = output::stdout();
        out.write_all(&answer.body)?;
        out.flush()?;
        Ok(Exit::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_told_in_one_line() {
        let told = json!({ "owner": "shop", "drifted": true, "missing": ["ACL x"], "different": [], "extra": ["a", "b"] });
        assert_eq!(
            verdict(&told, Paint::off()),
            "shop has drifted from its document: 1 missing, 2 extra"
        );
        let told = json!({ "owner": "shop", "drifted": false });
        assert_eq!(verdict(&told, Paint::off()), "shop is as its document says");
    }
}
