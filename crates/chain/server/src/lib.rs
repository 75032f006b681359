//! The chain as a service.
