//! DHCPv4 decisions as a pure, stepped core: leases, classes, reservations and the safety rules R0-R7.
//!
//! It knows no clock, socket, file or runtime. Time, ownership and entropy are arguments; what must be written
//! and what may be sent come back as values (`step`).

pub mod expr;
pub mod pin;
pub mod reader;
pub mod settings;
pub mod step;
pub mod view;

mod boot;
mod counters;
mod engine;
mod hold;
mod lease;
mod limit;
mod malformed;
mod network;
mod outside;
mod plan;
mod pool;
pub mod reasons;
mod record;
mod relay;
pub mod rows;
mod share;
mod steady;
mod table;
mod template;
mod unclean;

pub use counters::Counters;
pub use engine::{Engine, Takeover};
pub use hold::{HoldView, Recovery};
pub use outside::{Outside, Served};
pub use plan::{CLASSES_MAX, Plan};
pub use purlin_dhcp_proto::Arch;
pub use reasons::REASONS;
pub use steady::SteadyClock;
