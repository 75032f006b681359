//! Logging in and out.

use crate::Desk;
use crate::login::Opened;
use crate::sessions::ACCESS_SECS;
use crate::users::at;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use purlin_api::asked::Input;
use purlin_api::route::{self, Draft};
use purlin_api::{Member, Open, Problem, reasons, schema};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn drafts() -> [Draft<Desk>; 6] {
    let text = schema::string;
    let opened = || schema::reference("OpenedSession");
    [
        route::post("/api/v1/auth/login/local", login)
            .summary("Opens a session for a username and its password")
            .description("There is no default password and no user until an admin makes one.")
            .body(schema::object(&[
                ("username", text("As it was made.")),
                ("password", text("Its password.")),
            ]))
            .answers(200, opened())
            .errors(&[401, 429])
            .read_only(),
        route::post("/api/v1/auth/refresh", refresh)
            .summary("Opens a session anew for its refresh token, which works once")
            .description("A refresh token that comes a second time was copied: the session ends.")
            .body(schema::object(&[(
                "refresh_token",
                text("Of the last login or refresh."),
            )]))
            .answers(200, opened())
            .errors(&[401, 429])
            .read_only(),
        route::post("/api/v1/auth/logout", logout)
            .summary("Ends the session of the request")
            .answers(200, schema::open_object(&["message"], &[])),
        route::get("/api/v1/auth/profile", profile)
            .summary("Who the request is from, and in which tenants")
            .answers(
                200,
                schema::open_object(&["id", "username", "role", "tenants"], &[]),
            ),
        route::post("/api/v1/auth/login", elsewhere)
            .summary("Logging in with another provider: not there yet")
            .body(schema::object(&[("provider", text("Name of the provider."))]))
            .answers(200, schema::open_object(&["auth_url"], &[]))
            .errors(&[429, 501])
            .read_only(),
        route::get("/api/v1/auth/callback/{provider}", back)
            .summary("Where another provider sends back to: not there yet")
            .query("code", text("From the provider."))
            .query("state", text("From the provider."))
            .answers(200, opened())
            .errors(&[501]),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    username: String,
    password: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

#[derive(Debug, Deserialize)]
struct Provider {
    provider: String,
}

async fn login(
    _: Open,
    State(desk): State<Desk>,
    Input(body): Input<Credentials>,
) -> Result<Json<Value>, Problem> {
    let opened = desk.open_session(&body.username, &body.password).await?;
    Ok(Json(shown(&opened)))
}

async fn refresh(
    _: Open,
    State(desk): State<Desk>,
    Input(body): Input<Refresh>,
) -> Result<Json<Value>, Problem> {
    let opened = desk.refresh_session(&body.refresh_token).await?;
    Ok(Json(shown(&opened)))
}

fn shown(opened: &Opened) -> Value {
    json!({
        "access_token": opened.access,
        "refresh_token": opened.refresh,
        "token_type": "Bearer",
        "expires_in": ACCESS_SECS,
        "expires_at": at(opened.ends),
        "user": opened.user.view(),
    })
}

async fn logout(
    Member(caller): Member,
    State(desk): State<Desk>,
    asked: purlin_api::asked::Asked,
) -> Result<Json<Value>, Problem> {
    if !asked.dry_run()? {
        desk.close_session(&caller).await?;
    }
    Ok(Json(json!({ "message": "logged out" })))
}

async fn profile(Member(caller): Member, State(desk): State<Desk>) -> Json<Value> {
    let mut shown = match desk.user_of(&caller) {
        Some(user) => user.view(),
        None => json!({
            "id": caller.token,
            "username": caller.name,
            "name": caller.name,
            "role": caller.own_role,
            "provider": "token",
        }),
    };
    let tenants = desk.0.tenants.all(|_| true).into_iter();
    let tenants = tenants.filter_map(|tenant| {
        let role = desk.role_in(&caller, &tenant)?;
        Some(json!({ "id": tenant.id, "name": tenant.name, "role": role }))
    });
    shown["tenants"] = tenants.collect();
    Json(shown)
}

async fn elsewhere(_: Open, Input(body): Input<Provider>) -> Result<Json<Value>, Problem> {
    Err(not_yet(&body.provider))
}

async fn back(_: Open, Path(provider): Path<String>) -> Result<Json<Value>, Problem> {
    Err(not_yet(&provider))
}

fn not_yet(provider: &str) -> Problem {
    let detail = format!(
        "logging in with {provider:?} is not there yet; POST /api/v1/auth/login/local takes a username and a password"
    );
    Problem::new(StatusCode::NOT_IMPLEMENTED, &reasons::NOT_THERE_YET, detail)
}
