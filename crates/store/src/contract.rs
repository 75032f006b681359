//! The contract suite: run it over every engine.
//!
//! An engine's tests give a closure that makes a rig: fresh storage, and the faults it can simulate. A check
//! whose fault the rig cannot simulate is left out, so a real disk and a crash-simulating one run the same suite.

mod bell;
pub mod fenced;
pub mod journal;
mod memory;
pub mod records;

pub use bell::Bell;
pub use fenced::FencedRig;
pub use journal::JournalRig;
pub use memory::MemoryRecords;
