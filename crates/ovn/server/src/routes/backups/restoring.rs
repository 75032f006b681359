//! Rows of a backup, brought back.

use super::may;
use crate::backups::{self, Kind};
use crate::platform::{Platform, new_uuid};
use crate::routes::nb;
use crate::write::write_shown;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::{Operator, Problem};
use purlin_ovn_core::backup::{Options, Policy, Restoration, Selection, restore as restoration};
use purlin_ovn_core::model::{Change, State as Rows};
use purlin_ovn_core::plan::{Expect, Reach};
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Conflicts and rows that an answer names.
const NAMED: usize = 200;

/// How a backup is to be brought back.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Restore {
    dry_run: bool,
    force: bool,
    skip_validation: bool,
    conflict_policy: Policy,
    resource_mapping: BTreeMap<String, String>,
    restore_filter: Selection,
    decryption_key: Option<String>,
    exact: bool,
}

pub(super) async fn restore(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    body: Option<Input<Restore>>,
) -> Result<Json<Value>, Problem> {
    may(&caller)?;
    let wanted = body.map(|Input(wanted)| wanted).unwrap_or_default();
    let shelf = platform.backups()?;
    let head = backups::one(shelf, &name.0).await?;
    if wanted.exact && (head.kind == Kind::Selective || !wanted.restore_filter.is_all()) {
        let detail =
            "exact takes away what the backup lacks, and a selective one lacks what nobody wanted to go";
        return Err(Problem::not_possible(detail));
    }
    if wanted.exact && wanted.conflict_policy == Policy::Rename {
        let detail = "exact takes away what the backup lacks, and rename leaves what is there beside the copies: one of them";
        return Err(Problem::wrong_shape(detail));
    }
    let mut manner = nb::manner(&asked, &caller)?;
    // Rows of all of Purlin's owners; what belongs to other managers is left out before. A tenant's bounds hold anyway.
    manner.reaches(Reach::All);
    manner.about = format!("restore of backup {}", head.name);
    manner.lenient = wanted.skip_validation;
    if wanted.dry_run {
        manner.only_plan();
    }
    let (schema, _) = platform.north().read_live().await?;
    let (content, notes) = backups::content(shelf, &schema, &head, wanted.decryption_key.as_deref()).await?;
    backups::all_known("restore_filter", &content.misses(&schema, &wanted.restore_filter))?;
    let content = content.selected(&schema, &wanted.restore_filter);
    backups::all_known("resource_mapping", &content.unmapped(&wanted.resource_mapping))?;
    let options = Options {
        policy: wanted.conflict_policy,
        mapping: wanted.resource_mapping,
        exact: wanted.exact,
        foreign: caller.tenant.is_none() && (wanted.force || asked.flag("force")?),
        server: wanted.restore_filter.tables.clone(),
    };
    let done: Mutex<Restoration> = Mutex::default();
    let wish = |state: &Rows<'_>| -> Result<(Vec<Change>, Vec<Expect>), Problem> {
        let mut broken = None;
        let mut uuids = || {
            new_uuid().unwrap_or_else(|problem| {
                broken = Some(problem);
                Uuid::ZERO
            })
        };
        let mut found = restoration(state, &content, &options, &mut uuids);
        if let Some(problem) = broken {
            return Err(problem);
        }
        if !found.conflicts.is_empty() {
            return Err(in_the_way(&found));
        }
        let changes = std::mem::take(&mut found.changes);
        *done.lock().expect("nobody panics while holding it") = found;
        Ok((changes, Vec::new()))
    };
    let answer = write_shown(&platform, &manner, |_: &Rows<'_>| None, wish).await?;
    let done = done.into_inner().expect("nobody panics while holding it");
    Ok(Json(restored(answer, &done, notes)))
}

fn in_the_way(found: &Restoration) -> Problem {
    let many = found.conflicts.len();
    let first: Vec<&String> = found.conflicts.iter().take(NAMED).collect();
    let detail = format!(
        "{many} rows are there already and differ: {}; conflict_policy says what becomes of them: skip, overwrite, rename",
        found.conflicts[0]
    );
    Problem::not_possible(detail)
        .with("success", json!(false))
        .with("restored_count", json!(0))
        .with("skipped_count", json!(0))
        .with("error_count", json!(many))
        .with("errors", json!(first))
}

fn restored(mut answer: Value, done: &Restoration, mut notes: Vec<String>) -> Value {
    notes.extend(done.warnings.iter().cloned());
    let words = answer["warnings"].as_array().into_iter().flatten();
    notes.extend(words.map(|warning| {
        let text = |name: &str| warning[name].as_str().unwrap_or_default();
        format!("{}: {}", text("place"), text("message"))
    }));
    let rows = answer["diff"].as_array().into_iter().flatten();
    let details = rows.take(NAMED).map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        format!("{} {} {}", text("change"), text("table"), text("label"))
    });
    let details: Vec<String> = details.collect();
    answer["details"] = json!(details);
    answer["success"] = json!(true);
    answer["restored_count"] = json!(done.restored);
    answer["skipped_count"] = json!(done.skipped);
    answer["error_count"] = json!(0);
    answer["errors"] = json!([]);
    answer["warnings"] = json!(notes);
    answer
}
