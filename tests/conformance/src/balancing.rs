//! What stands before several nodes: HAProxy and nginx with the files that are shipped, and fronts of our own.

mod front;
mod trio;

pub use front::Front;
pub use trio::Trio;
