//! Whole networks of nodes in one test, from one seed: time, disks and wires are the test's.
//!
//! Every world checks, at every step: nobody honest signs two different things for the same height, round and kind; nobody
//! sends what its log does not hold durably; no two blocks are decided at one height; every decision has its certificate.

mod ask;
mod calm;
mod corpus;
mod crashes;
mod driver;
mod liars;
mod odds;
mod random;
mod sets;
mod storms;
mod watched;
mod world;
