//! Users, sessions, tenants and keys over the routes that a client has.

mod sessions;
mod tenants;
mod world;
