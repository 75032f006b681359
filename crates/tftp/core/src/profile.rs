//! Which profile a booting machine gets.

use crate::plan::Facts;
use crate::settings::{Fits, MacPrefix, Profile};
use purlin_types::Mac;

/// The names of client architectures (option 93, RFC 4578 and the registry of RFC 5970), as DHCP spells them.
pub const ARCHITECTURES: [&str; 42] = [
    "bios",
    "nec-pc98",
    "itanium",
    "alpha",
    "arc-x86",
    "intel-lean-client",
    "uefi-ia32",
    "uefi-x64",
    "uefi-xscale",
    "uefi-bc",
    "uefi-arm32",
    "uefi-arm64",
    "powerpc-open-firmware",
    "powerpc-epapr",
    "power-opal",
    "uefi-ia32-http",
    "uefi-x64-http",
    "uefi-bc-http",
    "uefi-arm32-http",
    "uefi-arm64-http",
    "bios-http",
    "uboot-arm32",
    "uboot-arm64",
    "uboot-arm32-http",
    "uboot-arm64-http",
    "uefi-riscv32",
    "uefi-riscv32-http",
    "uefi-riscv64",
    "uefi-riscv64-http",
    "uefi-riscv128",
    "uefi-riscv128-http",
    "s390-basic",
    "s390-extended",
    "uefi-mips32",
    "uefi-mips64",
    "uefi-sunway32",
    "uefi-sunway64",
    "uefi-loongarch32",
    "uefi-loongarch32-http",
    "uefi-loongarch64",
    "uefi-loongarch64-http",
    "arm-rpiboot",
];

/// Of the profiles that fit what is known of the client, the first that names its user class, else the first. So iPXE,
/// which asks a second time with a class of its own, gets its menu wherever that stands. DHCP has the same rule, and
/// `tests/tables/boot-profiles.txt` tests both.
#[must_use]
pub fn select<'p>(profiles: &'p [Profile], facts: &Facts) -> Option<&'p Profile> {
    let mut fitting = profiles.iter().filter(|profile| profile.fits.fit(facts));
    let first = fitting.clone().next();
    fitting
        .find(|profile| profile.fits.user_class.is_some())
        .or(first)
}

impl Fits {
    /// Whether every condition that is set holds.
    #[must_use]
    pub fn fit(&self, facts: &Facts) -> bool {
        let among = |names: &[String], value: &Option<String>| {
            names.is_empty() || value.as_ref().is_some_and(|value| names.contains(value))
        };
        among(&self.architectures, &facts.architecture)
            && self.user_class.is_none() | (self.user_class == facts.user_class)
            && (self.macs.is_empty() || facts.mac.is_some_and(|mac| self.macs.contains(&mac)))
            && among(&self.subnets, &facts.subnet)
    }
}

impl MacPrefix {
    /// Whether the address begins with these octets.
    #[must_use]
    pub fn fits(&self, mac: Mac) -> bool {
        let count = usize::from(self.count).min(6);
        mac.0[..count] == self.octets[..count]
    }

    /// Reads 1 to 6 pairs of hexadecimal digits: `02:00:5e`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let given = purlin_config::parse_hex(text)
            .ok()
            .filter(|octets| (1..=6).contains(&octets.len()))?;
        let mut octets = [0; 6];
        octets[..given.len()].copy_from_slice(&given);
        Some(Self {
            octets,
            count: given.len() as u8,
        })
    }
}

#[cfg(test)]
mod tests;
