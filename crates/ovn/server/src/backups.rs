//! Backups of the northbound: all tables, in the node's records.
//!
//! ```text
//!   rows ─► JSON or YAML ─► gzip? ─► sealed? ─► SHA-256 ─► ovn_backup (what it is), ovn_backup_data (pieces of 256 KiB)
//! ```

mod payload;
mod pieces;
pub(crate) mod sealed;
mod shelf;

pub(crate) use pieces::{delete, keep, stored};
pub(crate) use shelf::{QUOTA, Shelf, all, count, one};

use crate::history::History;
use crate::journal::new_id;
use crate::reasons;
use axum::http::StatusCode;
use payload::{MARK, pack, payload};
use purlin_api::Problem;
use purlin_ovn_core::backup::{Content, Selection};
use purlin_ovn_core::model::State;
use purlin_ovn_core::tenant::tenant_of;
use purlin_ovsdb::{DatabaseSchema, Uuid};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const HEADS: &str = "ovn_backup";
/// Rows of one table that are written as YAML: our own reader takes so many keys.
const YAML_MAX: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    #[default]
    Full,
    Incremental,
    Selective,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    #[default]
    Json,
    Yaml,
}

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) format: Format,
    /// Of the form of the payload.
    pub(crate) version: u32,
    /// Of the database's schema.
    pub(crate) schema: String,
    pub(crate) created_at: String,
    pub(crate) created_by: String,
    /// Octets as it is kept.
    pub(crate) size: usize,
    /// SHA-256 of these.
    pub(crate) checksum: String,
    pub(crate) compressed: bool,
    pub(crate) encrypted: bool,
    /// The full backup that an incremental one builds on.
    #[serde(default)]
    pub(crate) base: Option<String>,
    /// Rows that it has, or that differ from its base.
    pub(crate) rows: usize,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// The tenant whose rows it has, and whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
}

/// What is asked of a new one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(rename = "type", default)]
    pub(crate) kind: Kind,
    #[serde(default)]
    pub(crate) format: Format,
    #[serde(default)]
    pub(crate) compress: bool,
    #[serde(default)]
    pub(crate) encrypt: bool,
    pub(crate) encryption_key: Option<String>,
    /// Opens the base of an incremental one, when that is encrypted with another key.
    pub(crate) decryption_key: Option<String>,
    /// The base of an incremental one; the newest full one when absent.
    pub(crate) base: Option<String>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    pub(crate) resource_filter: Selection,
}

fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::BAD_DOCUMENT, detail)
}

/// Refuses a member of a body with words that mean no row.
pub(crate) fn all_known(member: &str, faults: &[String]) -> Result<(), Problem> {
    match faults {
        [] => Ok(()),
        faults => Err(Problem::wrong_shape(format!("{member}: {}", faults.join("; ")))),
    }
}

pub(crate) fn checksum(octets: &[u8]) -> String {
    let sum = digest(&SHA256, octets);
    sum.as_ref().iter().map(|octet| format!("{octet:02x}")).collect()
}

async fn any(history: &History, id: &str) -> Result<Head, Problem> {
    let missing = || Problem::no_such("backup", id);
    let key = Uuid::parse(id).ok_or_else(missing)?;
    let row = history
        .ledger
        .get(HEADS, key.as_bytes().to_vec())
        .await?
        .ok_or_else(missing)?;
    serde_json::from_slice(&row).map_err(|cause| Problem::broken(format!("backup {id}: {cause}")))
}

