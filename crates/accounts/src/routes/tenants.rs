//! The tree of tenants.

use crate::Desk;
use crate::secret::new_id;
use crate::shelf::{Edit, ROWS_MAX};
use crate::tenants::{DEFAULT_QUOTAS, Kind, Settings, Status, Tenant, check_name, quotas, settings};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input, Name, Numbered};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Caller, Member, Problem, Role, reasons, schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn drafts() -> Vec<Draft<Desk>> {
    let tenant = || schema::reference("Tenant");
    vec![
        Numbered::declare(route::get("/api/v1/tenants", list))
            .summary("Lists the tenants that the caller belongs to; all for an admin")
            .answers(200, Numbered::schema("tenants", tenant()))
            .tenants(),
        route::post("/api/v1/tenants", create)
            .summary("Makes a tenant")
            .description("An admin of the installation, or one of `parent` below it. `quotas` that are not given have the documented defaults, -1 is no bound; quotas bound a tenant together with all below it.")
            .body(schema::open_object(&["name", "type"], &members(true)))
            .answers(201, tenant())
            .answers(200, tenant())
            .errors(&[404]),
        route::get("/api/v1/tenants/{id}", one)
            .summary("Shows a tenant, by id or name")
            .answers(200, tenant())
            .errors(&[404])
            .tenants(),
        route::put("/api/v1/tenants/{id}", change)
            .summary("Changes what is given of a tenant")
            .description("Its admins change its words and settings. Quotas, status and allow_external_networks are those above it to change.")
            .body(schema::open_object(&[], &members(false)))
            .answers(200, tenant())
            .errors(&[404]),
        route::delete("/api/v1/tenants/{id}", remove)
            .summary("Takes a tenant away that has nothing and nobody below it")
            .answers(200, schema::open_object(&["id"], &[]))
            .errors(&[404]),
        route::get("/api/v1/tenants/{id}/usage", usage)
            .summary("How much a tenant has, beside its quotas")
            .answers(200, schema::open_object(&["tenant_id", "quotas"], &[]))
            .errors(&[404])
            .tenants(),
    ]
}

fn members(new: bool) -> Vec<(&'static str, schema::Schema)> {
    let text = schema::string;
    let mut members = vec![
        ("display_name", text("For people.")),
        ("description", text("For people.")),
        ("metadata", schema::open_object(&[], &[])),
        ("settings", schema::open_object(&[], &[])),
        ("quotas", schema::open_object(&[], &[])),
    ];
    if new {
        members.extend([
            ("name", text("Lower-case letters, digits, hyphens; for good.")),
            (
                "type",
                schema::one_of(&["organization", "project", "environment"], "What it is."),
            ),
            (
                "parent",
                schema::nullable(text("Id or name of the tenant above.")),
            ),
        ]);
    } else {
        members.push((
            "status",
            schema::one_of(&["active", "suspended"], "Nobody acts for a suspended one."),
        ));
    }
    members
}

pub(super) fn components(routes: Routes) -> Routes {
    let text = schema::string;
    routes.component(
        "Tenant",
        schema::open_object(
            &["id", "name", "type", "settings", "quotas"],
            &[
                ("id", text("The mark of its rows.")),
                ("name", text("For X-Tenant-ID, as well as the id.")),
                ("type", text("organization, project or environment.")),
            ],
        ),
    )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(rename = "type")]
    kind: Kind,
    parent: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    settings: Option<Value>,
    quotas: Option<BTreeMap<String, i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    display_name: Option<String>,
    description: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    status: Option<Status>,
    settings: Option<Value>,
    quotas: Option<BTreeMap<String, i64>>,
}

async fn list(
    Member(caller): Member,
    State(desk): State<Desk>,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let mut all = desk.0.tenants.all(|_| true);
    all.retain(|tenant| desk.role_in(&caller, tenant).is_some());
    all.sort_by(|a, b| a.name.cmp(&b.name));
    let all = all.iter().map(|tenant| tenant.view()).collect();
    Ok(Json(Numbered::of(&asked)?.cut("tenants", all)))
}

