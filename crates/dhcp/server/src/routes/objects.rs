//! Subnets, pools, reservations and classes: four views of the configuration document with the same verbs.
//!
//! ```text
//!   GET     the object's own part of the document, with what is known about it (id, subnet, utilization)
//!   POST    appends      PUT replaces      PATCH merges (RFC 7396)      DELETE removes
//!           each a new revision: all faults, If-Match, dryRun, undo
//! ```

mod noun;
mod place;
mod routes;

pub(super) use noun::IDENTIFIERS;
pub(super) use routes::drafts;

use super::Desk;
use crate::Usage;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use noun::Noun;
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Preconditions, etag_of, etag_of_revision};
use purlin_api::revisions::Note;
use purlin_api::{Problem, reasons};
use purlin_dhcp_core::view::{PoolUse, SubnetUse};
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// What a write shall do.
enum Verb {
    Replace(Object),
    Merge(Object),
    Remove,
}

/// How full subnets and pools are; nothing for the other nouns.
async fn usage_of(noun: Noun, desk: &Desk) -> Usage {
    if matches!(noun, Noun::Subnet | Noun::Pool) {
        desk.leases.usage().await
    } else {
        Usage::default()
    }
}

async fn list(noun: Noun, desk: &Desk, asked: &Asked) -> Result<Value, Problem> {
    let config = desk.revisions.current().config;
    let (start, limit) = (asked.cursor::<usize>()?.unwrap_or(0), asked.limit()?);
    let mut spots = noun.spots(&config);
    if let Some(subnet) = asked.text("subnet") {
        spots.retain(|spot| spot.owner.as_deref() == Some(subnet));
    }
    if let Some(text) = asked.text("q") {
        let text = text.to_lowercase();
        spots.retain(|spot| spot.object(&config).is_some_and(|object| mentions(object, &text)));
    }
    let more = spots.len() > start.saturating_add(limit);
    let usage = usage_of(noun, desk).await;
    let page = spots.iter().skip(start).take(limit);
    let items = page
        .filter_map(|spot| view(noun, spot, &config, &usage))
        .collect();
    Ok(asked.page(items, more.then(|| (start + limit).to_string())))
}

async fn one(noun: Noun, desk: &Desk, id: &str) -> Result<Response, Problem> {
    let config = desk.revisions.current().config;
    let spot = noun
        .find(&config, id)
        .ok_or_else(|| Problem::no_such(noun.word(), id))?;
    let usage = usage_of(noun, desk).await;
    let own =
        view(noun, &spot, &config, &Usage::default()).ok_or_else(|| Problem::no_such(noun.word(), id))?;
    let shown = view(noun, &spot, &config, &usage).unwrap_or_default();
    let tag = HeaderValue::try_from(etag_of(&own)).expect("hexadecimal digits in quotes are a header");
    Ok(([(header::ETAG, tag)], axum::Json(shown)).into_response())
}

async fn create(
    noun: Noun,
    desk: &Desk,
    caller: &Caller,
    asked: &Asked,
    mut object: Object,
) -> Result<Response, Problem> {
    let owner = noun.take_owner(&mut object)?;
    noun.strip(&mut object);
    refuse_null(&object)?;
    let id = noun.id_of(&object).ok_or_else(|| shape(noun.wants()))?;
    let note = Note::api(
        &caller.name,
        format!("added {} {id}", noun.word()),
        asked.dry_run()?,
    );
    let (change, shown) = desk
        .revisions
        .edit(note, |config, _| {
            if noun
                .find(config, &id)
                .is_some_and(|spot| noun.exact(config, &spot, &id))
            {
                return Err(Problem::already_there(noun.word(), &id));
            }
            let list = noun.home(config, owner.as_deref())?;
            list.push(noun.compact(object));
            Ok(noun
                .find(config, &id)
                .and_then(|spot| view(noun, &spot, config, &Usage::default())))
        })
        .await?;
    Ok(change.respond(StatusCode::CREATED, shown))
}

