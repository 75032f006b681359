//! The crate from outside: a public chain across every fork, damaged blocks, blocks made here against plain revm, validators
//! that vote, states that are carried elsewhere.

mod chain_file;
mod constitution;
mod damage;
mod decided;
mod draft;
mod governed;
mod import;
mod memory;
mod produce;
mod random;
mod reference;
mod signed;
mod snapshot;
mod view;
mod votes;
