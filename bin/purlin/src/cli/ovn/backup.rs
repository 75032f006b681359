//! `purlin ovn backup`: every table of the northbound as it was at one moment, and the way back.

use super::template::all;
use super::write::{Manner, read_text};
use crate::cli::{Context, ListArgs};
use crate::client::{Ask, Client, encode, with_query};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Column, Form, Kind, Paint, Show, Tone};
use clap::{Args, Subcommand};
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

const CREATE_EXAMPLES: &str = "Examples:
  purlin ovn backup create nightly --compress
  purlin ovn backup create hourly --type incremental
  purlin ovn backup create shop --owned-by shop --tag before-move
  purlin ovn backup create vault --key-file key.txt      encrypted; without that file nobody reads it again";

const RESTORE_EXAMPLES: &str = "Examples:
  purlin ovn backup restore nightly --dry-run
  purlin ovn backup restore nightly --conflict overwrite --wait hv
  purlin ovn backup restore nightly --exact              rows that the backup lacks go: all is as it was
  purlin ovn backup restore nightly --table Logical_Switch --name web --map web=lab

A restore is one transaction, and can be undone: `purlin ovn undo`.";

const BASE: &str = "/api/v1/backups";

const BACKUPS: Kind = Kind {
    plural: "backups",
    name: "id",
    columns: &[
        Column::new("ID", "id", Show::Text),
        Column::new("NAME", "name", Show::Text),
        Column::new("TYPE", "type", Show::Text),
        Column::new("CREATED", "created_at", Show::Time),
        Column::new("BY", "created_by", Show::Text),
        Column::new("ROWS", "rows", Show::Number),
        Column::new("SIZE", "size", Show::Number),
        Column::new("ENCRYPTED", "encrypted", Show::Text),
        Column::wide("BASE", "base", Show::Text),
        Column::wide("TAGS", "tags", Show::Text),
        Column::wide("CHECKSUM", "checksum", Show::Text),
    ],
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Back the northbound up, as it is at this moment.
    #[command(after_help = CREATE_EXAMPLES)]
    Create(Create),
    /// List backups.
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  purlin ovn backup list
  purlin ovn backup ls --filter type=full -o name"
    )]
    List(ListArgs),
    /// Bring rows of a backup back, as one guarded transaction.
    #[command(after_help = RESTORE_EXAMPLES)]
    Restore(Restore),
    /// Read a whole backup, and say whether it is good.
    #[command(after_help = "Examples:
  purlin ovn backup verify nightly
  purlin ovn backup verify vault --key-file key.txt

Ends with 1 when it is not.")]
    Verify {
        /// Its id, or a name that only one has.
        backup: String,
        #[command(flatten)]
        key: Key,
    },
    /// Write a backup to standard output, for `import` or for OVN's own tools.
    #[command(after_help = "Examples:
  purlin ovn backup export nightly > nightly.json
  purlin ovn backup export nightly --ovsdb > nb.db     for ovsdb-client restore and ovsdb-tool")]
    Export {
        /// Its id, or a name that only one has.
        backup: String,
        /// In the format of `ovsdb-client backup`.
        #[arg(long)]
        ovsdb: bool,
    },
    /// Forget backups.
    #[command(
        visible_alias = "rm",
        after_help = "Examples:
  purlin ovn backup delete nightly"
    )]
    Delete {
        /// Ids, or names that only one has.
        #[arg(required = true)]
        backups: Vec<String>,
    },
}

/// What opens an encrypted backup.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// File with the key of an encrypted backup, `-` for standard input: on a command line others would see it.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Which rows.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// Only rows of this table, and what hangs on them; may be repeated.
    #[arg(long = "table", value_name = "TABLE")]
    tables: Vec<String>,
    /// Only rows of this name; may be repeated.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Only rows of this owner.
    #[arg(long, value_name = "OWNER")]
    owned_by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What it is called.
    name: String,
    /// full, or incremental: only what differs from the newest full one.
    #[arg(long = "type", value_parser = ["full", "incremental"], default_value = "full", value_name = "TYPE")]
    kind: String,
    #[command(flatten)]
    selection: Selection,
    /// For whoever reads the list.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// A word to find it by; may be repeated.
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
    /// Pack it.
    #[arg(long)]
    compress: bool,
    /// Encrypt it with the key in this file, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// Its id, or a name that only one has.
    backup: String,
    /// What becomes of rows that are there and differ.
    #[arg(long, value_parser = ["error", "skip", "overwrite", "rename"], default_value = "error", value_name = "POLICY")]
    conflict: String,
    /// Rows that the backup lacks go.
    #[arg(long)]
    exact: bool,
    /// Bring a row back under another name; may be repeated.
    #[arg(long = "map", value_name = "NAME=NEW")]
    mapping: Vec<String>,
    /// Bring rows back as they were, whatever is wrong with them.
    #[arg(long)]
    skip_validation: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    manner: Manner,
}

