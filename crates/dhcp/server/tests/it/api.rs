//! The HTTP routes over a running service.

mod bench;
mod objects;
mod records;
mod schema;
mod story;
