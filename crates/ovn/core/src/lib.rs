//! What Purlin knows about OVN, as values: nothing here opens a connection, reads a clock or keeps a file.
//!
//! [`expr`] reads OVN's match expressions, checks them as OVN does, and answers what OVN does not: whether a match can
//! be true at all, and whether another rule leaves it anything to decide;
//! [`review`] does so for the rules of a switch, a port group, a router.

pub mod address;
pub mod check;
pub mod dhcp;
pub mod document;
pub mod expr;
pub mod model;
pub mod plan;
pub mod problem;
pub mod review;
