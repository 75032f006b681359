//! Templates over HTTP, under the paths that ovncp documents.

use super::{find, nb, writes};
use crate::documents::Written;
use crate::ovncp::{self, Pages, page_schema};
use crate::platform::{Platform, new_uuid};
use crate::templates::{self, Known};
use crate::write::write_shown;
use crate::yaml::yaml;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Viewer};
use purlin_ovn_core::model::{Change, Child, State as Rows};
use purlin_ovn_core::plan::Expect;
use purlin_ovn_core::template::{Kind, Ready, Template, changes, missing};
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Map, Value, json};

const SORTS: [&str; 3] = ["id", "name", "category"];

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    let use_of = || {
        schema::open_object(
            &["template_id"],
            &[
                ("template_id", schema::word("Id of the template.")),
                ("variables", schema::open_object(&[], &[])),
                (
                    "target_switch",
                    schema::string(
                        "Switch that gets the rules, by UUID or name; the port group of the variables when absent.",
                    ),
                ),
            ],
        )
    };
    let drafts = vec![
        ovncp::lists(route::get("/api/v1/templates", list), &SORTS)
            .summary("Lists templates: sets of rules with typed variables")
            .query("category", schema::word("Only templates of this category."))
            .answers(200, page_schema("templates", "OvnTemplate"))
            .errors(&[503]),
        route::get("/api/v1/templates/{id}", one)
            .summary("One template")
            .answers(200, schema::reference("OvnTemplate"))
            .errors(&[404, 503]),
        route::post("/api/v1/templates/validate", validate)
            .summary("What a template would make of these values, and what is wrong with them")
            .body(use_of())
            .answers(200, schema::open_object(&["valid", "errors", "warnings", "preview"], &[]))
            .read_only()
            .errors(&[404, 422, 503]),
        writes(
            route::post("/api/v1/templates/instantiate", instantiate)
                .summary("Writes the rules of a template: all of them as one transaction, or none")
                .description("Rules for ingress are to-lport, those for egress from-lport. `dry_run` in the body is the same as dryRun=true.")
                .body(use_of())
                .answers(200, schema::open_object(&["template_id", "name", "variables", "rules"], &[])),
        ),
        route::post("/api/v1/templates/import", import)
            .summary("Keeps a template, JSON or YAML")
            .description("It is checked with its own examples before it is kept.")
            .query("replace", schema::boolean("In place of the one of the same id."))
            .body(schema::open_object(&[], &[]))
            .answers(201, schema::reference("OvnTemplate"))
            .errors(&[409, 415, 422, 503]),
        route::get("/api/v1/templates/{id}/export", export)
            .summary("A template as a file that can be imported")
            .query("format", schema::one_of(&["json", "yaml"], "json when absent."))
            .answers(200, schema::reference("OvnTemplate"))
            .answers_as(200, "application/yaml", schema::string("The same as YAML."))
            .errors(&[404, 503]),
        route::delete("/api/v1/templates/{id}", remove)
            .summary("Forgets a template that was imported")
            .answers(204, schema::anything("Nothing."))
            .errors(&[404, 409, 503]),
    ];
    drafts.into_iter().map(ovncp::path).map(Draft::tenants).collect()
}

pub(super) fn components(routes: Routes) -> Routes {
    routes.component("OvnTemplate", shape())
}

fn shape() -> Schema {
    let text = schema::string;
    schema::open_object(
        &["id", "name", "variables", "rules"],
        &[
            ("id", text("How it is asked for.")),
            ("name", text("For people.")),
            ("description", text("What it is for.")),
            ("category", text("What it belongs to.")),
            ("tags", schema::array(text("A word."))),
            (
                "variables",
                schema::array(schema::open_object(&["name", "type"], &[])),
            ),
            (
                "rules",
                schema::array(schema::open_object(
                    &["name", "direction", "match", "action"],
                    &[],
                )),
            ),
            ("builtin", schema::boolean("Whether it comes with Purlin.")),
        ],
    )
}

/// What is to be made of which template.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Use {
    template_id: String,
    #[serde(default)]
    variables: Map<String, Value>,
    target_switch: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

async fn list(_: Viewer, State(platform): State<Platform>, asked: Asked) -> Result<Json<Value>, Problem> {
    let pages = Pages::of(&asked, &SORTS)?;
    let category = asked.text("category");
    let all = templates::all(platform.templates()?).await?;
    let meant = all
        .iter()
        .filter(|known| category.is_none_or(|category| known.template.category == category));
    Ok(Json(
        pages.of_values("templates", meant.map(Known::shown).collect()),
    ))
}

async fn one(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let known = templates::one(platform.templates()?, &name.0).await?;
    Ok(Json(known.shown()))
}

/// The rules, or what is wrong with the values.
fn ready(template: &Template, wanted: &Use) -> Result<Vec<Ready>, Problem> {
    let values = templates::values(&wanted.variables)?;
    template
        .preview(&values)
        .map_err(|problems| templates::refused(&problems))
}

