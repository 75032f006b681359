//! Conformance: stock clients, relays and load generators against `purlin up`, by service.

mod balancing;
mod boot;
mod chain;
mod charting;
mod cluster;
mod cluster_views;
mod dhcp;
mod growing;
mod installing;
mod joining;
mod ovn;
mod sessions;
mod tiers;
