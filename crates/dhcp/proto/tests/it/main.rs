//! Claims about the crate seen from outside: packets of real clients, vectors of the RFCs, laws, the fuzz corpus.

mod ask;
mod captures;
mod corpus;
mod laws;
mod vectors;
