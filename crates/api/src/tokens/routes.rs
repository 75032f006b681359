//! `/api/v1/tokens`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{NewToken, Tokens};
use crate::access::{Admin, Caller, Member, Role};
use crate::asked::{Asked, Input, Name};
use crate::clock::Clock;
use crate::problem::Problem;
use crate::reasons;
use crate::route::{self, Routes};
use crate::schema;

#[derive(Debug, Clone)]
struct Desk {
    tokens: Tokens,
    clock: Clock,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    role: Role,
    /// RFC 3339.
    expires: Option<Timestamp>,
    /// `30d`, `12h`.
    expires_in: Option<String>,
}

impl Order {
    fn read(self, now: Timestamp) -> Result<NewToken, Problem> {
        let name = self.name.trim().to_owned();
        if !(1..=100).contains(&name.chars().count()) {
            return Err(wrong("name must have 1 to 100 characters"));
        }
        let expires = match (self.expires, self.expires_in) {
            (Some(_), Some(_)) => return Err(wrong("expires and expires_in exclude each other")),
            (None, Some(text)) => Some(later(now, &text)?),
            (at, None) => at,
        };
        if expires.is_some_and(|end| end <= now) {
            return Err(wrong("expires lies in the past"));
        }
        Ok(NewToken {
            name,
            role: self.role,
            expires,
        })
    }
}

fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::WRONG_SHAPE, detail)
}

/// `now` plus a duration like `30d`, `12h`, `90m`, `45s`.
fn later(now: Timestamp, text: &str) -> Result<Timestamp, Problem> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let unit = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err(wrong("expires_in must be a number with s, m, h or d, like 30d")),
    };
    let secs = digits.parse::<i64>().ok().and_then(|n| n.checked_mul(unit));
    let end = secs.and_then(|secs| now.checked_add(SignedDuration::from_secs(secs)).ok());
    end.ok_or_else(|| wrong("expires_in must be a number with s, m, h or d, like 30d"))
}

async fn list(_: Admin, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    asked
        .page_of_all(desk.tokens.list().iter().map(|token| json!(token)).collect())
        .map(Json)
}

async fn create(
    _: Admin,
    State(desk): State<Desk>,
    asked: Asked,
    Input(order): Input<Order>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let new = order.read(desk.clock.now())?;
    if asked.dry_run()? {
        let view = json!({ "name": new.name, "role": new.role, "dry_run": true });
        return Ok((StatusCode::OK, Json(view)));
    }
    let (view, text) = desk.tokens.create(new).await?;
    let mut view = json!(view);
    view["token"] = json!(text.reveal());
    Ok((StatusCode::CREATED, Json(view)))
}

async fn one(_: Admin, State(desk): State<Desk>, name: Name) -> Result<Json<Value>, Problem> {
    let token = desk
        .tokens
        .get(&name.0)
        .ok_or_else(|| Problem::no_such("token", &name.0))?;
    Ok(Json(json!(token)))
}

async fn revoke(
    _: Admin,
    State(desk): State<Desk>,
    asked: Asked,
    name: Name,
) -> Result<Json<Value>, Problem> {
    let dry_run = asked.dry_run()?;
    desk.tokens.revoke(&name.0, dry_run).await?;
    Ok(Json(
        json!({ "id": name.0, "revoked": !dry_run, "dry_run": dry_run }),
    ))
}

async fn whoami(Member(caller): Member) -> Json<Value> {
    let Caller {
        token,
        name,
        role,
        tenant,
        source,
        ..
    } = caller;
    let tenant = tenant.map(|tenant| json!({ "id": tenant.id, "name": tenant.name, "role": tenant.role }));
    Json(json!({ "token": token, "name": name, "role": role, "tenant": tenant, "source": source }))
}

pub(crate) fn routes(tokens: &Tokens, clock: &Clock) -> Routes {
    let desk = Desk {
        tokens: tokens.clone(),
        clock: clock.clone(),
    };
    let drafts = [
        route::get("/api/v1/tokens", list)
            .summary("Lists the tokens")
            .paged()
            .answers(200, schema::page_of("Token")),
        route::post("/api/v1/tokens", create)
            .summary("Creates a token")
            .description("The answer holds the token's text. It is told this once and stored nowhere.")
            .body(schema::reference("NewToken"))
            .answers(201, schema::reference("CreatedToken"))
            .answers(200, schema::reference("TokenDryRun")),
        route::get("/api/v1/tokens/{id}", one)
            .summary("Shows a token")
            .answers(200, schema::reference("Token"))
            .errors(&[404]),
        route::delete("/api/v1/tokens/{id}", revoke)
            .summary("Revokes a token")
            .description("It stops being valid at once. The last valid admin token cannot be revoked.")
            .answers(200, schema::reference("RevokedToken"))
            .errors(&[404, 409]),
        route::get("/api/v1/whoami", whoami)
            .summary("Tells whose token the request carries")
            .tenants()
            .answers(200, schema::reference("Caller")),
    ];
    components(Routes::new("tokens", &desk, drafts))
}

fn components(routes: Routes) -> Routes {
    let role = "member has only what tenants give; viewer reads; operator also changes addresses and configuration; admin does everything.";
    let token = [
        ("id", schema::string("Public part of the token.")),
        ("name", schema::string("For people.")),
        ("role", schema::reference("Role")),
        ("created", schema::formatted("date-time", "When it was created.")),
        (
            "expires",
            schema::nullable(schema::formatted("date-time", "When it ends; null is never.")),
        ),
        (
            "last_used",
            schema::nullable(schema::formatted("date-time", "Last use; null is never.")),
        ),
    ];
    let mut created = token.to_vec();
    created.push(("token", schema::string("The token itself.")));
    routes
        .component("Role", schema::one_of(&["member", "viewer", "operator", "admin"], role))
        .component("Token", schema::object(&token))
        .component("CreatedToken", schema::object(&created))
        .component(
            "NewToken",
            schema::object(&[
                (
                    "name",
                    json!({ "type": "string", "minLength": 1, "maxLength": 100, "description": "For people." }),
                ),
                ("role", schema::reference("Role")),
                (
                    "expires?",
                    schema::nullable(schema::formatted("date-time", "When it shall end.")),
                ),
                (
                    "expires_in?",
                    schema::nullable(schema::matching(
                        "^[0-9]+[smhd]?$",
                        "Or after how long: 45s, 90m, 12h, 30d.",
                    )),
                ),
            ]),
        )
        .component(
            "TokenDryRun",
            schema::object(&[
                ("name", schema::string("As it would be.")),
                ("role", schema::reference("Role")),
                ("dry_run", schema::boolean("Always true.")),
            ]),
        )
        .component(
            "RevokedToken",
            schema::object(&[
                ("id", schema::string("Public part of the token.")),
                ("revoked", schema::boolean("False for a dry run.")),
                ("dry_run", schema::boolean("Whether nothing was done.")),
            ]),
        )
        .component(
            "Caller",
            schema::object(&[
                ("token", schema::string("Id of the token.")),
                ("name", schema::string("Name of the token.")),
                ("role", schema::reference("Role")),
                (
                    "tenant",
                    schema::nullable(schema::open_object(&["id", "name", "role"], &[])),
                ),
                (
                    "source",
                    schema::nullable(schema::string("Address the request came from.")),
                ),
            ]),
        )
}