/// A backup of the rows as they are; nothing is kept yet.
pub(crate) async fn take(
    shelf: Shelf<'_>,
    state: &State<'_>,
    wanted: &Wanted,
    caller: &str,
) -> Result<(Head, Vec<u8>), Problem> {
    if wanted.name.trim().is_empty() {
        return Err(Problem::wrong_shape("name: a backup has a name"));
    }
    match (wanted.encrypt, &wanted.encryption_key) {
        (true, None) => {
            return Err(Problem::wrong_shape(
                "encryption_key is missing: encrypt needs one",
            ));
        }
        (false, Some(_)) => {
            return Err(Problem::wrong_shape(
                "encryption_key without encrypt: say encrypt=true, or leave it out",
            ));
        }
        _ => {}
    }
    if wanted.kind != Kind::Selective && !wanted.resource_filter.is_all() {
        return Err(Problem::wrong_shape("resource_filter belongs to type=selective"));
    }
    let schema = state.schema();
    let mut now = Content::of(state);
    if let Some(tenant) = shelf.tenant {
        // What is only shared with it is not its to keep.
        now.rows.retain(|(table, uuid), _| {
            tenant_of(state, table, *uuid).as_deref() == Some(tenant.tenant.as_str())
        });
    }
    all_known("resource_filter", &now.misses(schema, &wanted.resource_filter))?;
    let now = now.selected(schema, &wanted.resource_filter);
    let history = shelf.history;
    let (tables, base) = match wanted.kind {
        Kind::Full | Kind::Selective => (now.to_json(), None),
        Kind::Incremental => {
            let key = wanted
                .decryption_key
                .as_deref()
                .or(wanted.encryption_key.as_deref());
            let base = base(shelf, wanted.base.as_deref()).await?;
            let (earlier, _) = content(shelf, schema, &base, key).await?;
            (now.since(&earlier), Some(base.id))
        }
    };
    let rows = tables.as_object().into_iter().flatten();
    let rows = rows
        .map(|(_, rows)| rows.as_object().map_or(0, serde_json::Map::len))
        .sum();
    if wanted.format == Format::Yaml && most(&tables) > YAML_MAX {
        let detail = format!("a table has more than {YAML_MAX} rows: YAML is for people, say format=json");
        return Err(Problem::not_possible(detail));
    }
    let id = new_id().map_err(|error| Problem::broken(format!("asking for random numbers: {error}")))?;
    let payload = json!({ "backup": MARK, "version": 1, "database": schema.name, "schema": schema.version, "base": base, "tables": tables });
    let stored = pack(payload, wanted).await?;
    let head = Head {
        id: id.to_string(),
        name: wanted.name.clone(),
        description: wanted.description.clone(),
        kind: wanted.kind,
        format: wanted.format,
        version: 1,
        schema: schema.version.clone(),
        created_at: history.clock.text(),
        created_by: caller.to_owned(),
        size: stored.len(),
        checksum: checksum(&stored),
        compressed: wanted.compress,
        encrypted: wanted.encrypt,
        base,
        rows,
        tags: wanted.tags.clone(),
        tenant: shelf.tenant.map(|tenant| tenant.tenant.clone()),
    };
    Ok((head, stored))
}

/// Rows of the largest table.
fn most(tables: &Value) -> usize {
    let tables = tables.as_object().into_iter().flatten();
    tables
        .map(|(_, rows)| rows.as_object().map_or(0, serde_json::Map::len))
        .max()
        .unwrap_or(0)
}

async fn base(shelf: Shelf<'_>, wanted: Option<&str>) -> Result<Head, Problem> {
    let found = match wanted {
        Some(id) => Some(one(shelf, id).await?),
        None => all(shelf)
            .await?
            .into_iter()
            .find(|head| head.kind == Kind::Full && shelf.tenant.is_some() == head.tenant.is_some()),
    };
    match found {
        Some(head) if head.kind == Kind::Full => Ok(head),
        Some(head) => Err(Problem::not_possible(format!(
            "{} is no full backup: an incremental one builds on such",
            head.name
        ))),
        None => Err(Problem::not_possible(
            "there is no full backup that an incremental one could build on",
        )),
    }
}

/// The rows of a backup, those of its base included; and what this database's schema does not have.
pub(crate) async fn content(
    shelf: Shelf<'_>,
    schema: &DatabaseSchema,
    head: &Head,
    key: Option<&str>,
) -> Result<(Content, Vec<String>), Problem> {
    let mut chain = vec![head.clone()];
    if let Some(base) = &head.base {
        chain.insert(0, one(shelf, base).await?);
    }
    let (mut content, mut warnings) = (Content::default(), Vec::new());
    for head in &chain {
        let payload = payload(stored(shelf.history, head).await?, key).await?;
        let read = content.read(schema, &payload["tables"]);
        warnings
            .extend(read.map_err(|why| refused(format!("the backup {} cannot be read: {why}", head.name)))?);
    }
    Ok((content, warnings))
}

/// What a backup says of itself, as far as it can be looked into.
pub(crate) async fn described(stored: Vec<u8>, key: Option<&str>) -> Result<Head, Problem> {
    let plain = String::from_utf8_lossy(&stored[..stored.len().min(64)])
        .trim_start()
        .to_owned();
    let compressed = stored.starts_with(&[0x1f, 0x8b]);
    let payload = payload(stored, key).await?;
    let base = payload["base"].as_str().map(str::to_owned);
    let rows = payload["tables"].as_object().into_iter().flatten();
    Ok(Head {
        id: String::new(),
        name: "imported".to_owned(),
        description: String::new(),
        kind: if base.is_some() {
            Kind::Incremental
        } else {
            Kind::Full
        },
        format: if plain.starts_with('b') {
            Format::Yaml
        } else {
            Format::Json
        },
        version: 1,
        schema: payload["schema"].as_str().unwrap_or_default().to_owned(),
        created_at: String::new(),
        created_by: String::new(),
        size: 0,
        checksum: String::new(),
        compressed,
        encrypted: false,
        base,
        rows: rows
            .map(|(_, rows)| rows.as_object().map_or(0, serde_json::Map::len))
            .sum(),
        tags: Vec::new(),
        tenant: None,
    })
}
