//! The crate from outside: a public chain across every fork, damaged blocks, blocks made here against plain revm.

mod chain_file;
mod damage;
mod decided;
mod import;
mod memory;
mod produce;
mod random;
mod reference;
mod signed;
mod view;
