//! Client system architectures, option 93.

use std::fmt;

/// The architecture a booting client says it is: two octets, big-endian, one or more in option 93.
///
/// Source: RFC 4578 section 2.1, codes of the IANA registry "Processor Architecture Types" (RFC 5970 section 3.3).
/// RFC 4578 lists 6-9 as IA32, EBC and x86-64 in an order that firmware never followed: EDK2 and every boot server
/// take 7 as x86-64 and 9 as EBC, which the registry has recorded since. Some firmware sends 9 for x86-64 even so,
/// hence [`Arch::is_uefi_x64`] accepts both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arch(pub u16);

/// Code, name; ascending.
const NAMES: &[(u16, &str)] = &[
    (0, "bios"),
    (1, "nec-pc98"),
    (2, "itanium"),
    (3, "alpha"),
    (4, "arc-x86"),
    (5, "intel-lean-client"),
    (6, "uefi-ia32"),
    (7, "uefi-x64"),
    (8, "uefi-xscale"),
    (9, "uefi-bc"),
    (10, "uefi-arm32"),
    (11, "uefi-arm64"),
    (12, "powerpc-open-firmware"),
    (13, "powerpc-epapr"),
    (14, "power-opal"),
    (15, "uefi-ia32-http"),
    (16, "uefi-x64-http"),
    (17, "uefi-bc-http"),
    (18, "uefi-arm32-http"),
    (19, "uefi-arm64-http"),
    (20, "bios-http"),
    (21, "uboot-arm32"),
    (22, "uboot-arm64"),
    (23, "uboot-arm32-http"),
    (24, "uboot-arm64-http"),
    (25, "uefi-riscv32"),
    (26, "uefi-riscv32-http"),
    (27, "uefi-riscv64"),
    (28, "uefi-riscv64-http"),
    (29, "uefi-riscv128"),
    (30, "uefi-riscv128-http"),
    (31, "s390-basic"),
    (32, "s390-extended"),
    (33, "uefi-mips32"),
    (34, "uefi-mips64"),
    (35, "uefi-sunway32"),
    (36, "uefi-sunway64"),
    (37, "uefi-loongarch32"),
    (38, "uefi-loongarch32-http"),
    (39, "uefi-loongarch64"),
    (40, "uefi-loongarch64-http"),
    (41, "arm-rpiboot"),
];

/// Other words people write for a code.
const ALIASES: &[(&str, u16)] = &[
    ("pcbios", 0),
    ("x86-bios", 0),
    ("efi-ia32", 6),
    ("uefi-x86", 6),
    ("uefi-x86-64", 7),
    ("uefi-amd64", 7),
    ("efi-x64", 7),
    ("uefi-x64-ebc", 9),
    ("efi-bc", 9),
    ("uefi-arm", 10),
    ("uefi-aarch64", 11),
    ("efi-arm64", 11),
    ("http-ia32", 15),
    ("http-x64", 16),
    ("http-arm32", 18),
    ("http-arm64", 19),
    ("rpiboot", 41),
];

impl Arch {
    /// The name of the code, `None` when it is not assigned.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES
            .binary_search_by_key(&self.0, |row| row.0)
            .ok()
            .map(|at| NAMES[at].1)
    }

    /// Reads a name, an alias, a decimal or a `0x` hexadecimal code; `-` and `_` are the same.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase().replace('_', "-");
        if let Some(hex) = word.strip_prefix("0x") {
            return u16::from_str_radix(hex, 16).ok().map(Self);
        }
        if let Ok(code) = word.parse() {
            return Some(Self(code));
        }
        let named = NAMES.iter().find(|row| row.1 == word).map(|row| row.0);
        named
            .or_else(|| ALIASES.iter().find(|row| row.0 == word).map(|row| row.1))
            .map(Self)
    }

    /// Every assigned code with its name.
    pub fn all() -> impl Iterator<Item = (Self, &'static str)> {
        NAMES.iter().map(|&(code, name)| (Self(code), name))
    }

    /// Whether the client boots through HTTP and wants a URI as its boot file (UEFI specification, section 24.7).
    #[must_use]
    pub fn is_http(self) -> bool {
        self.name().is_some_and(|name| name.ends_with("-http"))
    }

    /// Whether this is x86-64 UEFI booting through TFTP, under either of the two codes firmware uses for it.
    #[must_use]
    pub fn is_uefi_x64(self) -> bool {
        matches!(self.0, 7 | 9)
    }

    /// Whether the firmware is a legacy BIOS.
    #[must_use]
    pub fn is_bios(self) -> bool {
        matches!(self.0, 0 | 20)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_by_code_and_read_back() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
        for (arch, name) in Arch::all() {
            assert_eq!(Arch::parse(name), Some(arch));
            assert_eq!(arch.to_string(), name);
        }
        for (alias, code) in ALIASES {
            assert_eq!(Arch::parse(alias), Some(Arch(*code)), "{alias}");
        }
    }

    #[test]
    fn codes_are_read_in_decimal_and_hexadecimal() {
        assert_eq!(Arch::parse("0x0010"), Some(Arch(16)));
        assert_eq!(Arch::parse("11"), Some(Arch(11)));
        assert_eq!(Arch::parse("UEFI_X64"), Some(Arch(7)));
        assert_eq!(Arch::parse("vax"), None);
        assert_eq!(Arch(999).to_string(), "999");
    }

    #[test]
    fn http_clients_are_known_by_their_code() {
        assert!([15, 16, 18, 19, 20].into_iter().all(|code| Arch(code).is_http()));
        assert!(!Arch(7).is_http());
        assert!(Arch(9).is_uefi_x64());
    }
}