async fn one(Member(caller): Member, State(desk): State<Desk>, name: Name) -> Result<Json<Value>, Problem> {
    let (tenant, role) = desk.member(&caller, &name.0, Role::Viewer)?;
    let mut view = tenant.view();
    view["your_role"] = json!(role);
    Ok(Json(view))
}

async fn create(
    Member(caller): Member,
    State(desk): State<Desk>,
    asked: Asked,
    Input(new): Input<New>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    check_name(&new.name)?;
    let _writing = desk.0.writer.lock().await;
    let parent = match &new.parent {
        Some(parent) => Some(desk.member(&caller, parent, Role::Admin)?.0),
        None if caller.own_role == Role::Admin => None,
        None => return Err(only_above("a tenant at the top of a tree")),
    };
    fits(new.kind, parent.as_deref())?;
    if desk.tenant(&new.name).is_some() {
        return Err(Problem::already_there("tenant", &new.name));
    }
    if desk.0.tenants.len() >= ROWS_MAX {
        return Err(Problem::not_possible(format!(
            "there are {ROWS_MAX} tenants already"
        )));
    }
    let defaults = DEFAULT_QUOTAS
        .iter()
        .map(|(quota, most)| ((*quota).to_owned(), *most));
    let settings = settings(&Settings::default(), &new.settings.unwrap_or_else(|| json!({})))?;
    if settings.allow_external_networks && caller.own_role != Role::Admin {
        return Err(only_above("allow_external_networks"));
    }
    let now = desk.now();
    let tenant = Tenant {
        id: new_id(),
        display_name: new.display_name.unwrap_or_else(|| new.name.clone()),
        name: new.name,
        description: new.description.unwrap_or_default(),
        status: Status::Active,
        kind: new.kind,
        parent: parent.map(|parent| parent.id.clone()),
        metadata: new.metadata.unwrap_or_default(),
        settings,
        quotas: quotas(&defaults.collect(), &new.quotas.unwrap_or_default())?,
        created: now,
        updated: now,
        created_by: caller.name.clone(),
    };
    let view = tenant.view();
    if asked.dry_run()? {
        return Ok((StatusCode::OK, Json(view)));
    }
    caller.note.leave(json!({ "tenant": tenant.name, "made": true }));
    let mut edit = Edit::default();
    desk.0.tenants.put(&mut edit, &tenant.id.clone(), tenant);
    edit.commit(&desk.0.ledger).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

/// What may hang where.
fn fits(kind: Kind, parent: Option<&Tenant>) -> Result<(), Problem> {
    let right = match (kind, parent.map(|parent| parent.kind)) {
        (Kind::Organization, parent) => parent.is_none(),
        (Kind::Project, parent) => matches!(parent, None | Some(Kind::Organization)),
        (Kind::Environment, parent) => matches!(parent, Some(Kind::Project | Kind::Organization)),
    };
    if right {
        return Ok(());
    }
    Err(Problem::wrong_shape(
        "an organization has no parent, a project none or an organization, an environment a project or an organization",
    ))
}

async fn change(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
    Input(changes): Input<Changes>,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    let next = changed(&desk, &caller, &tenant, changes)?;
    let view = next.view();
    if asked.dry_run()? {
        return Ok(Json(view));
    }
    let before = tenant.view();
    let differing = view.as_object().into_iter().flatten();
    let differing: Vec<&String> = differing
        .filter(|(member, value)| before.get(member) != Some(value) && *member != "updated_at")
        .map(|(member, _)| member)
        .collect();
    caller
        .note
        .leave(json!({ "tenant": tenant.name, "changed": differing }));
    let mut edit = Edit::default();
    desk.0.tenants.put(&mut edit, &tenant.id, next);
    edit.commit(&desk.0.ledger).await?;
    Ok(Json(view))
}

fn changed(desk: &Desk, caller: &Caller, tenant: &Arc<Tenant>, changes: Changes) -> Result<Tenant, Problem> {
    let above = desk.is_above(caller, tenant);
    let mut next = (**tenant).clone();
    if let Some(words) = changes.display_name {
        next.display_name = words;
    }
    if let Some(words) = changes.description {
        next.description = words;
    }
    if let Some(metadata) = changes.metadata {
        next.metadata = metadata;
    }
    if let Some(given) = &changes.settings {
        next.settings = settings(&tenant.settings, given)?;
        if next.settings.allow_external_networks != tenant.settings.allow_external_networks && !above {
            return Err(only_above("allow_external_networks"));
        }
    }
    if let Some(given) = &changes.quotas {
        next.quotas = quotas(&tenant.quotas, given)?;
        if next.quotas != tenant.quotas && !above {
            return Err(only_above("quotas"));
        }
    }
    if let Some(status) = changes.status {
        next.status = status;
        if status != tenant.status && !above {
            return Err(only_above("status"));
        }
    }
    next.updated = desk.now();
    Ok(next)
}

fn only_above(what: &str) -> Problem {
    let detail = format!("{what}: that is for an admin above this tenant");
    Problem::new(StatusCode::FORBIDDEN, &reasons::ROLE_TOO_LOW, detail)
}

async fn remove(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    if !desk.is_above(&caller, &tenant) {
        return Err(only_above("taking a tenant away"));
    }
    let id = &tenant.id;
    if let Some(below) = desk.0.tenants.find(|below| below.parent.as_ref() == Some(id)) {
        let detail = format!("{:?} is below {:?}: take it away first", below.name, tenant.name);
        return Err(Problem::not_possible(detail));
    }
    let held = desk.held(id).await?;
    let held: Vec<String> = held
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if !held.is_empty() {
        let detail = format!(
            "{:?} still has {}: remove that first",
            tenant.name,
            held.join(", ")
        );
        return Err(Problem::not_possible(detail));
    }
    let answer = json!({ "id": id, "name": tenant.name });
    if asked.dry_run()? {
        return Ok(Json(answer));
    }
    caller.note.leave(json!({ "tenant": tenant.name, "gone": true }));
    let mut edit = Edit::default();
    desk.0.tenants.take(&mut edit, id);
    for (member, _) in desk.0.members.under(&format!("{id}/")) {
        desk.0.members.take(&mut edit, &member);
    }
    for invitation in desk.0.invitations.all(|invitation| invitation.tenant == *id) {
        desk.0.invitations.take(&mut edit, &invitation.id);
    }
    for key in desk.0.keys.all(|key| key.tenant == *id) {
        desk.0.keys.take(&mut edit, &key.id);
    }
    edit.commit(&desk.0.ledger).await?;
    Ok(Json(answer))
}

async fn usage(Member(caller): Member, State(desk): State<Desk>, name: Name) -> Result<Json<Value>, Problem> {
    let (tenant, _) = desk.member(&caller, &name.0, Role::Viewer)?;
    let held = desk.held(&tenant.id).await?;
    let mut answer = Map::new();
    answer.insert("tenant_id".into(), json!(tenant.id));
    for (quota, _) in DEFAULT_QUOTAS {
        let what = quota.trim_start_matches("max_");
        answer.insert(what.to_owned(), json!(held.get(what).copied().unwrap_or(0)));
    }
    answer.insert("quotas".into(), json!(tenant.quotas));
    answer.insert("last_updated".into(), json!(crate::users::at(desk.now())));
    Ok(Json(Value::Object(answer)))
}

impl Desk {
    /// How much a tenant has: `switches`, `ports`, ..., and `other rows`.
    async fn held(&self, tenant: &str) -> Result<BTreeMap<String, u64>, Problem> {
        let mut all: BTreeMap<String, u64> = BTreeMap::new();
        for belongings in &self.0.belongings {
            for (what, count) in belongings.usage(tenant).await? {
                *all.entry(what.trim_start_matches("max_").to_owned()).or_default() += count;
            }
        }
        let known = |what: &str| {
            DEFAULT_QUOTAS
                .iter()
                .any(|(quota, _)| quota.trim_start_matches("max_") == what)
        };
        if let Some(rows) = all.remove("rows") {
            let counted: u64 = all
                .iter()
                .filter(|(what, _)| known(what))
                .map(|(_, count)| count)
                .sum();
            all.insert("other rows".to_owned(), rows.saturating_sub(counted));
        }
        Ok(all)
    }
}
