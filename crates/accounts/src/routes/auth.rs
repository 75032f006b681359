//! Logging in and out.

use crate::Desk;
use crate::login::{Opened, refused};
use crate::oidc::{COOKIE, LOGIN_SECS};
use crate::sessions::ACCESS_SECS;
use crate::users::at;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use purlin_api::asked::{Asked, Input};
use purlin_api::route::{self, Draft};
use purlin_api::{Entered, Member, Open, Problem, schema};
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
            .summary("Begins a login at the provider of [oidc]: where the browser goes next")
            .description("The answer sets a cookie, without which nobody comes back: a login ends in the browser that began it, within ten minutes, and once.")
            .body(schema::object(&[("provider", text("Name of the provider: oidc.name."))]))
            .answers(200, schema::open_object(&["auth_url"], &[]))
            .errors(&[404, 429, 502, 503])
            .read_only(),
        route::get("/api/v1/auth/callback/{provider}", back)
            .summary("Where the provider sends back to: opens a session")
            .any_query("parameters", "code and state, or error; what else the provider sends is left alone.")
            .answers(200, opened())
            .errors(&[401, 404, 409, 502, 503]),
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
) -> Result<Response, Problem> {
    let opened = desk.open_session(&body.username, &body.password).await?;
    Ok(entered(&desk, &opened))
}

async fn refresh(
    _: Open,
    State(desk): State<Desk>,
    Input(body): Input<Refresh>,
) -> Result<Json<Value>, Problem> {
    let opened = desk.refresh_session(&body.refresh_token).await?;
    Ok(Json(shown(&opened)))
}

/// The answer to a login, with who it is for the audit.
fn entered(desk: &Desk, opened: &Opened) -> Response {
    let mut answer = Json(shown(opened)).into_response();
    if let Some(caller) = desk.known(&opened.access) {
        answer.extensions_mut().insert(Entered(caller));
    }
    answer
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
    asked: Asked,
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

async fn elsewhere(
    _: Open,
    State(desk): State<Desk>,
    Input(body): Input<Provider>,
) -> Result<Response, Problem> {
    let begun = desk.begin_login(&body.provider).await?;
    let mut answer = Json(json!({ "auth_url": begun.url })).into_response();
    set_cookie(&mut answer, &desk, &begun.cookie, LOGIN_SECS);
    Ok(answer)
}

async fn back(
    _: Open,
    State(desk): State<Desk>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    asked: Asked,
) -> Result<Response, Problem> {
    let trusted = desk.provider(&provider)?;
    // RFC 9207: which provider it was, where it says so.
    if asked
        .text("iss")
        .is_some_and(|issuer| issuer != trusted.settings().issuer)
    {
        return Err(refused("another provider has sent back here"));
    }
    if let Some(error) = asked.text("error") {
        // Anybody can write this address: of the words only those of a known form are repeated.
        let known = error.len() <= 64 && error.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
        let word = if known { error } else { "an error" };
        return Err(refused(&format!("the provider answers {word}")));
    }
    let (Some(code), Some(state)) = (asked.text("code"), asked.text("state")) else {
        return Err(Problem::parameter(
            "code and state are missing: this is where a login provider sends back to",
        ));
    };
    let opened = desk.end_login(&provider, code, state, cookie(&headers)).await?;
    let mut answer = entered(&desk, &opened);
    set_cookie(&mut answer, &desk, "", 0);
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // The code stands in the address.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(answer)
}

/// The cookie of the login that the browser began last.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn set_cookie(answer: &mut Response, desk: &Desk, text: &str, secs: i64) {
    let secure = desk
        .0
        .provider
        .get()
        .is_some_and(|provider| provider.settings().redirect_url.starts_with("https:"));
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={text}; Path=/api/v1/auth/callback; Max-Age={secs}; HttpOnly; SameSite=Lax{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
