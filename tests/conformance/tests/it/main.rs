//! Conformance: stock clients, relays and load generators against `purlin up`, by service.

mod boot;
mod cluster;
mod dhcp;
