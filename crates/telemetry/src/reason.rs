//! Stable reason codes: why something happened, in words that do not change between versions.
//!
//! A service owns a table of [`Reason`]s in its own hundred of the code space and hands it to the composition
//! root, which answers `purlin explain CODE` from all of them.
//!
//! ```text
//! 1000-1999  dhcp        2000-2999  boot files     3000-3999  ovn
//! 4000-4999  chain       5000-5999  infrastructure 8000-8999  fabric and store   9000-9999  API and command
//! ```

pub mod general;

use std::fmt;
use std::net::Ipv4Addr;

/// The number behind `PUR-1203`. 0 is "no reason given" and is never shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReasonCode(pub u16);

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PUR-{:04}", self.0)
    }
}

impl std::str::FromStr for ReasonCode {
    type Err = ();

    /// Reads `PUR-1203`, `pur-1203` or `1203`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let digits = text
            .trim()
            .trim_start_matches(['P', 'U', 'R', 'p', 'u', 'r'])
            .trim_start_matches('-');
        digits.parse().map(Self).map_err(|_| ())
    }
}

/// One documented reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason {
    pub code: ReasonCode,
    /// Name for metrics labels and JSON: `no_subnet_for_relay`.
    pub slug: &'static str,
    /// One line with parameters: `{address}`, `{via}`, `{a}`, `{b}` as numbers, `{a:ip}`, `{b:ip}` as addresses.
    pub text: &'static str,
    /// What it means, for `purlin explain`; a few sentences.
    pub explain: &'static str,
    /// What to do about it; empty when nothing is wrong.
    pub fix: &'static str,
}

/// The values that fill a reason's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameters {
    pub address: u32,
    pub via: u32,
    pub a: u32,
    pub b: u32,
}

impl Reason {
    /// The reason's text with its parameters filled in.
    #[must_use]
    pub fn render(&self, with: Parameters) -> String {
        let ip = |bits: u32| Ipv4Addr::from(bits).to_string();
        self.text
            .replace("{address}", &ip(with.address))
            .replace("{via}", &ip(with.via))
            .replace("{a:ip}", &ip(with.a))
            .replace("{b:ip}", &ip(with.b))
            .replace("{a}", &with.a.to_string())
            .replace("{b}", &with.b.to_string())
    }
}

/// A table of codes with their reasons: `NAME = 9101, "slug", "text", "explanation", "fix";` makes the constant
/// `NAME`, documented by its text, and an entry of `REASONS`.
#[macro_export]
macro_rules! reason_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $slug:literal, $text:literal, $explain:literal, $fix:literal;)*) => {
        $($(#[$doc])* #[doc = concat!("\n", $text)] pub const $name: $crate::ReasonCode = $crate::ReasonCode($code);)*

        /// Every code of this table with its explanation.
        pub static REASONS: &[$crate::Reason] = &[
            $($crate::Reason { code: $name, slug: $slug, text: $text, explain: $explain, fix: $fix },)*
        ];
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_as_a_sentence() {
        let reason = Reason {
            code: ReasonCode(1101),
            slug: "no_subnet_for_relay",
            text: "no subnet matches giaddr {via}",
            explain: "",
            fix: "",
        };
        let with = Parameters {
            via: u32::from(Ipv4Addr::new(10, 9, 0, 1)),
            ..Parameters::default()
        };
        assert_eq!(reason.render(with), "no subnet matches giaddr 10.9.0.1");
    }

    #[test]
    fn codes_are_read_with_and_without_prefix() {
        assert_eq!("PUR-1101".parse(), Ok(ReasonCode(1101)));
        assert_eq!("1101".parse(), Ok(ReasonCode(1101)));
        assert!("PUR-x".parse::<ReasonCode>().is_err());
    }
}
