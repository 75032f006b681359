//! The HTTP and WebSocket shell: everything about talking to people and programs, nothing about any service.
//!
//! ```text
//!   serve (TCP, TLS) ─► shell (ids, problems, login, audit, idempotency) ─► route tables ─► handlers
//!                                                                            │
//!   tokens  audit  revisions  events  health  metrics  openapi  ◄────────────┘ service routes come from above
//! ```
//!
//! Entry points: [`shell::Shell`] puts routers together, [`route`] is how routes are declared, [`serve`] listens.
//! Services and the composition root hand in what this crate must not know: [`revisions::ConfigHost`],
//! [`events::EventSource`], [`health::HealthSource`], [`metrics::MetricsSource`], [`node::NodeSource`].

pub mod access;
pub mod asked;
pub mod audit;
pub mod clock;
pub mod events;
pub mod explain;
pub mod gate;
pub mod health;
pub mod ledger;
pub mod metrics;
pub mod node;
pub mod openapi;
pub mod passwords;
pub mod past;
pub mod problem;
pub mod rates;
pub mod reasons;
pub mod revisions;
pub mod route;
pub mod schema;
pub mod serve;
pub mod shell;
pub mod standing;
pub mod story;
pub mod tenancy;
pub mod tls;
pub mod tokens;

pub use access::{Admin, Caller, Entered, Member, Open, Operator, Role, Viewer};
pub use problem::Problem;
pub use reasons::REASONS;
pub use shell::Shell;
pub use standing::Standing;
