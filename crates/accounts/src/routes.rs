//! `/api/v1/auth`, `/api/v1/tenants`, `/api/v1/invitations`.

mod auth;
mod keys;
mod members;
mod tenants;
mod users;

use crate::Desk;
use purlin_api::route::{Draft, Routes};

/// The routes over the accounts.
#[must_use]
pub fn routes(desk: &Desk) -> Routes {
    let drafts = auth::drafts()
        .into_iter()
        .chain(users::drafts())
        .chain(tenants::drafts())
        .chain(members::drafts())
        .chain(keys::drafts())
        .map(Draft::error_members);
    tenants::components(users::components(Routes::new("accounts", desk, drafts)))
}
