//! The OVN platform: what people and programs do to a northbound database through Purlin.
//!
//! ```text
//!   HTTP ─► routes ─► write ─► ovn/core: a guarded plan ─► ovsdb: one transaction ─► northbound ─► northd ─► chassis
//!             │                                                                          │            │
//!             └─ reads from a snapshot in memory ◄──────────── replica ◄─────────────────┘            │
//!                            wait=sb|hv: nb_cfg raised with the change, told when they have caught up ◄┘
//! ```
//!
//! OVN's own database is the store of everything that OVN knows. Nothing is kept twice.

mod backups;
mod bindings;
mod copies;
mod documents;
mod events;
mod flows;
mod graph;
mod held;
mod history;
mod journal;
mod kept;
mod lists;
mod matrix;
mod metrics;
mod operations;
mod orders;
pub mod ovncp;
mod platform;
mod programs;
mod realised;
mod reasons;
mod routes;
mod scratch;
pub mod settings;
mod shown;
mod stream;
mod teller;
mod templates;
mod trace;
mod typed;
mod whatif;
mod within;
mod write;
mod yaml;

pub use events::events;
pub use held::HeldAddresses;
pub use history::{Bounds, History};
pub use metrics::OvnMetrics;
pub use operations::{News, Operating};
pub use platform::{Platform, Settings};
pub use programs::{Tools, find_program};
pub use purlin_ovn_core::serving::Held;
pub use reasons::REASONS;
pub use routes::routes;
pub use teller::PortTeller;
