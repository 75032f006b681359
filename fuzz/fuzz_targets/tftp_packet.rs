//! Any octets as a TFTP packet.

#![no_main]

#[path = "../../crates/tftp/proto/tests/it/ask.rs"]
mod ask;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|datagram: &[u8]| ask::ask_everything(datagram));
