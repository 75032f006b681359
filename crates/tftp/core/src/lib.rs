//! Boot files as a pure, stepped core: transfers, limits, names and profiles.
//!
//! It knows no clock, socket, file or runtime. Time is an argument; what must be opened, sent or stored comes back as
//! values.

mod admission;
mod counters;
mod effect;
mod engine;
mod file_error;
mod peer;
pub mod plan;
pub mod profile;
pub mod reader;
pub mod reasons;
mod record;
pub mod rule;
pub mod settings;
pub mod template;
mod transfer;
mod view;
mod wheel;

pub use admission::{Admission, UnknownWho, Who};
pub use counters::Counters;
pub use effect::{Effect, Effects, Ended, Run, Small};
pub use engine::Engine;
pub use file_error::FileError;
pub use peer::{Peer, Slot};
pub use plan::{Ask, Facts, Plan, RelativePath, Resolved, Scheme};
pub use record::{BootRecord, HttpMethod, NAME_KEPT, RecordQuery, Stray, Told};
pub use view::{Readable, RequestView, TransferView};
