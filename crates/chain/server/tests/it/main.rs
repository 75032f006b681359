//! The service over real sockets.

mod client;
mod follow;
mod limits;
mod queries;
mod restart;
mod served;
mod suite;
mod transfer;
mod validators;
