//! The crate from outside: genesis documents, forks, header rules, octets.

mod codec;
mod forks;
mod genesis;
mod rules;
