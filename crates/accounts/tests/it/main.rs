//! Users, sessions, tenants and keys over the routes that a client has.

mod engines;
mod oidc;
mod postgres;
mod sessions;
mod tenants;
mod world;
