//! Users, made and ended by admins.

use crate::Desk;
use crate::desk::identity;
use crate::secret::new_id;
use crate::shelf::{Edit, ROWS_MAX};
use crate::users::{User, check_email, check_password, check_username};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::{Admin, Member, Problem, Role, passwords, reasons, schema};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn drafts() -> Vec<Draft<Desk>> {
    let user = || schema::reference("User");
    let made = || schema::open_object(&["user"], &[]);
    let role = || ("role", schema::reference("Role"));
    let password = || {
        let words = "12 to 256 octets; absent to have one made, which the answer shows this once.";
        ("password?", schema::nullable(schema::string(words)))
    };
    vec![
        route::get("/api/v1/auth/users", list)
            .summary("Lists the users")
            .query("offset", schema::count("Users to skip; 0 when absent."))
            .limited("Users to list; 100 when absent.")
            .answers(
                200,
                schema::object(&[
                    ("users", schema::array(user())),
                    ("total", schema::count("How many there are.")),
                ]),
            ),
        route::post("/api/v1/auth/users", create)
            .summary("Makes a user")
            .body(schema::object(&[
                ("username", schema::word("By which one logs in.")),
                role(),
                ("name?", schema::nullable(schema::string("For people."))),
                (
                    "email?",
                    schema::nullable(schema::string("By which invitations find it.")),
                ),
                password(),
            ]))
            .answers(201, made())
            .answers(200, made()),
        route::get("/api/v1/auth/users/{id}", one)
            .summary("Shows a user, by id or username")
            .answers(200, user())
            .errors(&[404]),
        route::put("/api/v1/auth/users/{id}/role", change_role)
            .summary("Gives a user another role, at once")
            .body(schema::object(&[role()]))
            .answers(200, user())
            .errors(&[404]),
        route::put("/api/v1/auth/users/{id}/password", change_password)
            .summary("Gives a user another password and ends its sessions")
            .description("Admins do this for everybody, others for themselves with `current_password`.")
            .body(schema::object(&[
                password(),
                (
                    "current_password?",
                    schema::nullable(schema::string("The one that it has; needed for oneself.")),
                ),
            ]))
            .answers(200, made())
            .errors(&[401, 404]),
        route::delete("/api/v1/auth/users/{id}", remove)
            .summary("Takes a user away with its sessions and memberships, at once")
            .answers(200, schema::open_object(&["id"], &[]))
            .errors(&[404]),
    ]
}

pub(super) fn components(routes: Routes) -> Routes {
    let text = schema::string;
    routes
        .component(
            "User",
            schema::open_object(
                &["id", "username", "role"],
                &[
                    ("id", text("For paths and memberships.")),
                    ("username", text("By which it logs in.")),
                    ("role", schema::reference("Role")),
                ],
            ),
        )
        .component(
            "OpenedSession",
            schema::open_object(
                &["access_token", "refresh_token", "expires_at", "user"],
                &[
                    ("access_token", text("For the header Authorization: Bearer.")),
                    ("refresh_token", text("For the next one; works once.")),
                    (
                        "expires_at",
                        schema::formatted("date-time", "When the access token ends."),
                    ),
                    ("user", schema::reference("User")),
                ],
            ),
        )
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    username: String,
    role: Role,
    name: Option<String>,
    email: Option<String>,
    password: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: Option<String>,
    current_password: Option<String>,
}

impl Desk {
    /// A user by id or username.
    pub(crate) fn user(&self, word: &str) -> Result<Arc<User>, Problem> {
        let found = self.0.users.get(word);
        let found = found.or_else(|| self.0.users.find(|user| user.username == word));
        found.ok_or_else(|| Problem::no_such("user", word))
    }
}

async fn list(_: Admin, State(desk): State<Desk>, asked: Asked) -> Result<Json<Value>, Problem> {
    let limit = asked.limit()?;
    let offset: usize = asked.parsed("offset", "a number from 0")?.unwrap_or(0);
    let mut all = desk.0.users.all(|_| true);
    all.sort_by(|a, b| a.username.cmp(&b.username));
    let total = all.len();
    let users: Vec<Value> = all
        .iter()
        .skip(offset)
        .take(limit)
        .map(|user| user.view())
        .collect();
    Ok(Json(json!({ "users": users, "total": total })))
}

