//! Any octets as what an OVSDB server sends.

#![no_main]

#[path = "../../crates/ovn/ovsdb/tests/it/ask.rs"]
mod ask;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| ask::ask_everything(octets));
