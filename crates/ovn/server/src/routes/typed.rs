//! Objects by their nouns: `/api/v1/ovn/switches`, `/api/v1/ovn/load-balancers`, and so on for every kind of the table.
//!
//! ```text
//!   GET    NOUN?name=&owned_by=&sort=&cursor=&limit=&fields=  and a filter for each member that has one
//!   POST   NOUN                                            201, Location
//!   GET    NOUN/ID                                         ID is a name or a UUID; ETag
//!   PATCH  NOUN/ID                                         JSON merge patch (RFC 7396); If-Match
//!   DELETE NOUN/ID                                         If-Match
//!   POST   NOUN/ID/add, NOUN/ID/remove                     elements of lists and maps, whatever others do to them;
//!                                                          also as attach and detach where others point to it
//! ```

mod list;

pub(super) use list::Chosen;

use super::{nb, writes};
use crate::platform::{Platform, new_uuid};
use crate::typed::kinds::KINDS;
use crate::typed::kinds::south::SOUTH;
use crate::typed::make::{self, Manner, Verb};
use crate::typed::wish::{self, Work};
use crate::typed::{Kind, document, etag, place, read};
use crate::write::write_shown;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use purlin_api::access::Caller;
use purlin_api::asked::{Asked, Input, Name, Preconditions, etag_of};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Viewer};
use purlin_ovn_core::model::State as Rows;
use purlin_ovsdb::Uuid;
use serde_json::{Map, Value, json};

/// What a cursor may be.
const CURSORS: &str = "^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(\\.[0-9a-f]+)?)?$";

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let north = KINDS.iter().flat_map(|kind| of_kind(kind));
    // Rows of all tenants are in the southbound.
    let south = SOUTH.iter().flat_map(|kind| reads(kind));
    north.map(Draft::tenants).chain(south).collect()
}

fn of_kind(kind: &'static Kind) -> Vec<Draft<Platform>> {
    let names = &kind.names;
    let mut drafts = reads(kind);
    drafts.extend([
        writes(
            route::post(
                names.list,
                move |Operator(caller): Operator, State(platform), asked: Asked, Input(body)| {
                    create(kind, platform, caller, asked, body)
                },
            )
            .summary(names.makes)
            .description(kind.about)
            .body(schema::reference(names.new))
            .answers(201, schema::reference(names.written))
            .answers(200, schema::reference(names.written)),
        ),
        writes(
            route::patch(
                names.row,
                move |Operator(caller): Operator, State(platform), id: Name, asked: Asked, conditions: Preconditions, Input(body)| {
                    let work = Work::Change(Manner::Merge, body);
                    change(kind, platform, caller, id, asked, conditions, work)
                },
            )
            .summary(names.changes)
            .description("Members that are not named stay; of a map only the named keys are written, and `null` takes one away; a list is the whole list. What was read may be sent back. If-Match is checked by the database itself, in the transaction.")
            .if_match()
            .body(schema::reference(names.change))
            .answers(200, schema::reference(names.written)),
        ),
        writes(
            route::delete(
                names.row,
                move |Operator(caller): Operator, State(platform), id: Name, asked: Asked, conditions: Preconditions| {
                    change(kind, platform, caller, id, asked, conditions, Work::Delete)
                },
            )
            .summary(names.takes)
            .if_match()
            .answers(200, schema::reference(names.written)),
        ),
    ]);
    if !make::adjustable(kind).is_empty() {
        drafts.extend(verbs(kind));
    }
    drafts
}

fn reads(kind: &'static Kind) -> Vec<Draft<Platform>> {
    let names = &kind.names;
    let list = route::get(
        names.list,
        move |_: Viewer, State(platform): State<Platform>, asked: Asked| list::list(kind, platform, asked),
    );
    let mut list = list
        .summary(names.lists)
        .description(kind.about)
        .paged_by(CURSORS);
    if kind.marks {
        let words = "Only those of this owner; nobody for those without a mark.";
        list = list.query("owned_by", schema::word(words));
    }
    let sorts = document::sorts(kind);
    if !sorts.is_empty() {
        let words: Vec<&str> = sorts.iter().map(String::as_str).collect();
        let about = "Member to sort by, with a minus the greatest first; by UUID when absent.";
        list = list.query("sort", schema::one_of(&words, about));
    }
    let filters = kind.fields.iter();
    let filters = filters.filter_map(|field| Some((field.filter?, document::filter(kind, field))));
    let list = filters.fold(list, |list, (name, schema)| list.query(name, schema));
    vec![
        list.answers(200, schema::page_of(names.component))
            .errors(&[404, 409]),
        route::get(names.row, move |_: Viewer, State(platform), id: Name| {
            one(kind, platform, id)
        })
        .summary(names.shows)
        .description(
            "By name or UUID. The ETag is for If-None-Match, and for If-Match where there are changes.",
        )
        .answers(200, schema::reference(names.component))
        .errors(&[404, 409]),
    ]
}

