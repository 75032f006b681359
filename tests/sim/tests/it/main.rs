//! A bounded number of seeds, and that the simulator sees what it is there to see.

mod mutations;
mod page;
mod seeds;
mod sharing;
