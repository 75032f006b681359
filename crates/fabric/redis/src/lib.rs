//! Coordination hints over Redis: heartbeats, sessions, advisory locks, messages, cached values.
