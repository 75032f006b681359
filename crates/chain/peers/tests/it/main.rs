//! Nodes that meet, and strangers of every kind, on real sockets.

mod keeping;
mod meeting;
mod rig;
mod stranger;
mod strangers;
mod traffic;
mod twins;
