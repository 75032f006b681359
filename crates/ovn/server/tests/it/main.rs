//! The platform over real databases: requests in, rows, flows and answers out.

mod pace;
mod reading;
mod telling;
mod world;
mod writing;
