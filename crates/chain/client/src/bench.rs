//! Load on the chain of any node, with everything verified afterwards.
//!
//! ```text
//!   options   how many of what, how fast, through which connections
//!   prepare   senders funded, contracts deployed            accounts  what the chain holds before the clock runs
//!   plan    ─ every transaction: who, to whom, how much      sign      the requests, octet for octet, on all cores
//!   sender  ─ one connection: batches out, answers in  ─┐
//!   follow  ─ blocks in, as they come                  ─┴─► ledger    where each transaction stands
//!   collect   receipts, blocks, balances, read afresh  ───► verify    what is wrong with them
//! ```
//!
//! Each sender's transactions go through one connection, in the order of their nonces. What was refused or not
//! answered is sent again, octet for octet, so that a server which restarts in between is an ordinary thing.

mod accounts;
mod blocks;
mod collect;
mod contracts;
mod cost;
mod facts;
mod follow;
mod heads;
mod ledger;
mod mix;
mod options;
mod plan;
mod prepare;
mod refusals;
mod report;
mod running;
mod sender;
mod session;
mod sign;
mod verify;

pub use cost::Cost;
pub use mix::{Kind, Mix, UnknownMix};
pub use options::{BenchOptions, Envelope, OptionsError};
pub use purlin_load::{CpuTime, Load};
pub use report::{
    BenchReport, BlocksReport, Conditions, Preparation, Progress, Refusal, Stage, Verification, Waits,
};
pub use session::{BenchError, run};
pub use verify::Problem;
