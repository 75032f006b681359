//! The service over real sockets.

mod client;
mod doctor;
mod follow;
mod governance;
mod liars;
mod limits;
mod network;
mod pending;
mod queries;
mod restart;
mod served;
mod slow;
mod snapshot;
mod storage;
mod suite;
mod transfer;
mod validators;
