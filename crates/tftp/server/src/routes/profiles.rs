//! `/api/v1/boot/profiles`: the list `boot.profiles` of the configuration document, in its order.
//!
//! ```text
//!   GET     the profile's own part of the document
//!   POST    appends, or puts first      PUT replaces      PATCH merges (RFC 7396)      DELETE removes
//!           each a new revision: all faults, If-Match, dryRun, undo
//! ```

mod document;
mod routes;

pub(super) use routes::drafts;

use super::Desk;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use document::{Object, find, home, merge, name_of, profiles, refuse_null};
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Preconditions, etag_of, etag_of_revision};
use purlin_api::revisions::Note;
use purlin_api::{Problem, reasons};
use serde_json::Value;

const WORD: &str = "boot profile";

/// What a write shall do.
enum Verb {
    Replace(Object),
    Merge(Object),
    Remove,
}

fn list(desk: &Desk, asked: &Asked) -> Result<Value, Problem> {
    let config = desk.revisions.current().config;
    asked.page_of_all(profiles(&config).to_vec())
}

fn one(desk: &Desk, name: &str) -> Result<Response, Problem> {
    let config = desk.revisions.current().config;
    let at = find(&config, name).ok_or_else(|| Problem::no_such(WORD, name))?;
    let own = &profiles(&config)[at];
    let tag = HeaderValue::try_from(etag_of(own)).expect("hexadecimal digits in quotes are a header");
    Ok(([(header::ETAG, tag)], axum::Json(own.clone())).into_response())
}

async fn create(desk: &Desk, caller: &Caller, asked: &Asked, profile: Object) -> Result<Response, Problem> {
    refuse_null(&profile)?;
    let name = wanted_name(&profile)?;
    let first = asked.flag("first")?;
    let note = Note::api(&caller.name, format!("added {WORD} {name}"), asked.dry_run()?);
    let shown = Value::Object(profile);
    let added = shown.clone();
    let (change, ()) = desk
        .revisions
        .edit(note, |config, _| {
            if find(config, &name).is_some() {
                return Err(Problem::already_there(WORD, &name));
            }
            let list = home(config)?;
            let at = if first { 0 } else { list.len() };
            list.insert(at, added);
            Ok(())
        })
        .await?;
    Ok(change.respond(StatusCode::CREATED, Some(shown)))
}

async fn write(
    desk: &Desk,
    caller: &Caller,
    asked: &Asked,
    preconditions: &Preconditions,
    name: &str,
    verb: Verb,
) -> Result<Response, Problem> {
    let done = match verb {
        Verb::Remove => "removed",
        Verb::Replace(_) | Verb::Merge(_) => "changed",
    };
    let note = Note::api(&caller.name, format!("{done} {WORD} {name}"), asked.dry_run()?);
    let (change, shown) = desk
        .revisions
        .edit(note, |config, revision| {
            let at = find(config, name).ok_or_else(|| Problem::no_such(WORD, name))?;
            let own = profiles(config)[at].clone();
            preconditions.check(&[etag_of(&own), etag_of_revision(revision)])?;
            let profile = match verb {
                Verb::Remove => {
                    home(config)?.remove(at);
                    return Ok(own);
                }
                Verb::Replace(profile) => profile,
                Verb::Merge(patch) => {
                    let mut profile = own.as_object().cloned().unwrap_or_default();
                    merge(&mut profile, patch);
                    profile
                }
            };
            refuse_null(&profile)?;
            let called = wanted_name(&profile)?;
            if find(config, &called).is_some_and(|other| other != at) {
                return Err(Problem::already_there(WORD, &called));
            }
            let profile = Value::Object(profile);
            home(config)?[at] = profile.clone();
            Ok(profile)
        })
        .await?;
    Ok(change.respond(StatusCode::OK, Some(shown)))
}

fn wanted_name(profile: &Object) -> Result<String, Problem> {
    let name = name_of(profile).map(str::to_owned);
    name.ok_or_else(|| shape("a boot profile needs a name"))
}

fn shape(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::WRONG_SHAPE, detail)
}
