//! Packets as clients send them, laws, and the fuzzer's corpus.

mod ask;
mod clients;
mod corpus;
mod laws;
