//! Tenants: whose part of the network a row is, what a tenant sees of the whole, and what it may do there.
//!
//! ```text
//!   whole northbound ─► view: rows with the tenant's mark, what hangs on them, what is shared ─► all that is read
//!                 │                                    │
//!                 └────────────► plan_within ◄─────────┘   decided in the view, guarded by the whole
//! ```
//!
//! OVN knows no tenants: the mark is a key in `external_ids`. Whatever has none, or has no column for it, belongs to
//! whom its parent belongs. What a tenant does not see is not there for it: it cannot be named, found out or changed.

mod bounds;
mod passage;
mod view;
mod within;

pub use bounds::NAMED;
pub(crate) use bounds::may_have;
pub use bounds::{Bound, Confine, QUOTAS, tables_of};
pub use passage::{Passage, Seen, passages};
pub(crate) use view::{carrier, is_shared};
pub use view::{count, follow, rows, tenant_of, usage, view};
pub use within::plan_within;

/// Key in `external_ids` that says which tenant a row belongs to.
pub const TENANT_KEY: &str = "purlin-tenant";

/// Key in `external_ids` of rows that tenants may use, if their settings allow external networks; its value is `true`.
pub const SHARED_KEY: &str = "purlin-shared";

/// Start of the key in `NB_Global.external_ids` that counts what the tenants of one tree have brought, so that two of
/// them cannot bring the last row that a quota allows.
pub(crate) const TALLY_KEY: &str = "purlin-tally-";
