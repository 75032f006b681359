//! Declarative documents over HTTP: plan, apply, drift, export.

use super::{nb, writes, written};
use crate::documents::{Kept, Shelf, Written};
use crate::platform::{Platform, new_uuid};
use crate::reasons;
use crate::write::{Manner, write};
use crate::yaml::yaml;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purlin_api::asked::{Asked, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Caller, Operator, Problem, Viewer};
use purlin_ovn_core::document::{self, Document, Options};
use purlin_ovn_core::model::{Change, RowDiff, State as Rows};
use purlin_ovn_core::plan::{Expect, Reach, Refusal};
use serde_json::{Value, json};

const WORDS: &str = "YAML (application/yaml) or JSON. Keys are kinds of rows (switches, routers, port_groups, address_sets, load_balancers, dhcp_options, dns); children stand within their parents, references are names. Columns that it leaves out stay as they are; a list of children that is there is complete. Within a tenant it is about the tenant's rows alone, and names may lack its prefix.";

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let body = || schema::open_object(&[], &[]);
    let options = |draft: Draft<Platform>| {
        draft
            .query(
                "prune",
                schema::boolean("Rows of the owner that the document lacks go."),
            )
            .query(
                "adopt",
                schema::boolean("Rows without an owner that the document names become the owner's."),
            )
    };
    let drafts = vec![
        route::get("/api/v1/ovn/documents", list)
            .summary("Lists owners whose documents were put into force through Purlin")
            .query("cursor", schema::string("next_cursor of the page before."))
            .limited("Items per page; 100 when absent.")
            .answers(200, schema::open_object(&["items", "next_cursor"], &[]))
            .errors(&[503]),
        options(route::post("/api/v1/ovn/documents/{owner}/plan", plan))
            .summary("What a document would change")
            .description(WORDS)
            .query(
                "force",
                schema::boolean("Also rows of other managers; admins only."),
            )
            .body(body())
            .answers(200, written())
            .read_only()
            .errors(&[409, 415, 422, 503]),
        options(writes(route::post("/api/v1/ovn/documents/{owner}/apply", apply)))
            .summary("Makes an owner's part of the network as the document says, as one transaction")
            .description(WORDS)
            .body(body())
            .answers(200, written())
            .errors(&[415]),
        route::get("/api/v1/ovn/documents/{owner}/drift", drift)
            .summary("How the network differs from the document that was put into force last")
            .description("`diff` leads from the network to the document.")
            .answers(200, schema::reference("OvnDrift"))
            .errors(&[404, 422, 503]),
        route::get("/api/v1/ovn/documents/{owner}/export", export)
            .summary("An owner's rows as the document that would make them")
            .query("format", schema::one_of(&["json", "yaml"], "json when absent."))
            .answers(200, schema::open_object(&[], &[]))
            .answers_as(200, "application/yaml", schema::string("The same as YAML."))
            .errors(&[503]),
    ];
    drafts.into_iter().map(Draft::tenants).collect()
}

pub(super) fn components(routes: Routes) -> Routes {
    routes.component("OvnDrift", drifted())
}

fn drifted() -> Schema {
    let rows = || schema::array(schema::string("Table and name of a row."));
    schema::object(&[
        ("owner", schema::string("Whose rows.")),
        (
            "drifted",
            schema::boolean("Whether anything is not as the document says."),
        ),
        (
            "applied_at",
            schema::formatted("date-time", "When the document was put into force."),
        ),
        ("applied_by", schema::string("By whom.")),
        ("missing", rows()),
        ("different", rows()),
        ("extra", rows()),
        ("diff", schema::array(schema::anything("A row, as in a dry run."))),
    ])
}

fn owner(name: &Name) -> Result<&str, Problem> {
    let good = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
    let fits = (1..=64).contains(&name.0.len()) && name.0.bytes().all(good);
    let wrong = || {
        Problem::parameter(format!(
            "{:?} is no owner; letters, digits, `.`, `_` and `-`, 64 at most",
            name.0
        ))
    };
    fits.then_some(name.0.as_str()).ok_or_else(wrong)
}

fn options(asked: &Asked) -> Result<Options, Problem> {
    Ok(Options {
        prune: asked.flag("prune")?,
        adopt: asked.flag("adopt")?,
    })
}

fn manner(asked: &Asked, caller: &Caller, owner: &str, options: Options) -> Result<Manner, Problem> {
    if let Some(other) = asked.text("owner").filter(|other| *other != owner) {
        return Err(Problem::parameter(format!(
            "owner={other} is not the owner of the path, {owner}"
        )));
    }
    let mut manner = nb::manner(asked, caller)?;
    manner.for_owner(owner);
    // Rows without an owner are not touched unless that is said.
    if manner.reach() == Reach::Unmarked && !options.adopt {
        manner.reaches(Reach::Own);
    }
    manner.about = format!("document of {owner}");
    Ok(manner)
}

