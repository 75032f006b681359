//! Boot clients whose answer names nothing to boot, as decisions tell of them.
//!
//! The remark stands where the number of the boot answer's words would: an answer has one of the two.

use super::Firmware;
use crate::reasons;
use purlin_dhcp_proto::{Arch, Message, code};

/// Tells a remark from a number of words, which stay far below.
const REMARK: u32 = 1 << 31;
/// The client named an architecture; its code is in the low half.
const HAS_ARCHITECTURE: u32 = 1 << 16;
const FIRMWARE_AT: u32 = 17;

/// The remark for an answer without a boot file; 0 for a client that does not ask for one. The architecture (option 93)
/// tells boot clients with a vendor class of their own, as U-Boot is.
pub(crate) fn remark(message: &Message<'_>) -> u32 {
    let firmware = Firmware::of(message);
    if firmware == Firmware::None && !message.has(code::CLIENT_ARCH) {
        return 0;
    }
    let architecture = message.architectures().next();
    let architecture = architecture.map_or(0, |arch| HAS_ARCHITECTURE | u32::from(arch.0));
    REMARK | (firmware as u32) << FIRMWARE_AT | architecture
}

/// The remark in words; `None` of what is none.
pub(crate) fn words(remark: u32) -> Option<String> {
    if remark & REMARK == 0 {
        return None;
    }
    let client = match remark >> FIRMWARE_AT & 3 {
        http if http == Firmware::Http as u32 => "an HTTP client",
        pxe if pxe == Firmware::Pxe as u32 => "a PXE client",
        _ => "a boot client",
    };
    let arch = Arch(remark as u16);
    let of = match arch.name() {
        _ if remark & HAS_ARCHITECTURE == 0 => "that names no architecture".to_owned(),
        Some(name) => format!("of architecture {}, {name}", arch.0),
        None => format!("of architecture {}", arch.0),
    };
    let code = reasons::NO_BOOT_FILE;
    Some(format!("no boot file: nothing fits {client} {of} ({code})"))
}
