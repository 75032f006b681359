//! Any text as an OVN match expression.

#![no_main]

#[path = "../../crates/ovn/core/tests/it/ask.rs"]
mod ask;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| ask::ask_everything(text));