/// Where the rules go: to the switch that is named, else to the port group that the variables name.
fn target(state: &Rows<'_>, template: &Template, wanted: &Use) -> Result<Child, Problem> {
    let (table, word) = match &wanted.target_switch {
        Some(switch) => ("Logical_Switch", switch.clone()),
        None => {
            let group = template
                .variables
                .iter()
                .find(|variable| variable.kind == Kind::PortGroup);
            let values = templates::values(&wanted.variables)?;
            let word = group.and_then(|group| values.get(&group.name).or(group.default.as_ref()));
            let missing = || {
                Problem::wrong_shape(
                    "target_switch: which switch gets the rules? The template has no port group",
                )
            };
            let word = word
                .ok_or_else(missing)?
                .trim()
                .trim_start_matches('@')
                .to_owned();
            ("Port_Group", word)
        }
    };
    Ok(Child {
        table: table.to_owned(),
        uuid: find::row(state, table, &word)?,
        column: "acls".to_owned(),
    })
}

async fn validate(
    Viewer(caller): Viewer,
    State(platform): State<Platform>,
    asked: Asked,
    Input(wanted): Input<Use>,
) -> Result<Json<Value>, Problem> {
    let known = templates::one(platform.templates()?, &wanted.template_id).await?;
    let invalid = |problem: &Problem| {
        let document = problem.document(None, None);
        let words = document["problems"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|problem| {
                let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", text("place"), text("message"))
            });
        let mut words: Vec<String> = words.collect();
        if words.is_empty() {
            words.push(problem.detail().to_owned());
        }
        json!({ "valid": false, "errors": words, "warnings": [], "preview": [], "problems": document["problems"] })
    };
    let rules = match ready(&known.template, &wanted) {
        Ok(rules) => rules,
        Err(problem) => return Ok(Json(invalid(&problem))),
    };
    let mut manner = nb::manner(&asked, &caller)?;
    manner.only_plan();
    let owner = manner.writer().owner.clone();
    let wish = |state: &Rows<'_>| wish(state, &known.template, &wanted, &rules, &owner);
    let answer = match write_shown(&platform, &manner, |_: &Rows<'_>| None, wish).await {
        Ok(answer) => answer,
        Err(problem) => return Ok(Json(invalid(&problem))),
    };
    let words = answer["warnings"].as_array().into_iter().flatten();
    let words = words.map(|warning| warning["message"].as_str().unwrap_or_default().to_owned());
    Ok(Json(json!({
        "valid": true,
        "errors": [],
        "warnings": words.collect::<Vec<_>>(),
        "preview": rules,
        "affected": answer["affected"],
        "problems": answer["warnings"],
    })))
}

type Wished = Result<(Vec<Change>, Vec<Expect>), Problem>;

fn wish(state: &Rows<'_>, template: &Template, wanted: &Use, rules: &[Ready], owner: &str) -> Wished {
    let target = target(state, template, wanted)?;
    let rules = missing(rules, state, &target, owner);
    let uuids: Vec<Uuid> = rules.iter().map(|_| new_uuid()).collect::<Result<_, _>>()?;
    let mut next = uuids.into_iter();
    let changes = changes(&rules, &target, || next.next().expect("one for each rule"));
    Ok((changes, Vec::new()))
}

async fn instantiate(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: Asked,
    Input(wanted): Input<Use>,
) -> Result<Json<Value>, Problem> {
    let known = templates::one(platform.templates()?, &wanted.template_id).await?;
    let rules = ready(&known.template, &wanted)?;
    let mut manner = nb::manner(&asked, &caller)?;
    if wanted.dry_run {
        manner.only_plan();
    }
    manner.about = format!("template {}", known.template.id);
    let owner = manner.writer().owner.clone();
    let wish = |state: &Rows<'_>| wish(state, &known.template, &wanted, &rules, &owner);
    let mut answer = write_shown(&platform, &manner, |_: &Rows<'_>| None, wish).await?;
    answer["template_id"] = json!(known.template.id);
    answer["name"] = json!(known.template.name);
    answer["variables"] = json!(wanted.variables);
    answer["rules"] = json!(rules);
    Ok(Json(answer))
}

async fn import(
    _: Operator,
    State(platform): State<Platform>,
    asked: Asked,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let written = Written::read(&headers, &body)?;
    let (dry, replace) = (asked.dry_run()?, asked.flag("replace")?);
    let known = templates::import(platform.templates()?, &written, replace, dry).await?;
    Ok((StatusCode::CREATED, Json(known.shown())))
}

async fn export(
    _: Viewer,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<Response, Problem> {
    let known = templates::one(platform.templates()?, &name.0).await?;
    let template = json!(known.template);
    if asked.word_of("format", &["json", "yaml"])? == Some("yaml") {
        let kind = [(header::CONTENT_TYPE, "application/yaml")];
        return Ok((kind, yaml(&template)).into_response());
    }
    Ok(Json(template).into_response())
}

async fn remove(
    _: Operator,
    State(platform): State<Platform>,
    name: Name,
    asked: Asked,
) -> Result<StatusCode, Problem> {
    templates::delete(platform.templates()?, &name.0, asked.dry_run()?).await?;
    Ok(StatusCode::NO_CONTENT)
}
