//! Accounts: users who log in with a password, and tenants with members, settings, quotas, invitations and keys.
//!
//! ```text
//!   purlin_api::Gate ── whose session or key is it? member of this tenant? ──► Desk ◄── routes /auth, /tenants, /invitations
//!                                                                               │
//!                                              shelves: all rows in memory, each write compared and set in the store first
//! ```
//!
//! Nobody has a default password: there is no user until an admin makes one. What was shown once (passwords that were
//! made here, keys, invitations, tokens of sessions) is kept as a hash. What is in a tenant's networks others know:
//! they are asked through [`Belongings`].

mod desk;
mod keys;
mod login;
mod members;
mod moving;
mod oidc;
mod routes;
mod secret;
mod sessions;
mod shelf;
mod tenants;
mod users;

pub use desk::{Belongings, Desk};
pub use moving::copy_accounts;
pub use routes::routes;
pub use tenants::{DEFAULT_QUOTAS, Kind};