fn verbs(kind: &'static Kind) -> [Draft<Platform>; 2] {
    let names = &kind.names;
    let verb = |path, alias, summary, verb: Verb| {
        let mut draft = route::post(
            path,
            move |Operator(caller): Operator,
                  State(platform),
                  id: Name,
                  asked: Asked,
                  conditions: Preconditions,
                  Input(body)| {
                let work = Work::Adjust(verb, body);
                change(kind, platform, caller, id, asked, conditions, work)
            },
        );
        if kind.attaches() {
            draft = draft.alias(alias);
        }
        writes(
            draft
                .summary(summary)
                .description("One mutation each: what others add or take out at the same time is not lost. What is there, or not there, already changes nothing.")
                .if_match()
                .body(document::elements(kind, verb == Verb::Remove))
                .answers(200, schema::reference(names.written)),
        )
    };
    [
        verb(names.add, names.attach, names.adds, Verb::Add),
        verb(names.remove, names.detach, names.takes_out, Verb::Remove),
    ]
}

pub(super) fn components(routes: Routes) -> Routes {
    let routes = SOUTH.iter().fold(routes, |routes, kind| {
        routes.component(kind.names.component, document::shown(kind))
    });
    KINDS.iter().fold(routes, |routes, kind| {
        let names = &kind.names;
        routes
            .component(names.component, document::shown(kind))
            .component(names.new, document::new(kind))
            .component(names.change, document::change(kind))
            .component(names.written, written(kind))
    })
}

/// What a write answers: that of a write to a row, with the object as `item`.
fn written(kind: &Kind) -> Schema {
    let item = schema::nullable(schema::reference(kind.names.component));
    let problems = schema::array(schema::reference("OvnProblem"));
    schema::open_object(
        &[
            "request", "dry_run", "changed", "item", "diff", "warnings", "affected", "realised",
        ],
        &[
            (
                "request",
                schema::string("Id of the request, as the log of the database has it."),
            ),
            ("dry_run", schema::boolean("Whether nothing was written.")),
            (
                "changed",
                schema::boolean("Whether anything is, or would be, other than before."),
            ),
            ("item", item),
            (
                "diff",
                schema::array(schema::anything(
                    "A row that comes, changes or goes, column by column.",
                )),
            ),
            ("warnings", problems),
            (
                "affected",
                schema::array(schema::string("Name of a switch port whose traffic may change.")),
            ),
            (
                "realised",
                schema::nullable(schema::open_object(&["wait", "done"], &[])),
            ),
        ],
    )
}

async fn one(kind: &'static Kind, platform: Platform, id: Name) -> Result<(HeaderMap, Json<Value>), Problem> {
    let (schema, rows) = list::side(&platform, kind)?.read().await?;
    let dhcp = platform.dhcp();
    let state = Rows::new(&schema, &rows.database).with_dhcp(&dhcp);
    place::known(&state, kind.table)?;
    let uuid = place::of_path(&state, kind.one, kind.table, &id.0)?;
    let shown = read::object(&state, kind, uuid).ok_or_else(|| Problem::no_such(kind.one, &id.0))?;
    Ok((tagged(&shown), Json(shown)))
}

/// The ETag of what is shown.
fn tagged(shown: &Value) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if shown.is_null() {
        return headers;
    }
    let written = shown["etag"].as_str();
    let tag = written.map_or_else(|| etag_of(shown), |written| etag::header(written, shown));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers
}

async fn create(
    kind: &'static Kind,
    platform: Platform,
    caller: Caller,
    asked: Asked,
    body: Map<String, Value>,
) -> Result<(StatusCode, HeaderMap, Json<Value>), Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let uuid = new_uuid()?;
    let show = |state: &Rows<'_>| read::object(state, kind, uuid);
    let answer = write_shown(&platform, &manner, show, wish::create(kind, uuid, &body)).await?;
    if answer["dry_run"] == true {
        return Ok((StatusCode::OK, HeaderMap::new(), Json(item(answer))));
    }
    let mut headers = tagged(&answer["row"]);
    let place = format!("{}/{uuid}", kind.names.list);
    if let Ok(place) = HeaderValue::from_str(&place) {
        headers.insert(header::LOCATION, place);
    }
    Ok((StatusCode::CREATED, headers, Json(item(answer))))
}

async fn change(
    kind: &'static Kind,
    platform: Platform,
    caller: Caller,
    id: Name,
    asked: Asked,
    conditions: Preconditions,
    work: Work,
) -> Result<(HeaderMap, Json<Value>), Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let uuid = meant(&platform, kind, &id.0).await?;
    let wish = wish::change(kind, uuid, &work, &conditions);
    let show = |state: &Rows<'_>| read::object(state, kind, uuid);
    let answer = write_shown(&platform, &manner, show, wish).await?;
    Ok((tagged(&answer["row"]), Json(item(answer))))
}

/// Which row is meant: fixed once, so that a change that is decided anew is about the same one.
pub(super) async fn meant(platform: &Platform, kind: &Kind, word: &str) -> Result<Uuid, Problem> {
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    place::known(&state, kind.table)?;
    place::of_path(&state, kind.one, kind.table, word)
}

fn item(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        let row = members.remove("row").unwrap_or_else(|| json!(null));
        members.insert("item".to_owned(), row);
    }
    answer
}
