//! The routes of boot profiles.

use super::document::Object;
use super::{Verb, create, list, one, write};
use crate::routes::Desk;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use purlin_api::asked::{Asked, Input, Name, Preconditions};
use purlin_api::route::{self, Draft};
use purlin_api::{Operator, Problem, Viewer, schema};
use serde_json::Value;

const ALL: &str = "/api/v1/boot/profiles";
const EACH: &str = "/api/v1/boot/profiles/{name}";
const MERGE: &str = "JSON merge patch (RFC 7396): members given are set, those given as null are taken away.";

async fn show_all(_: Viewer, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    list(&desk, &asked).map(Json)
}

async fn show(_: Viewer, State(desk): State<Desk>, name: Name) -> Result<Response, Problem> {
    one(&desk, &name.0)
}

async fn add(
    Operator(caller): Operator,
    State(desk): State<Desk>,
    asked: Asked,
    Input(profile): Input<Object>,
) -> Result<Response, Problem> {
    create(&desk, &caller, &asked, profile).await
}

async fn replace(
    Operator(caller): Operator,
    State(desk): State<Desk>,
    asked: Asked,
    wanted: Preconditions,
    name: Name,
    Input(profile): Input<Object>,
) -> Result<Response, Problem> {
    write(&desk, &caller, &asked, &wanted, &name.0, Verb::Replace(profile)).await
}

async fn change(
    Operator(caller): Operator,
    State(desk): State<Desk>,
    asked: Asked,
    wanted: Preconditions,
    name: Name,
    Input(patch): Input<Object>,
) -> Result<Response, Problem> {
    write(&desk, &caller, &asked, &wanted, &name.0, Verb::Merge(patch)).await
}

async fn remove(
    Operator(caller): Operator,
    State(desk): State<Desk>,
    asked: Asked,
    wanted: Preconditions,
    name: Name,
) -> Result<Response, Problem> {
    write(&desk, &caller, &asked, &wanted, &name.0, Verb::Remove).await
}

pub(in crate::routes) fn drafts() -> Vec<Draft<Desk>> {
    let changes = |draft: Draft<Desk>, words| {
        draft
            .summary(words)
            .if_match()
            .answers(200, schema::reference("Change"))
            .errors(&[404, 409])
    };
    let profile = || schema::reference("NewBootProfile");
    vec![
        route::get(ALL, show_all)
            .summary("Lists the boot profiles; of those that fit a machine the first that names its user class counts, else the first")
            .paged()
            .answers(200, schema::page_of("BootProfile")),
        route::post(ALL, add)
            .summary("Adds a boot profile behind all others")
            .query("first", schema::boolean("Put it before all others instead."))
            .body(profile())
            .answers(201, schema::reference("Change"))
            .answers(200, schema::reference("Change")),
        route::get(EACH, show)
            .summary("Shows a boot profile")
            .answers(200, schema::reference("BootProfile"))
            .errors(&[404]),
        changes(route::put(EACH, replace), "Replaces a boot profile, in its place").body(profile()),
        changes(route::patch(EACH, change), "Changes members of a boot profile")
            .description(MERGE)
            .body(schema::reference("BootProfilePatch")),
        changes(route::delete(EACH, remove), "Removes a boot profile"),
    ]
}
