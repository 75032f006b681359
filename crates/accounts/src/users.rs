//! People who log in with a name and a password.

use purlin_api::clock::rfc3339_secs;
use purlin_api::{Problem, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Shortest and longest password.
pub(crate) const PASSWORD_LEN: (usize, usize) = (12, 256);

/// One row of the table `users`. Times are seconds since the Unix epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    /// Argon2id in PHC form.
    pub(crate) hash: String,
    /// Who says who it is; a user that logs in here has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) elsewhere: Option<Elsewhere>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) last_login: Option<i64>,
}

/// A user of a provider: the two together are for good, unlike names and addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    pub(crate) issuer: String,
    pub(crate) subject: String,
}

impl User {
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "username": self.username,
            "name": self.name,
            "email": self.email,
            "role": self.role,
            "provider": self.elsewhere.as_ref().map_or("local", |from| from.issuer.as_str()),
            "active": true,
            "created_at": at(self.created),
            "updated_at": at(self.updated),
            "last_login_at": self.last_login.map(at),
        })
    }
}

/// Seconds since the Unix epoch as RFC 3339.
pub(crate) fn at(secs: i64) -> String {
    rfc3339_secs(u32::try_from(secs).unwrap_or(if secs < 0 { 0 } else { u32::MAX }))
}

/// A name to log in by.
pub(crate) fn check_username(name: &str) -> Result<(), Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(Problem::wrong_shape(format!(
        "username {name:?}: 1 to 64 letters, digits, and . _ @ -"
    )))
}

pub(crate) fn check_password(username: &str, password: &str) -> Result<(), Problem> {
    let (least, most) = PASSWORD_LEN;
    if !(least..=most).contains(&password.len()) {
        let detail = format!("a password has {least} to {most} octets; leave it out to have one made");
        return Err(Problem::wrong_shape(detail));
    }
    if password.eq_ignore_ascii_case(username) {
        return Err(Problem::wrong_shape("the password is the username"));
    }
    Ok(())
}

pub(crate) fn check_email(email: &str) -> Result<(), Problem> {
    let formed = email
        .split_once('@')
        .is_some_and(|(who, host)| !who.is_empty() && host.contains('.') && !host.contains('@'));
    if formed && email.len() <= 254 && !email.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err(Problem::wrong_shape(format!(
        "{email:?} is no address of the form name@host"
    )))
}
