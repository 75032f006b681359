//! The event streams: resume without loss or repetition, gaps, topics, heartbeats, and the end.

mod follow;
mod standing;
mod streams;
