//! Any octets as what a node of a chain sends another.

#![no_main]

#[path = "../../crates/chain/bft/tests/it/ask.rs"]
mod ask;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| ask::ask_everything(octets));