async fn write(
    noun: Noun,
    desk: &Desk,
    caller: &Caller,
    asked: &Asked,
    preconditions: &Preconditions,
    id: &str,
    verb: Verb,
) -> Result<Response, Problem> {
    let done = if matches!(verb, Verb::Remove) {
        "removed"
    } else {
        "changed"
    };
    let note = Note::api(
        &caller.name,
        format!("{done} {} {id}", noun.word()),
        asked.dry_run()?,
    );
    let (change, shown) = desk
        .revisions
        .edit(note, |config, revision| {
            let spot = noun
                .find(config, id)
                .ok_or_else(|| Problem::no_such(noun.word(), id))?;
            let own = view(noun, &spot, config, &Usage::default()).unwrap_or_default();
            preconditions.check(&[etag_of(&own), etag_of_revision(revision)])?;
            match verb {
                Verb::Remove => {
                    spot.remove(config);
                    Ok(Some(own))
                }
                Verb::Replace(object) => replace(noun, config, &spot, object),
                Verb::Merge(patch) => {
                    let mut object = noun.expand(spot.object(config).unwrap_or(&Value::Null));
                    let owner = spot.owner.clone();
                    merge(&mut object, patch);
                    if let (Some(owner), false) = (owner, object.contains_key(noun.owner_key())) {
                        object.insert(noun.owner_key().to_owned(), owner.into());
                    }
                    replace(noun, config, &spot, object)
                }
            }
        })
        .await?;
    Ok(change.respond(StatusCode::OK, shown))
}

/// Puts `object` at the spot, or into another list when it names another owner.
fn replace(
    noun: Noun,
    config: &mut Value,
    spot: &place::Spot,
    mut object: Object,
) -> Result<Option<Value>, Problem> {
    let names_owner = object.contains_key(noun.owner_key());
    let owner = noun.take_owner(&mut object)?;
    noun.strip(&mut object);
    refuse_null(&object)?;
    let id = noun.id_of(&object).ok_or_else(|| shape(noun.wants()))?;
    let moved = names_owner && owner != spot.owner;
    let value = noun.compact(object);
    if moved {
        spot.remove(config);
        noun.home(config, owner.as_deref())?.push(value);
    } else {
        spot.set(config, value);
    }
    Ok(noun
        .find(config, &id)
        .and_then(|spot| view(noun, &spot, config, &Usage::default())))
}

/// The object with what is known about it. Without `usage` it holds nothing but configuration.
fn view(noun: Noun, spot: &place::Spot, config: &Value, usage: &Usage) -> Option<Value> {
    let mut object = noun.expand(spot.object(config)?);
    let id = noun.id_of(&object)?;
    match noun {
        Noun::Subnet => {
            object.entry("name").or_insert_with(|| id.clone().into());
            object.insert("shared_network".into(), json!(spot.owner));
            if let Some(used) = usage.subnets.iter().find(|used| used.subnet == id) {
                object.insert("utilization".into(), counted(utilization(used), usage));
            }
        }
        Noun::Pool => {
            let of_subnet = |used: &&SubnetUse| Some(&used.subnet) == spot.owner.as_ref();
            let pools = usage.subnets.iter().find(of_subnet).map(|used| &used.pools);
            if let Some(used) = pools
                .into_iter()
                .flatten()
                .find(|used| used.range.to_string() == id)
            {
                object.insert("utilization".into(), counted(of_pool(used), usage));
            }
            object.insert("size".into(), json!(noun::pool_size(&id)));
            object.insert("subnet".into(), json!(spot.owner));
        }
        Noun::Reservation => {
            object.insert("subnet".into(), json!(spot.owner));
        }
        Noun::Class => {}
    }
    if matches!(noun, Noun::Pool | Noun::Reservation) {
        object.insert("id".into(), id.into());
    }
    Some(Value::Object(object))
}

/// With what is to be known of the count itself.
fn counted(mut shown: Value, usage: &Usage) -> Value {
    shown["age_secs"] = usage.age.as_secs().into();
    shown["partial"] = usage.partial.clone().into();
    shown
}

/// The part of `size` that is bound, to six digits.
fn ratio(bound: u64, size: u64) -> f64 {
    let ratio = if size == 0 {
        0.0
    } else {
        bound as f64 / size as f64
    };
    (ratio * 1e6).round() / 1e6
}

fn of_pool(used: &PoolUse) -> Value {
    let size = used.range.count();
    json!({
        "size": size,
        "bound": used.bound,
        "offered": used.offered,
        "declined": used.declined,
        "reusable": used.reusable,
        "free": size.saturating_sub(used.taken() + used.offered),
        "ratio": ratio(used.bound, size),
    })
}

