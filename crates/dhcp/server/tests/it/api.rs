//! The HTTP routes over a running service.

mod bench;
mod objects;
mod schema;
mod story;