pub(super) async fn run(command: &Command, context: &Context) -> Outcome {
    let mut client = context.client()?;
    match command {
        Command::Create(create) => create.run(&mut client, context).await,
        Command::List(args) => {
            let backups = all(&mut client, BASE, "backups").await?;
            output::list(&context.list_view(args), BACKUPS, &backups)?;
            Ok(Exit::Ok)
        }
        Command::Restore(restore) => restore.run(&mut client, context).await,
        Command::Verify { backup, key } => verify(&mut client, backup, key, context).await,
        Command::Export { backup, ovsdb } => {
            let id = id(&mut client, backup).await?;
            let form = if *ovsdb { "ovsdb" } else { "" };
            let path = with_query(&format!("{BASE}/{}/export", encode(&id)), &[("format", form)]);
            let answer = client.answer(Ask::get(path).accept("*/*")).await?;
            let mut out = output::stdout();
            out.write_all(&answer.body)?;
            out.flush()?;
            Ok(Exit::Ok)
        }
        Command::Delete { backups } => {
            for backup in backups {
                let id = id(&mut client, backup).await?;
                client
                    .answer(Ask::delete(format!("{BASE}/{}", encode(&id))))
                    .await?;
                say!("backup {backup} is forgotten");
            }
            Ok(Exit::Ok)
        }
    }
}

/// The id of the backup that is meant.
async fn id(client: &mut Client, word: &str) -> Result<String, Failure> {
    if Uuid::parse(word).is_some() {
        return Ok(word.to_owned());
    }
    let known = all(client, BASE, "backups").await?;
    let of_name = |backup: &&Value| backup["name"] == word;
    let ids: Vec<&str> = known
        .iter()
        .filter(of_name)
        .filter_map(|backup| backup["id"].as_str())
        .collect();
    match ids.as_slice() {
        [one] => Ok((*one).to_owned()),
        [] => Err(Failure::new(
            Exit::NotFound,
            format!("there is no backup {word:?}"),
            "purlin ovn backup list",
        )),
        several => Err(Failure::usage(
            format!("{} backups are called {word:?}", several.len()),
            format!("name one by its id: {}", several.join(", ")),
        )),
    }
}

/// The first line of a key's file.
fn key(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(file) = file else {
        return Ok(None);
    };
    let text = read_text(file)?;
    let key = text.lines().next().unwrap_or_default().to_owned();
    match key.is_empty() {
        false => Ok(Some(key)),
        true => Err(Failure::usage(
            format!("{} has no key", file.display()),
            "the first line is the key",
        )),
    }
}

impl Selection {
    fn body(&self) -> Value {
        json!({ "tables": self.tables, "names": self.names, "owner": self.owned_by })
    }

    fn is_said(&self) -> bool {
        !self.tables.is_empty() || !self.names.is_empty() || self.owned_by.is_some()
    }
}

impl Create {
    async fn run(&self, client: &mut Client, context: &Context) -> Outcome {
        let key = key(self.key_file.as_deref())?;
        let kind = match (self.kind.as_str(), self.selection.is_said()) {
            ("incremental", true) => {
                return Err(Failure::usage(
                    "an incremental backup has all that differs",
                    "leave --table, --name and --owned-by out, or --type",
                ));
            }
            (_, true) => "selective",
            (kind, false) => kind,
        };
        let mut body = json!({
            "name": self.name,
            "type": kind,
            "description": self.description.as_deref().unwrap_or_default(),
            "compress": self.compress,
            "encrypt": key.is_some(),
            "encryption_key": key,
            "tags": self.tags,
        });
        if kind == "selective" {
            body["resource_filter"] = self.selection.body();
        }
        let made = client.value(Ask::post(BASE).json(&body)).await?;
        match context.form() {
            Form::Table | Form::Wide => say!("{}", made["id"].as_str().unwrap_or_default()),
            _ => output::one(&context.view(), BACKUPS, &made)?,
        }
        Ok(Exit::Ok)
    }
}

impl Restore {
    async fn run(&self, client: &mut Client, context: &Context) -> Outcome {
        let id = id(client, &self.backup).await?;
        let mut mapping = serde_json::Map::new();
        for pair in &self.mapping {
            let (name, new) = pair
                .split_once('=')
                .ok_or_else(|| Failure::usage(format!("--map {pair} names no new name"), "write NAME=NEW"))?;
            mapping.insert(name.to_owned(), json!(new));
        }
        let body = json!({
            "conflict_policy": self.conflict,
            "exact": self.exact,
            "resource_mapping": mapping,
            "skip_validation": self.skip_validation,
            "restore_filter": self.selection.body(),
            "decryption_key": key(self.key.key_file.as_deref())?,
        });
        let path = format!("{BASE}/{}/restore", encode(&id));
        self.manner
            .send(path, |path| Ask::post(path).json(&body), context)
            .await
    }
}

async fn verify(client: &mut Client, backup: &str, held: &Key, context: &Context) -> Outcome {
    let id = id(client, backup).await?;
    let body = json!({ "backup_id": id, "decryption_key": key(held.key_file.as_deref())? });
    let told = client
        .value(Ask::post(format!("{BASE}/validate")).json(&body))
        .await?;
    let exit = if told["valid"] == true {
        Exit::Ok
    } else {
        Exit::Failed
    };
    if !matches!(context.form(), Form::Table | Form::Wide) {
        output::document(context.form(), &told)?;
        return Ok(exit);
    }
    let paint = Paint::stdout();
    for (name, tone) in [("warnings", Tone::Warning), ("errors", Tone::Bad)] {
        for text in told[name]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            say!("{}", paint.text(tone, text));
        }
    }
    let rows = told["rows"]
        .as_u64()
        .map_or_else(String::new, |rows| format!(": {rows} rows"));
    match exit {
        Exit::Ok => say!("{}", paint.text(Tone::Good, &format!("{backup} is whole{rows}"))),
        _ => say!("{}", paint.text(Tone::Bad, &format!("{backup} is not good"))),
    }
    Ok(exit)
}
