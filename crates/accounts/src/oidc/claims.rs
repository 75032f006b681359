//! From what a provider says of somebody to a user here: found by issuer and subject, with the role and the tenants of its
//! groups.

use crate::Desk;
use crate::members::Membership;
use crate::secret::new_id;
use crate::shelf::{Edit, ROWS_MAX};
use crate::users::{Elsewhere, User, check_email, check_username};
use purlin_api::{Problem, Role};
use purlin_config::sections::oidc::OidcSettings;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Who made a membership that a login brought, and may take again.
const BY: &str = "oidc:";

impl Desk {
    /// The user of these claims, made or brought up to date.
    pub(super) async fn person(
        &self,
        settings: &OidcSettings,
        claims: &Map<String, Value>,
    ) -> Result<String, Problem> {
        let _writing = self.0.writer.lock().await;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
        let from = Elsewhere {
            issuer: settings.issuer.clone(),
            subject: text("sub").to_owned(),
        };
        let groups = groups(claims, &settings.groups_claim);
        let now = self.now();
        let known = self.0.users.find(|user| user.elsewhere.as_ref() == Some(&from));
        let mut user = match known {
            Some(user) => (*user).clone(),
            None => self.newcomer(settings, claims, from)?,
        };
        if !settings.roles.is_empty() {
            user.role = role(settings, &groups);
        }
        if !text("name").is_empty() {
            user.name = text("name").chars().take(100).collect();
        }
        // Invitations are for addresses: one that the provider has not verified may be anybody's.
        let email = text("email");
        let verified = claims.get("email_verified").and_then(Value::as_bool) == Some(true);
        let taken = |other: &User| other.id != user.id && other.email.eq_ignore_ascii_case(email);
        if verified && check_email(email).is_ok() && self.0.users.find(taken).is_none() {
            email.clone_into(&mut user.email);
        }
        user.updated = now;
        let id = user.id.clone();
        let mut edit = Edit::default();
        self.belong(&mut edit, settings, &groups, &id);
        self.0.users.put(&mut edit, &id, user);
        edit.commit(&self.0.ledger).await?;
        Ok(id)
    }

    fn newcomer(
        &self,
        settings: &OidcSettings,
        claims: &Map<String, Value>,
        from: Elsewhere,
    ) -> Result<User, Problem> {
        let claim = settings.username_claim.as_str();
        let username = claims
            .get(claim)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        check_username(&username).map_err(|_| {
            let detail = format!(
                "the claim {claim} of the provider, {username:?}, is no username: see oidc.username_claim"
            );
            Problem::not_possible(detail)
        })?;
        if self
            .0
            .users
            .find(|user| user.username == username || user.id == username)
            .is_some()
        {
            let detail = format!(
                "there is another user {username:?} here, which this login does not become: an admin renames one of them, or takes it away"
            );
            return Err(Problem::not_possible(detail));
        }
        if self.0.users.len() >= ROWS_MAX {
            return Err(Problem::not_possible(format!(
                "there are {ROWS_MAX} users already"
            )));
        }
        let now = self.now();
        Ok(User {
            id: format!("usr-{}", new_id()),
            name: username.clone(),
            username,
            email: String::new(),
            role: Role::Member,
            // No password has this hash.
            hash: String::new(),
            elsewhere: Some(from),
            created: now,
            updated: now,
            last_login: None,
        })
    }

    /// The memberships of its groups come; those that an earlier login brought and this one does not go. What people
    /// here gave stays as it is.
    fn belong<'a>(&'a self, edit: &mut Edit<'a>, settings: &OidcSettings, groups: &[String], user: &str) {
        let by = format!("{BY}{}", settings.name);
        let mut wanted: BTreeMap<String, Role> = BTreeMap::new();
        for (group, tenant, role) in &settings.tenants {
            if let Some(tenant) = self.tenant(tenant).filter(|_| groups.contains(group)) {
                let role = word(role);
                let held = wanted.entry(tenant.id.clone()).or_insert(role);
                *held = (*held).max(role);
            }
        }
        let own = self.0.members.all(|member| member.user == user);
        for member in own
            .iter()
            .filter(|member| member.created_by == by && !wanted.contains_key(&member.tenant))
        {
            self.0.members.take(edit, &Membership::id(&member.tenant, user));
        }
        for (tenant, role) in wanted {
            let held = own.iter().find(|member| member.tenant == tenant);
            if held.is_some_and(|held| held.created_by != by || held.role == role) {
                continue;
            }
            let membership = Membership {
                tenant: tenant.clone(),
                user: user.to_owned(),
                role,
                created: self.now(),
                created_by: by.clone(),
            };
            self.0
                .members
                .put(edit, &Membership::id(&tenant, user), membership);
        }
    }
}

fn role(settings: &OidcSettings, groups: &[String]) -> Role {
    let roles = groups.iter().filter_map(|group| settings.roles.get(group));
    roles.map(|role| word(role)).max().unwrap_or(Role::Member)
}

/// The configuration has none but these.
fn word(role: &str) -> Role {
    match role {
        "admin" => Role::Admin,
        "operator" => Role::Operator,
        _ => Role::Viewer,
    }
}

/// A claim by its name, or by its path: `realm_access.roles` inside of an object.
pub(super) fn claim<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    // A claim may have dots in its own name, as a URL has.
    claims.get(path).or_else(|| {
        let mut parts = path.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// The texts of a claim.
fn groups(claims: &Map<String, Value>, path: &str) -> Vec<String> {
    match claim(claims, path) {
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}
