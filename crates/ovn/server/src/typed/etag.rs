//! ETags of objects: `ROW.SHOWN`, where `ROW` stands for what is written in the row and its children, and `SHOWN` for all
//! that the object shows.
//!
//! A change is conditional on the first part only, so that a port that comes up fails no write; a read that is
//! conditional on the whole sees that it came up.

use super::{Kind, Of};
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_api::asked::{Preconditions, etag_of};
use purlin_ovn_core::model::{State, etag};
use purlin_ovn_core::plan::Expect;
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};

/// The header of an object, with its quotes.
pub(crate) fn header(written: &str, shown: &Value) -> String {
    format!("\"{written}.{}\"", etag_of(shown).trim_matches('"'))
}

/// The rows that an object is written in, with the ETag of each.
fn rows(state: &State<'_>, kind: &Kind, uuid: Uuid) -> Vec<(&'static str, Uuid, String)> {
    let own = std::iter::once((kind.table, uuid));
    let children = kind.fields.iter().filter_map(|field| match field.of {
        Of::Children { table, column, .. } => Some((table, column)),
        _ => None,
    });
    let children = children.flat_map(|(table, column)| {
        let targets = state.targets(kind.table, uuid, column).into_iter();
        targets.map(move |child| (table, child))
    });
    own.chain(children)
        .filter_map(|(table, row)| Some((table, row, etag(state, table, row)?)))
        .collect()
}

/// What stands for all that is written in an object.
pub(crate) fn written(state: &State<'_>, kind: &Kind, uuid: Uuid) -> Option<String> {
    let rows = rows(state, kind, uuid);
    match rows.as_slice() {
        [] => None,
        [(_, _, own)] => Some(own.clone()),
        many => {
            let tags: Vec<&str> = many.iter().map(|(_, _, tag)| tag.as_str()).collect();
            Some(etag_of(&json!(tags)).trim_matches('"').to_owned())
        }
    }
}

/// `If-Match`: what the transaction must find so.
pub(crate) fn expected(
    state: &State<'_>,
    kind: &Kind,
    uuid: Uuid,
    conditions: &Preconditions,
) -> Result<Vec<Expect>, Problem> {
    let Some(tags) = conditions.tags() else {
        return Ok(Vec::new());
    };
    let present = written(state, kind, uuid);
    let present = present.ok_or_else(|| Problem::no_such(kind.one, &uuid.to_string()))?;
    let is_meant = |tag: &String| {
        let tag = tag.trim_matches('"');
        tag.split_once('.').map_or(tag, |(written, _)| written) == present
    };
    if !tags.iter().any(is_meant) {
        let detail = format!(
            "If-Match names {}, but the {} has been changed since: it is at \"{present}\"",
            tags.join(", "),
            kind.one
        );
        return Err(Problem::new(
            StatusCode::PRECONDITION_FAILED,
            &purlin_api::reasons::CHANGED_MEANWHILE,
            detail,
        ));
    }
    let expect = |(table, uuid, etag): (&str, Uuid, String)| Expect::Etag {
        table: table.to_owned(),
        uuid,
        etag,
    };
    Ok(rows(state, kind, uuid).into_iter().map(expect).collect())
}
