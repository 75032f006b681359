//! Keys of tenants.

use crate::Desk;
use crate::keys::{Key, check_scopes};
use crate::secret::{self, Use};
use crate::shelf::{Edit, ROWS_MAX};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input, Name, Numbered};
use purlin_api::route::{self, Draft};
use purlin_api::{Member, Problem, Role, schema};
use serde::Deserialize;
use serde_json::{Value, json};

/// Longest life of a key that has an end, in days.
const DAYS_MAX: u32 = 3650;

pub(super) fn drafts() -> Vec<Draft<Desk>> {
    let key = || schema::open_object(&["id", "tenant_id", "name", "scopes"], &[]);
    vec![
        Numbered::declare(route::get("/api/v1/tenants/{id}/api-keys", list))
            .summary("Lists the keys of a tenant; their secrets are known to nobody but their holders")
            .answers(200, Numbered::schema("api_keys", key()))
            .errors(&[404]),
        route::post("/api/v1/tenants/{id}/api-keys", create)
            .summary("Makes a key for programs of a tenant")
            .description("The answer shows the key this once. It goes into `Authorization: Bearer` or `X-API-Key`, and the tenant goes with it. Scopes are `read`, `write`, `*`, or one of these for a part: `switches:read`; `read` alone when absent.")
            .body(schema::object(&[
                ("name", schema::word("For people.")),
                ("description?", schema::nullable(schema::string("For people."))),
                (
                    "scopes?",
                    schema::nullable(schema::array(schema::string("read, write, *, or like switches:read."))),
                ),
                (
                    "expires_in?",
                    schema::nullable(schema::whole(
                        1,
                        u64::from(DAYS_MAX),
                        "Days until it ends; never when absent.",
                    )),
                ),
            ]))
            .answers(201, key())
            .answers(200, key())
            .errors(&[404]),
        route::delete("/api/v1/tenants/{id}/api-keys/{key_id}", remove)
            .summary("Ends a key, at once")
            .answers(200, key())
            .errors(&[404]),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    description: Option<String>,
    scopes: Option<Vec<String>>,
    /// Days.
    expires_in: Option<u32>,
}

async fn list(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    let all = desk.0.keys.all(|key| key.tenant == tenant.id);
    let all = all.iter().map(|key| key.view()).collect();
    Ok(Json(Numbered::of(&asked)?.cut("api_keys", all)))
}

async fn create(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
    Input(new): Input<New>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    let scopes = new.scopes.unwrap_or_else(|| vec!["read".to_owned()]);
    check_scopes(&scopes)?;
    if !(1..=100).contains(&new.name.trim().chars().count()) {
        return Err(Problem::wrong_shape("name must have 1 to 100 characters"));
    }
    if new.expires_in.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(Problem::wrong_shape(format!(
            "expires_in is 1 to {DAYS_MAX} days; leave it out for no end"
        )));
    }
    if desk.0.keys.len() >= ROWS_MAX {
        return Err(Problem::not_possible(format!(
            "there are {ROWS_MAX} keys already"
        )));
    }
    let (id, now) = (secret::new_id(), desk.now());
    let (text, digest) = secret::make(Use::Key, &id);
    let key = Key {
        id,
        tenant: tenant.id.clone(),
        name: new.name.trim().to_owned(),
        description: new.description.unwrap_or_default(),
        digest,
        scopes,
        expires: new.expires_in.map(|days| now + i64::from(days) * 86_400),
        last_used: None,
        created: now,
        created_by: caller.name.clone(),
    };
    let mut shown = key.view();
    if asked.dry_run()? {
        return Ok((StatusCode::OK, Json(shown)));
    }
    caller
        .note
        .leave(json!({ "tenant": tenant.name, "key": key.name, "scopes": key.scopes }));
    let mut edit = Edit::default();
    desk.0.keys.put(&mut edit, &key.id.clone(), key);
    edit.commit(&desk.0.ledger).await?;
    shown["key"] = json!(text);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn remove(
    Member(caller): Member,
    State(desk): State<Desk>,
    Path((tenant, key)): Path<(String, String)>,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &tenant, Role::Admin)?;
    let found = desk.0.keys.get(&key).filter(|found| found.tenant == tenant.id);
    let found = found.ok_or_else(|| Problem::no_such("key", &key))?;
    if !asked.dry_run()? {
        caller
            .note
            .leave(json!({ "tenant": tenant.name, "key": found.name, "gone": true }));
        let mut edit = Edit::default();
        desk.0.keys.take(&mut edit, &key);
        edit.commit(&desk.0.ledger).await?;
    }
    Ok(Json(found.view()))
}
