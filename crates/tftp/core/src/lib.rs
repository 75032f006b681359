//! Boot files as a pure, stepped core: transfers, limits, names and profiles.
//!
//! It knows no clock, socket, file or runtime. Time is an argument; what must be opened, sent or stored comes back as
//! values.

pub mod plan;
pub mod profile;
pub mod rule;
pub mod settings;
pub mod template;
