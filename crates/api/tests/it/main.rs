//! Integration tests: whole requests against the finished router, and real sockets where it matters.

mod openapi;
mod shell;
mod support;
mod tls;
mod tokens;
