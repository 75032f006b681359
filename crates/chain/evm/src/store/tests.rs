//! The store against a model of maps, through crashes, full disks, pruning and readers of every age.

mod basics;
mod crashes;
mod damage;
mod disk;
mod history;
mod rows;
mod shrink;
mod world;

pub(crate) use rows::{Rows, rows};
