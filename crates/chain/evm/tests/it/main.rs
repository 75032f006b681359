//! The crate from outside: a public chain across every fork, damaged blocks, blocks made here against plain revm, validators
//! that vote.

mod chain_file;
mod constitution;
mod damage;
mod decided;
mod governed;
mod import;
mod memory;
mod produce;
mod random;
mod reference;
mod signed;
mod view;
mod votes;
