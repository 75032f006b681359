//! The crate from outside: genesis documents, forks, header rules, octets.

mod codec;
mod consensus;
mod forks;
mod genesis;
mod rules;