fn shelf(platform: &Platform) -> Result<Shelf<'_>, Problem> {
    Ok(Shelf {
        history: platform.history()?,
        tenant: platform.tenant().map(|tenant| tenant.tenant.as_str()),
    })
}

/// The rows as those of the asker's tenant, if there is one.
fn confined<'a>(platform: &'a Platform, state: Rows<'a>) -> Rows<'a> {
    match platform.tenant() {
        Some(confine) => state.confined(confine),
        None => state,
    }
}

async fn put(
    platform: &Platform,
    manner: &Manner,
    written: &Written,
    options: Options,
) -> Result<Value, Problem> {
    let wish = |state: &Rows<'_>| -> Result<(Vec<Change>, Vec<Expect>), Problem> {
        let document = written.document(state)?;
        let mut broken = None;
        let mut uuids = || {
            new_uuid().unwrap_or_else(|problem| {
                broken = Some(problem);
                purlin_ovsdb::Uuid::ZERO
            })
        };
        let changes = document::changes(state, &document, manner.writer(), options, &mut uuids);
        if let Some(problem) = broken {
            return Err(problem);
        }
        let changes = changes.map_err(|refusal: Refusal| written.refused(&refusal.problems))?;
        // More often a file that was not written than an owner who wants nothing any more.
        if options.prune && written.says_nothing() && !changes.is_empty() {
            let detail = format!(
                "the document is empty, and prune would take away every row of {}; who means that says it: `switches: []`",
                manner.writer().owner
            );
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, &reasons::BAD_DOCUMENT, detail));
        }
        Ok((changes, Vec::new()))
    };
    write(platform, manner, None, wish).await
}

async fn plan(
    Viewer(caller): Viewer,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (owner, options) = (owner(&name)?, options(&asked)?);
    let mut manner = manner(&asked, &caller, owner, options)?;
    manner.only_plan();
    let written = Written::read(&headers, &body)?;
    put(&platform, &manner, &written, options).await.map(Json)
}

async fn apply(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let (owner, options) = (owner(&name)?, options(&asked)?);
    let manner = manner(&asked, &caller, owner, options)?;
    let written = Written::read(&headers, &body)?;
    if let Ok(shelf) = shelf(&platform) {
        shelf.has_room(owner).await?;
    }
    let answer = put(&platform, &manner, &written, options).await?;
    if answer["dry_run"] == json!(false)
        && let Ok(shelf) = shelf(&platform)
    {
        let kept = Kept {
            document: written.json,
            applied_at: shelf.history.clock.text(),
            applied_by: caller.name,
            request: Some(&answer["request"])
                .filter(|_| answer["changed"] == true)
                .and_then(|request| request.as_str().map(str::to_owned)),
        };
        shelf.put(owner, &kept).await?;
    }
    Ok(Json(answer))
}

async fn list(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let limit = asked.limit()?;
    let kept = shelf(&platform)?.list(asked.text("cursor"), limit).await?;
    let next = kept.get(limit - 1).map(|(owner, _)| owner.clone());
    let item = |(owner, kept): (String, Kept)| json!({ "owner": owner, "applied_at": kept.applied_at, "applied_by": kept.applied_by, "request": kept.request });
    Ok(Json(asked.page(kept.into_iter().map(item).collect(), next)))
}

async fn drift(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let owner = owner(&name)?;
    let kept = shelf(&platform)?.get(owner).await?;
    let (schema, rows) = platform.north().read().await?;
    let dhcp = platform.dhcp();
    let state = confined(&platform, Rows::new(&schema, &rows.database).with_dhcp(&dhcp));
    let problem = |problems: &[purlin_ovn_core::problem::Problem]| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let detail = format!(
            "the document cannot be put into force as things are: {}",
            words.join("; ")
        );
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::BAD_DOCUMENT, detail)
            .with("problems", json!(problems))
    };
    let document = Document::read(&kept.document, &state).map_err(|problems| problem(&problems))?;
    let found = document::drift(&state, &document, owner).map_err(|refusal| problem(&refusal.problems))?;
    let named = |row: &RowDiff| format!("{} {}", row.table, row.label);
    Ok(Json(json!({
        "owner": owner,
        "drifted": !found.is_none(),
        "applied_at": kept.applied_at,
        "applied_by": kept.applied_by,
        "missing": found.missing().map(named).collect::<Vec<_>>(),
        "different": found.different().map(named).collect::<Vec<_>>(),
        "extra": found.extra().map(named).collect::<Vec<_>>(),
        "diff": found.diff.to_json(&schema),
    })))
}

async fn export(
    _: Viewer,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Response, Problem> {
    let owner = owner(&name)?;
    let form = asked.word_of("format", &["json", "yaml"])?;
    let (schema, rows) = platform.north().read().await?;
    let state = confined(&platform, Rows::new(&schema, &rows.database));
    let document = document::export(&state, owner);
    if form == Some("yaml") {
        let kind = [(header::CONTENT_TYPE, "application/yaml")];
        return Ok((kind, yaml(&document)).into_response());
    }
    Ok(Json(document).into_response())
}
