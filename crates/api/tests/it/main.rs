//! Integration tests: whole requests against the finished router, and real sockets where it matters.

mod events;
mod openapi;
mod revisions;
mod shell;
mod support;
mod tls;
mod tokens;
