//! Drives the fabric: timers, sockets and stores around the pure decisions of `purlin-fabric`.

pub mod local;
