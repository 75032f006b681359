//! The paths of ovncp: switches, ports, routers, ACLs and transactions, working as it documents them.
//!
//! ```text
//!   GET    /api/v1/switches?page&page_size&sort&name      {switches, pagination}
//!   POST   /api/v1/switches                                201
//!   GET    /api/v1/switches/ID      PUT, PATCH  200        DELETE  204        ID is a UUID or a name
//!   GET    /api/v1/switches/ID/ports   POST                /api/v1/ports/ID
//!   /api/v1/routers, /api/v1/acls?switch_id&direction&action
//!   POST   /api/v1/transactions                            one transaction of the database
//! ```
//!
//! PUT keeps what it does not name, as ovncp's own clients rely on; a list or map that it names takes the place of what
//! was there. PATCH is a JSON merge patch. Everything else is as in Purlin's own paths: guards, If-Match, `dryRun`, `wait`.

mod answer;
mod list;
mod transactions;

use super::typed::meant;
use super::{nb, writes};
use crate::ovncp::{self, page_schema};
use crate::platform::{Platform, new_uuid};
use crate::typed::kinds::ovncp::{ACL, PORT, ROUTER, SWITCH};
use crate::typed::make::Manner as Writing;
use crate::typed::wish::{self, Work};
use crate::typed::{Kind, document};
use crate::write::write_shown;
use answer::{Told, object};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Input, Name, Preconditions};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Viewer};
use purlin_ovn_core::model::State as Rows;
use serde_json::{Map, Value, json};

const KINDS: [&Kind; 4] = [&SWITCH, &PORT, &ROUTER, &ACL];

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let mut drafts: Vec<Draft<Platform>> = KINDS.iter().flat_map(|kind| rows(kind)).collect();
    drafts.extend([
        lists(&SWITCH, &["name"]),
        lists(&ROUTER, &["name"]),
        acls(),
        ports(),
    ]);
    drafts.extend([makes(&SWITCH), makes(&ROUTER), makes_acl(), makes_port()]);
    drafts.push(transactions::draft());
    drafts.into_iter().map(ovncp::path).map(Draft::tenants).collect()
}

pub(super) fn components(routes: Routes) -> Routes {
    let routes = KINDS.iter().fold(routes, |routes, kind| {
        let names = &kind.names;
        routes
            .component(names.component, document::shown(kind))
            .component(names.new, document::new(kind))
            .component(names.change, document::change(kind))
            .component(names.written, answer::written(kind))
    });
    transactions::components(routes)
}

/// One object: read, changed, taken away.
fn rows(kind: &'static Kind) -> [Draft<Platform>; 4] {
    let names = &kind.names;
    let changed = |draft: Draft<Platform>| {
        let draft = draft.summary(names.changes).if_match();
        let draft = draft.body(schema::reference(names.change));
        writes(draft.answers(200, schema::reference(names.written)))
    };
    [
        route::get(names.row, move |_: Viewer, State(platform): State<Platform>, id: Name| one(kind, platform, id))
            .summary(names.shows)
            .description("By UUID or name. The ETag goes into If-Match.")
            .answers(200, schema::reference(names.component))
            .errors(&[404, 409]),
        changed(route::put(
            names.row,
            move |Operator(caller): Operator, State(platform), id: Name, asked: Asked, conditions: Preconditions, Input(body)| {
                change(kind, (platform, caller), id, asked, conditions, (Writing::Replace, body))
            },
        ))
        .description("Members that are not named stay; a list or map that is named takes the place of what was there. What was read may be sent back."),
        changed(route::patch(
            names.row,
            move |Operator(caller): Operator, State(platform), id: Name, asked: Asked, conditions: Preconditions, Input(body)| {
                change(kind, (platform, caller), id, asked, conditions, (Writing::Merge, body))
            },
        ))
        .description("JSON merge patch (RFC 7396): of a map only the named keys are written, and `null` takes one away."),
        writes(
            route::delete(
                names.row,
                move |Operator(caller): Operator, State(platform), id: Name, asked: Asked, conditions: Preconditions| {
                    remove(kind, platform, caller, id, asked, conditions)
                },
            )
            .summary(names.takes)
            .if_match()
            .answers_as(204, "", Value::Null)
            .answers(200, schema::reference("OvnWritten")),
        ),
    ]
}

fn listed(kind: &'static Kind) -> Schema {
    page_schema(kind.noun, kind.names.component)
}

