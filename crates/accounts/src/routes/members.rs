//! Members of tenants, and invitations to them.

use crate::Desk;
use crate::desk::identity;
use crate::members::{INVITATION_SECS, Invitation, Membership};
use crate::secret::{self, Use};
use crate::shelf::Edit;
use crate::users::check_email;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input, Name, Numbered};
use purlin_api::route::{self, Draft};
use purlin_api::{Member, Problem, Role, passwords, schema};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn drafts() -> Vec<Draft<Desk>> {
    let membership = || schema::open_object(&["tenant_id", "user_id", "role"], &[]);
    let invitation = || schema::open_object(&["id", "tenant_id", "email", "role"], &[]);
    let role = || {
        let words = "What it may do in the tenant.";
        ("role", schema::one_of(&["viewer", "operator", "admin"], words))
    };
    vec![
        Numbered::declare(route::get("/api/v1/tenants/{id}/members", list))
            .summary("Lists the members of a tenant")
            .answers(200, Numbered::schema("members", membership()))
            .errors(&[404]),
        route::post("/api/v1/tenants/{id}/members", add)
            .summary("Makes a user, or a token of the API, a member")
            .body(schema::object(&[
                ("user_id", schema::word("Id or username of a user, or id of a token.")),
                role(),
            ]))
            .answers(201, membership())
            .answers(200, membership())
            .errors(&[404]),
        route::delete("/api/v1/tenants/{id}/members/{user_id}", remove)
            .summary("Ends a membership, at once")
            .answers(200, membership())
            .errors(&[404]),
        route::put("/api/v1/tenants/{id}/members/{user_id}/role", change)
            .summary("Gives a member another role, at once")
            .body(schema::object(&[role()]))
            .answers(200, membership())
            .errors(&[404]),
        Numbered::declare(route::get("/api/v1/tenants/{id}/invitations", invitations))
            .summary("Lists the invitations to a tenant")
            .answers(200, Numbered::schema("invitations", invitation()))
            .errors(&[404]),
        route::post("/api/v1/tenants/{id}/invitations", invite)
            .summary("Invites whoever has an address")
            .description("The answer shows the token this once. The user of that address accepts with it, within seven days.")
            .body(schema::object(&[("email", schema::word("Of the user.")), role()]))
            .answers(201, invitation())
            .answers(200, invitation())
            .errors(&[404]),
        route::post("/api/v1/invitations/{token}/accept", accept)
            .summary("Becomes a member by an invitation")
            .answers(200, membership())
            .errors(&[404]),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    user_id: String,
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: Role,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewInvitation {
    email: String,
    role: Role,
}

/// A role in a tenant.
fn check_role(role: Role) -> Result<Role, Problem> {
    if role == Role::Member {
        return Err(Problem::wrong_shape("role: viewer, operator or admin"));
    }
    Ok(role)
}

impl Desk {
    fn shown(&self, membership: &Membership) -> Value {
        let name = match self.0.users.get(&membership.user) {
            Some(user) => Some(user.username.clone()),
            None => self.0.tokens.get(&membership.user).map(|token| token.name),
        };
        membership.view(name.as_deref())
    }

    /// Who a membership may be for.
    fn member_id(&self, word: &str) -> Result<String, Problem> {
        match self.user(word) {
            Ok(user) => Ok(user.id.clone()),
            Err(missing) => self.0.tokens.get(word).map(|token| token.id).ok_or(missing),
        }
    }
}

async fn list(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let (tenant, _) = desk.member(&caller, &name.0, Role::Viewer)?;
    let members = desk.0.members.under(&format!("{}/", tenant.id));
    let all = members
        .iter()
        .map(|(_, membership)| desk.shown(membership))
        .collect();
    Ok(Json(Numbered::of(&asked)?.cut("members", all)))
}

async fn add(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
    Input(new): Input<New>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    let user = desk.member_id(&new.user_id)?;
    let id = Membership::id(&tenant.id, &user);
    if desk.0.members.get(&id).is_some() {
        return Err(Problem::already_there("member", &new.user_id));
    }
    let membership = Membership {
        tenant: tenant.id.clone(),
        user,
        role: check_role(new.role)?,
        created: desk.now(),
        created_by: caller.name.clone(),
    };
    let shown = desk.shown(&membership);
    if asked.dry_run()? {
        return Ok((StatusCode::OK, Json(shown)));
    }
    caller
        .note
        .leave(json!({ "tenant": tenant.name, "member": shown["name"], "role": new.role }));
    let mut edit = Edit::default();
    desk.0.members.put(&mut edit, &id, membership);
    edit.commit(&desk.0.ledger).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn change(
    Member(caller): Member,
    State(desk): State<Desk>,
    Path((tenant, user)): Path<(String, String)>,
    asked: Asked,
    Input(body): Input<NewRole>,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &tenant, Role::Admin)?;
    let id = Membership::id(&tenant.id, &desk.member_id(&user)?);
    let found = desk
        .0
        .members
        .get(&id)
        .ok_or_else(|| Problem::no_such("member", &user))?;
    let mut next = (*found).clone();
    next.role = check_role(body.role)?;
    let shown = desk.shown(&next);
    if !asked.dry_run()? {
        caller.note.leave(
            json!({ "tenant": tenant.name, "member": shown["name"], "role": [found.role, body.role] }),
        );
        let mut edit = Edit::default();
        desk.0.members.put(&mut edit, &id, next);
        edit.commit(&desk.0.ledger).await?;
    }
    Ok(Json(shown))
}

async fn remove(
    Member(caller): Member,
    State(desk): State<Desk>,
    Path((tenant, user)): Path<(String, String)>,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, role) = desk.member(&caller, &tenant, Role::Viewer)?;
    // A token may be gone before its membership is.
    let user_id = desk.member_id(&user).unwrap_or_else(|_| user.clone());
    if role < Role::Admin && user_id != identity(&caller) {
        return Err(crate::desk::too_little(&tenant, role, Role::Admin));
    }
    let id = Membership::id(&tenant.id, &user_id);
    let found = desk
        .0
        .members
        .get(&id)
        .ok_or_else(|| Problem::no_such("member", &user))?;
    let shown = desk.shown(&found);
    if !asked.dry_run()? {
        caller
            .note
            .leave(json!({ "tenant": tenant.name, "member": shown["name"], "gone": true }));
        let mut edit = Edit::default();
        desk.0.members.take(&mut edit, &id);
        edit.commit(&desk.0.ledger).await?;
    }
    Ok(Json(shown))
}

async fn invitations(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    let all = desk
        .0
        .invitations
        .all(|invitation| invitation.tenant == tenant.id);
    let all = all.iter().map(|invitation| invitation.view()).collect();
    Ok(Json(Numbered::of(&asked)?.cut("invitations", all)))
}

async fn invite(
    Member(caller): Member,
    State(desk): State<Desk>,
    name: Name,
    asked: Asked,
    Input(new): Input<NewInvitation>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let _writing = desk.0.writer.lock().await;
    let (tenant, _) = desk.member(&caller, &name.0, Role::Admin)?;
    check_email(&new.email)?;
    let (id, now) = (secret::new_id(), desk.now());
    let (text, digest) = secret::make(Use::Invitation, &id);
    let invitation = Invitation {
        id,
        tenant: tenant.id.clone(),
        email: new.email,
        role: check_role(new.role)?,
        digest,
        expires: now + INVITATION_SECS,
        accepted: None,
        created: now,
        created_by: caller.name.clone(),
    };
    let mut shown = invitation.view();
    if asked.dry_run()? {
        return Ok((StatusCode::OK, Json(shown)));
    }
    caller
        .note
        .leave(json!({ "tenant": tenant.name, "invited": invitation.email, "role": new.role }));
    let mut edit = Edit::default();
    // Those that nobody can accept any more make room.
    let over = desk
        .0
        .invitations
        .all(|old| old.expires <= now && old.accepted.is_none());
    for old in over {
        desk.0.invitations.take(&mut edit, &old.id);
    }
    desk.0
        .invitations
        .put(&mut edit, &invitation.id.clone(), invitation);
    edit.commit(&desk.0.ledger).await?;
    shown["token"] = json!(text);
    Ok((StatusCode::CREATED, Json(shown)))
}

async fn accept(
    Member(caller): Member,
    State(desk): State<Desk>,
    token: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let _writing = desk.0.writer.lock().await;
    let now = desk.now();
    // Every reason not to be one is the same to whoever asks.
    let missing = || Problem::no_such("invitation", "of this token for you");
    let Some((Use::Invitation, id)) = secret::read(&token.0) else {
        return Err(missing());
    };
    let invitation = desk.0.invitations.get(id).ok_or_else(missing)?;
    let user = desk.user_of(&caller).ok_or_else(missing)?;
    let holds = passwords::has_digest(&token.0, &invitation.digest)
        && invitation.accepted.is_none()
        && invitation.expires > now
        && user.email.eq_ignore_ascii_case(&invitation.email)
        && desk.0.tenants.get(&invitation.tenant).is_some();
    if !holds {
        return Err(missing());
    }
    let member = Membership::id(&invitation.tenant, &user.id);
    let before = desk.0.members.get(&member);
    let membership = Membership {
        tenant: invitation.tenant.clone(),
        user: user.id.clone(),
        role: before.map_or(invitation.role, |before| before.role.max(invitation.role)),
        created: now,
        created_by: invitation.created_by.clone(),
    };
    let shown = desk.shown(&membership);
    if asked.dry_run()? {
        return Ok(Json(shown));
    }
    caller
        .note
        .leave(json!({ "tenant": invitation.tenant, "accepted": invitation.id }));
    let mut edit = Edit::default();
    let mut used = (*invitation).clone();
    used.accepted = Some(now);
    desk.0.invitations.put(&mut edit, id, used);
    desk.0.members.put(&mut edit, &member, membership);
    edit.commit(&desk.0.ledger).await?;
    Ok(Json(shown))
}
