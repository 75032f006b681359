//! Durable records: the traits that every engine must pass the same contract for.
//!
//! Three shapes, because three kinds of truth have different prices:
//!
//! ```text
//!   packet thread ──append(frame)──► Journal ──► segment files, group fdatasync ──► durable() grows, wake()
//!   API, revisions ─commit(batch)──► Records ──► atomic, durable on return, compare-and-set
//!   a cluster's nodes ─write(rows)─► FencedRows ─► all or none, and only under claims still held
//! ```
//!
//! A [`Journal`] belongs to one packet thread. `append` returns once the frame is *written* (it survives the
//! death of the process); it is *durable* (survives power loss) once [`Journal::durable`] has reached the
//! returned position. Frames are opaque here: this crate knows no service.
//!
//! Fail-stop is part of the contract: after a failed sync nothing is ever acknowledged again by that journal
//! (the page cache may have forgotten what the disk never got); a full disk refuses new frames and recovers.

mod fenced;
mod journal;
mod records;
mod standing;

pub mod contract;

pub use fenced::{FenceFault, FencedRow, FencedRows, Later, Rival, StoredRow, Tally, Written};
pub use journal::{AppendError, Journal, JournalEngine, JournalHealth, OpenError, Position, Replay, Wake};
pub use records::{Batch, Expectation, RecordError, Records, Row};
pub use standing::{Copies, Standing};