fn lists(kind: &'static Kind, sorts: &'static [&'static str]) -> Draft<Platform> {
    let draft = route::get(
        kind.names.list,
        move |_: Viewer, State(platform), asked: Asked| list::all(kind, platform, asked, sorts),
    );
    let draft = draft.summary(kind.names.lists).answers(200, listed(kind));
    ovncp::lists(draft, sorts).errors(&[404, 409])
}

fn acls() -> Draft<Platform> {
    let filters = ACL.fields.iter();
    let filters = filters.filter_map(|field| Some((field.filter?, document::filter(&ACL, field))));
    let draft = lists(&ACL, &["name", "priority", "direction", "action"]);
    filters.fold(draft, |draft, (name, schema)| draft.query(name, schema))
}

const PORTS: &str = "/api/v1/switches/{id}/ports";

fn ports() -> Draft<Platform> {
    let sorts = &["name", "type"];
    let draft = route::get(PORTS, |_: Viewer, State(platform), id: Name, asked: Asked| {
        list::ports(platform, id, asked, sorts)
    });
    let draft = draft
        .summary("Lists ports of one switch")
        .answers(200, listed(&PORT));
    ovncp::lists(draft, sorts).errors(&[404, 409])
}

/// A route that makes an object; `place` is a member that the path or a parameter says.
fn made(draft: Draft<Platform>, kind: &'static Kind) -> Draft<Platform> {
    writes(
        draft
            .summary(kind.names.makes)
            .description(kind.about)
            .body(schema::reference(kind.names.new))
            .answers(201, schema::reference(kind.names.written))
            .answers(200, schema::reference(kind.names.written)),
    )
}

fn makes(kind: &'static Kind) -> Draft<Platform> {
    let handler = move |Operator(caller): Operator, State(platform), asked: Asked, Input(body)| {
        create(kind, platform, caller, asked, body)
    };
    made(route::post(kind.names.list, handler), kind)
}

fn makes_acl() -> Draft<Platform> {
    let handler = |Operator(caller): Operator, State(platform), asked: Asked, Input(body)| async move {
        let body = placed(body, "switch_id", asked.text("switch_id"))?;
        create(&ACL, platform, caller, asked, body).await
    };
    made(route::post(ACL.names.list, handler), &ACL)
        .query("switch_id", schema::word("UUID or name of its switch."))
}

fn makes_port() -> Draft<Platform> {
    let handler = |Operator(caller): Operator,
                   State(platform): State<Platform>,
                   id: Name,
                   asked: Asked,
                   Input(body)| async move {
        // 404 for the path, 422 for members.
        let switch = meant(&platform, &SWITCH, &id.0).await?.to_string();
        let body = placed(body, "switch_id", Some(&switch))?;
        create(&PORT, platform, caller, asked, body).await
    };
    let draft = made(route::post(PORTS, handler), &PORT);
    let mut new = document::new(&PORT);
    if let Some(required) = new["required"].as_array_mut() {
        // The path says it.
        required.retain(|name| name != "switch_id");
    }
    draft.body(new)
}

/// A member that the request says outside of the body.
fn placed(
    mut body: Map<String, Value>,
    member: &str,
    told: Option<&str>,
) -> Result<Map<String, Value>, Problem> {
    if let Some(told) = told {
        body.insert(member.to_owned(), json!(told));
    }
    Ok(body)
}

async fn one(kind: &'static Kind, platform: Platform, id: Name) -> Result<(HeaderMap, Json<Value>), Problem> {
    let uuid = meant(&platform, kind, &id.0).await?;
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    let told = Told::of(object(&state, kind, uuid)).ok_or_else(|| Problem::no_such(kind.one, &id.0))?;
    Ok((told.tag(), Json(told.object)))
}

async fn create(
    kind: &'static Kind,
    platform: Platform,
    caller: Caller,
    asked: Asked,
    body: Map<String, Value>,
) -> Result<Response, Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let uuid = new_uuid()?;
    let show = |state: &Rows<'_>| object(state, kind, uuid);
    let written = write_shown(&platform, &manner, show, wish::create(kind, uuid, &body)).await?;
    let place = format!("{}/{uuid}", kind.names.list);
    answer::told(&manner, written, Some(&place))
}

async fn change(
    kind: &'static Kind,
    (platform, caller): (Platform, Caller),
    id: Name,
    asked: Asked,
    conditions: Preconditions,
    (writing, body): (Writing, Map<String, Value>),
) -> Result<Response, Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let uuid = meant(&platform, kind, &id.0).await?;
    let work = Work::Change(writing, body);
    let wish = wish::change(kind, uuid, &work, &conditions);
    let show = |state: &Rows<'_>| object(state, kind, uuid);
    let written = write_shown(&platform, &manner, show, wish).await?;
    answer::told(&manner, written, None)
}

async fn remove(
    kind: &'static Kind,
    platform: Platform,
    caller: Caller,
    id: Name,
    asked: Asked,
    conditions: Preconditions,
) -> Result<Response, Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let uuid = meant(&platform, kind, &id.0).await?;
    let wish = wish::change(kind, uuid, &Work::Delete, &conditions);
    let written = write_shown(&platform, &manner, |_: &Rows<'_>| None, wish).await?;
    match written["dry_run"] == true || manner.waits() {
        true => Ok(Json(written).into_response()),
        false => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}
