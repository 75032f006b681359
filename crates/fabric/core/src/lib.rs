//! The fabric: how many nodes become one system.
//!
//! Everything here is pure. Time is an argument, the store and the network are values that come in and actions that go
//! out, so that the same functions run in production, in property tests, in the model checker and in the simulator.
//!
//! ```text
//!   ClaimStore (PostgreSQL, or in-process) ──View, Renewal, Won──► claims: who may decide, under which epoch
//!   Hints (Redis, or in-process)           ──heartbeats, events──► routing and display only: never ownership
//! ```
//!
//! A claim's life: nobody's, it is taken by the node that the plan wants; it is held while that node's lease is unbroken;
//! it is given back after everything is flushed, and the next one takes it at once. When its holder's lease lapses under
//! others' eyes, the next in the plan takes it by force: it is suspect then, and stays so in the store, until an owner
//! has waited out MCLT and settled it. The pieces: [`lease`] (mine), [`observe`] (others'), [`right`] (to claim),
//! [`coordinator`] (all of it).
//!
//! The fabric knows no service. What a service sees of it is a [`purlin_types::Tenure`] and a set of slots.

pub mod backoff;
pub mod balance;
pub mod capacity;
pub mod coordinator;
pub mod drain;
pub mod event;
pub mod glob;
pub mod health;
pub mod holdings;
pub mod invalidate;
pub mod lease;
pub mod lock;
pub mod member;
pub mod observe;
pub mod plan;
pub mod port;
pub mod presence;
pub mod resume;
pub mod right;
pub mod ring;
pub mod scaling;
pub mod session;
pub mod settings;

pub use coordinator::{Action, Coordinator, Denied, Input};
pub use event::Event;
pub use holdings::Holdings;
pub use member::{Member, NotReady, Suspicion};
pub use settings::Timing;
