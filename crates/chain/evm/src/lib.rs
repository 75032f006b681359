//! Execution over durable state.
