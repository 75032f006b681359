//! A machine without a disk, switched on: real firmware in qemu on the client's side of a [`Lab`].
//!
//! ```text
//!   server namespace        client namespace
//!   purlin ── s0 ═══ c0 ── br0 ── tap0 ── qemu (SeaBIOS with iPXE's ROM, or OVMF), serial port in a file
//! ```

use crate::lab::{Lab, text_of};
use crate::process::Process;
use crate::wait::within;
use std::path::PathBuf;
use std::time::Duration;

/// How long a boot may take. Firmware is emulated instruction by instruction here: half a minute is usual.
const BOOT_LIMIT: Duration = Duration::from_secs(240);
/// What firmware says when it has tried everything.
const GIVEN_UP: [&str; 2] = ["No bootable device", "Shell>"];
/// The network card that every machine has.
pub const MACHINE_MAC: &str = "52:54:00:77:00:01";
/// Where Debian's `ovmf` keeps the firmware and its variables.
const OVMF: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const OVMF_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/// What wakes up in the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firmware {
    /// SeaBIOS, whose network card has iPXE as its ROM.
    Bios,
    /// OVMF's own PXE client (EDK2).
    UefiPxe,
    /// OVMF's own HTTP boot client (EDK2); PXE is switched off.
    UefiHttp,
}

/// A machine that boots; switched off when dropped.
#[derive(Debug)]
pub struct Machine {
    process: Process,
    serial: PathBuf,
}

impl Machine {
    /// Switches a machine on.
    #[must_use]
    pub fn boot(lab: &Lab, firmware: Firmware) -> Self {
        plug_in(lab);
        let serial = lab.path("serial");
        let mut arguments = common(&text_of(&serial));
        match firmware {
            Firmware::Bios => arguments.extend(words(&format!(
                "-device virtio-net-pci,netdev=n,mac={MACHINE_MAC},bootindex=1"
            ))),
            Firmware::UefiPxe => arguments.extend(uefi(lab)),
            Firmware::UefiHttp => {
                arguments.extend(uefi(lab));
                arguments.extend(words("-fw_cfg name=opt/org.tianocore/IPv4PXESupport,string=n"));
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let process = lab.client.start("qemu.log", "qemu-system-x86_64", &arguments);
        Self { process, serial }
    }

    /// A machine that was switched on otherwise; `serial` is the file that its serial port goes to.
    #[must_use]
    pub fn running(process: Process, serial: PathBuf) -> Self {
        Self { process, serial }
    }

    /// Everything on the serial port so far, without control sequences.
    #[must_use]
    pub fn screen(&self) -> String {
        let octets = std::fs::read(&self.serial).unwrap_or_default();
        plain(&String::from_utf8_lossy(&octets))
    }

    /// Waits until the machine prints `mark`.
    ///
    /// # Panics
    /// When it does not, gives up or qemu ends before; with the end of what it printed.
    pub fn prints(&mut self, mark: &str) {
        if let Err(screen) = self.tries(mark) {
            panic!("{screen}");
        }
    }

    /// Waits until the machine prints `mark`.
    ///
    /// # Errors
    /// The end of what it printed, when it does not, gives up or qemu ends before.
    pub fn tries(&mut self, mark: &str) -> Result<(), String> {
        let found = within(BOOT_LIMIT, || {
            // Looked at before the screen, so that the last words are read too.
            let ended = !self.process.is_running();
            let screen = self.screen();
            let printed = screen.contains(mark);
            let given_up = GIVEN_UP.iter().any(|words| screen.contains(words));
            (printed || ended || given_up).then_some(printed)
        });
        if found == Some(true) {
            return Ok(());
        }
        let screen = self.screen();
        let skipped = screen.chars().count().saturating_sub(2000);
        let tail: String = screen.chars().skip(skipped).collect();
        Err(format!(
            "no {mark:?} on the screen:\n{tail}\n{}",
            self.process.said()
        ))
    }
}

/// Text without control characters and without sequences of ECMA-48 (`ESC [ 2 4 ; 1 H`), which may stand in the middle
/// of a word.
fn plain(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // Parameters go up to a letter; other sequences are one character long.
            if rest.next() == Some('[') {
                rest.find(|end| ('@'..='~').contains(end));
            }
        } else if c == '\n' || !c.is_control() {
            kept.push(c);
        }
    }
    kept
}

/// The programs that machines need.
#[must_use]
pub fn machine_programs() -> [&'static str; 2] {
    ["qemu-system-x86_64", "ip"]
}

/// A switch on the client's side with a socket for the machine.
fn plug_in(lab: &Lab) {
    for line in [
        "link add br0 type bridge",
        "link set br0 up",
        "link set c0 master br0",
        "tuntap add dev tap0 mode tap",
        "link set tap0 master br0 up",
    ] {
        lab.client.ip(line);
    }
}

fn common(serial: &str) -> Vec<String> {
    words(&format!(
        "-machine q35,graphics=off,accel=tcg -m 256 -display none -vga none -monitor none -nodefaults \
         -serial file:{serial} -no-reboot -netdev tap,id=n,ifname=tap0,script=no,downscript=no \
         -device virtio-rng-pci"
    ))
}

/// OVMF with variables of its own; the card has no ROM, so that the firmware's own driver boots.
fn uefi(lab: &Lab) -> Vec<String> {
    let variables = lab.path("variables.fd");
    std::fs::copy(OVMF_VARIABLES, &variables).expect("ovmf is installed where Debian puts it");
    words(&format!(
        "-drive if=pflash,format=raw,readonly=on,file={OVMF} -drive if=pflash,format=raw,file={} \
         -device virtio-net-pci,netdev=n,mac={MACHINE_MAC},romfile=,bootindex=1 \
         -fw_cfg name=opt/org.tianocore/IPv6PXESupport,string=n",
        variables.display()
    ))
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn control_sequences_inside_a_word_are_left_out() {
        assert_eq!(plain("\u{1b}[2J\u{1b}cat 10\u{1b}[25;24H.77\r\n"), "at 10.77\n");
        assert_eq!(plain("\u{1b}[0"), "");
    }
}