fn utilization(used: &SubnetUse) -> Value {
    // Reserved addresses outside of the pools, and leases of pools that are no more, make no pool full.
    let inside = |count: fn(&PoolUse) -> u64| used.pools.iter().map(count).sum::<u64>();
    let bound = inside(|pool| pool.bound);
    let free = used
        .size
        .saturating_sub(used.taken() + inside(|pool| pool.offered));
    json!({
        "size": used.size,
        "bound": used.bound,
        "offered": used.offered,
        "declined": used.declined,
        "reusable": used.reusable,
        "reserved": used.reserved,
        "free": free,
        "outside": used.bound.saturating_sub(bound),
        "ratio": ratio(bound, used.size),
    })
}

/// JSON merge patch (RFC 7396, section 2).
fn merge(target: &mut Object, patch: Object) {
    for (key, value) in patch {
        match value {
            Value::Null => {
                target.remove(&key);
            }
            Value::Object(patch) => {
                let entry = target.entry(key).or_insert_with(|| json!({}));
                if !entry.is_object() {
                    *entry = json!({});
                }
                merge(entry.as_object_mut().expect("made one just now"), patch);
            }
            value => {
                target.insert(key, value);
            }
        }
    }
}

/// A null says nothing that leaving the member out would not say; only a merge patch has a meaning for it.
fn refuse_null(object: &Object) -> Result<(), Problem> {
    match null_in(object.iter().map(|(key, value)| (key.clone(), value))) {
        None => Ok(()),
        Some(path) => Err(shape(&format!(
            "{path} is null; leave it out, or take it away with PATCH and null"
        ))),
    }
}

/// Where the first null is: `options.42`, `pools[1]`.
fn null_in<'a>(members: impl Iterator<Item = (String, &'a Value)>) -> Option<String> {
    for (path, value) in members {
        let found = match value {
            Value::Null => Some(path),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                null_in(
                    &mut items.map(|(i, item)| (format!("{path}[{i}]"), item)) as &mut dyn Iterator<Item = _>
                )
            }
            Value::Object(inner) => {
                let inner = inner.iter();
                null_in(&mut inner.map(|(key, item)| (format!("{path}.{key}"), item))
                    as &mut dyn Iterator<Item = _>)
            }
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether some text inside has `text` (lower case) in it.
fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own.to_lowercase().contains(text),
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(members) => members.values().any(|member| mentions(member, text)),
        other => other.to_string().contains(text),
    }
}

fn shape(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::WRONG_SHAPE, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_merge_sets_clears_and_descends() {
        let mut target = object(&json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1]}));
        merge(
            &mut target,
            object(&json!({"a": null, "b": {"c": null, "x": 4}, "e": [2], "n": {"m": null}})),
        );
        assert_eq!(
            Value::Object(target),
            json!({"b": {"d": 3, "x": 4}, "e": [2], "n": {}})
        );
    }

    #[test]
    fn a_null_is_found_wherever_it_hides() {
        let path = |value: Value| refuse_null(&object(&value)).unwrap_err().detail().to_owned();
        assert!(path(json!({"a": null})).starts_with("a is null"));
        assert!(path(json!({"a": [1, {"b": null}]})).starts_with("a[1].b is null"));
        assert!(refuse_null(&object(&json!({"a": {"b": [0, "", false]}}))).is_ok());
    }

    #[test]
    fn utilization_is_of_the_pools() {
        let pool = PoolUse {
            range: "10.0.0.0-10.0.0.199".parse().expect("a range"),
            bound: 50,
            offered: 1,
            declined: 2,
            reusable: 7,
        };
        let used = SubnetUse {
            network: "a".into(),
            subnet: "a".into(),
            size: 200,
            // Of a pool that was larger.
            bound: 450,
            offered: 1,
            declined: 2,
            reusable: 7,
            reserved: 3,
            pools: vec![pool],
        };
        let shown = utilization(&used);
        assert_eq!((&shown["ratio"], &shown["free"]), (&json!(0.25), &json!(147)));
        assert_eq!((&shown["bound"], &shown["outside"]), (&json!(450), &json!(400)));
        let pool = of_pool(&pool);
        assert_eq!(
            (&pool["ratio"], &pool["free"], &pool["size"]),
            (&json!(0.25), &json!(147), &json!(200))
        );
    }
}
