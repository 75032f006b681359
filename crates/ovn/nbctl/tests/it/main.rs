//! The commands against real databases, beside the tool that they stand in for.

mod beside;
mod daemon;
mod rows;
mod world;
