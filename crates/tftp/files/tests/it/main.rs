//! The library on real directories, with its own I/O threads and a clock under the test's hand.

mod changes;
mod contents;
mod directories;
mod names;
mod sharing;
mod support;
mod uploads;
mod variants;