async fn create(
    Admin(caller): Admin,
    State(desk): State<Desk>,
    asked: Asked,
    Input(new): Input<New>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    check_username(&new.username)?;
    let email = new.email.unwrap_or_default();
    if !email.is_empty() {
        check_email(&email)?;
    }
    let (password, made) = chosen(&new.username, new.password)?;
    let dry = asked.dry_run()?;
    let hash = if dry {
        String::new()
    } else {
        desk.hash(password).await?
    };
    let _writing = desk.0.writer.lock().await;
    if desk.user(&new.username).is_ok() {
        return Err(Problem::already_there("user", &new.username));
    }
    let taken = |user: &User| !email.is_empty() && user.email.eq_ignore_ascii_case(&email);
    if desk.0.users.find(taken).is_some() {
        return Err(Problem::already_there("user with the address", &email));
    }
    if desk.0.users.len() >= ROWS_MAX {
        return Err(Problem::not_possible(format!(
            "there are {ROWS_MAX} users already"
        )));
    }
    let now = desk.now();
    let user = User {
        id: format!("usr-{}", new_id()),
        name: new.name.unwrap_or_else(|| new.username.clone()),
        username: new.username,
        email,
        role: new.role,
        hash,
        elsewhere: None,
        created: now,
        updated: now,
        last_login: None,
    };
    let mut answer = json!({ "user": user.view() });
    if dry {
        return Ok((StatusCode::OK, Json(answer)));
    }
    caller
        .note
        .leave(json!({ "user": user.username, "role": user.role }));
    if let Some(made) = made {
        answer["password"] = json!(made);
    }
    let mut edit = Edit::default();
    desk.0.users.put(&mut edit, &user.id.clone(), user);
    edit.commit(&desk.0.ledger).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The password, and the same when it was made here and must be shown.
fn chosen(username: &str, given: Option<String>) -> Result<(String, Option<String>), Problem> {
    match given {
        Some(password) => {
            check_password(username, &password)?;
            Ok((password, None))
        }
        None => {
            let made = passwords::random_hex::<12>();
            Ok((made.clone(), Some(made)))
        }
    }
}

async fn one(_: Admin, State(desk): State<Desk>, name: Name) -> Result<Json<Value>, Problem> {
    desk.user(&name.0).map(|user| Json(user.view()))
}

async fn change_role(
    Admin(caller): Admin,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
    Input(body): Input<NewRole>,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let user = desk.user(&name.0)?;
    let mut next = (*user).clone();
    next.role = body.role;
    next.updated = desk.now();
    let view = next.view();
    if !asked.dry_run()? {
        caller
            .note
            .leave(json!({ "user": user.username, "role": [user.role, body.role] }));
        let mut edit = Edit::default();
        desk.0.users.put(&mut edit, &user.id, next);
        edit.commit(&desk.0.ledger).await?;
    }
    Ok(Json(view))
}

async fn change_password(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
    Input(body): Input<NewPassword>,
) -> Result<Json<Value>, Problem> {
    let own = |user: &User| user.id == identity(&caller);
    let user = desk.user(&name.0).ok();
    let user = user.filter(|user| caller.own_role == Role::Admin || own(user));
    let user = user.ok_or_else(|| Problem::no_such("user", &name.0))?;
    if let Some(from) = &user.elsewhere {
        let detail = format!(
            "{:?} logs in at {}, and has no password here",
            user.username, from.issuer
        );
        return Err(Problem::not_possible(detail));
    }
    if own(&user) {
        let current = body.current_password.clone().unwrap_or_default();
        if !desk.check(current, user.hash.clone()).await? {
            let detail = "current_password is not the password that you have";
            return Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                &reasons::LOGIN_REFUSED,
                detail,
            ));
        }
    }
    let (password, made) = chosen(&user.username, body.password)?;
    let mut answer = json!({ "user": user.view() });
    if asked.dry_run()? {
        return Ok(Json(answer));
    }
    let hash = desk.hash(password).await?;
    if let Some(made) = made {
        answer["password"] = json!(made);
    }
    let _writing = desk.0.writer.lock().await;
    let mut next = (*desk.user(&user.id)?).clone();
    next.hash = hash;
    next.updated = desk.now();
    caller
        .note
        .leave(json!({ "user": user.username, "password": "changed" }));
    let mut edit = Edit::default();
    desk.0.users.put(&mut edit, &user.id, next);
    desk.end_sessions(&mut edit, &user.id);
    edit.commit(&desk.0.ledger).await?;
    Ok(Json(answer))
}

async fn remove(
    Admin(caller): Admin,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let user = desk.user(&name.0)?;
    let answer = json!({ "id": user.id, "username": user.username });
    if asked.dry_run()? {
        return Ok(Json(answer));
    }
    caller.note.leave(json!({ "user": user.username, "gone": true }));
    let mut edit = Edit::default();
    desk.0.users.take(&mut edit, &user.id);
    desk.end_sessions(&mut edit, &user.id);
    for membership in desk.0.members.all(|membership| membership.user == user.id) {
        let id = crate::members::Membership::id(&membership.tenant, &membership.user);
        desk.0.members.take(&mut edit, &id);
    }
    edit.commit(&desk.0.ledger).await?;
    Ok(Json(answer))
}
