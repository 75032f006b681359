//! Names and types of the standard options: configuration text to octets and octets to text.
//!
//! ```text
//!   "dns_servers", "6", "option:dns-server" ──► lookup ──► OptionInfo { code, name, kind, … }
//!   "10.0.0.1, 10.0.0.2" ── encode(kind) ──► 0a 00 00 01 0a 00 00 02 ── render(kind) ──► "10.0.0.1, 10.0.0.2"
//! ```
//!
//! What [`render`] writes, [`encode`] reads back to the same octets, whatever they are: octets that are no value of
//! the kind are written `hex:…`, which every kind accepts. This part allocates; it serves configuration and people,
//! never the packet path.

mod address;
mod dnr;
mod encode;
mod hex;
mod kind;
mod name;
mod number;
mod option_2132;
mod option_later;
mod record;
mod render;
mod route;
mod suboption;
mod text;

pub use encode::{ENCODED_MAX, EncodeError, encode, encode_items};
pub use kind::{OptionKind, Record};
pub use name::{NameError, name_to_text, names_to_text, write_name, write_names};
pub use render::render;

/// One option of the catalog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionInfo {
    /// 1 to 254.
    pub code: u8,
    /// The name we write, words joined by `-`.
    pub name: &'static str,
    pub kind: OptionKind,
    /// Other names: IANA's, Kea's, ISC dhcpd's, dnsmasq's and common short ones.
    pub aliases: &'static [&'static str],
    /// Where the option is defined: `RFC 2132 3.5`.
    pub source: &'static str,
}

/// A row of the tables.
const fn row(
    code: u8,
    name: &'static str,
    kind: OptionKind,
    aliases: &'static [&'static str],
    source: &'static str,
) -> OptionInfo {
    OptionInfo {
        code,
        name,
        kind,
        aliases,
        source,
    }
}

/// Every option of the catalog, ascending by code.
pub fn all() -> impl Iterator<Item = &'static OptionInfo> {
    option_2132::OPTIONS.iter().chain(option_later::OPTIONS)
}

/// The option of that code; `None` when it is unassigned or private.
#[must_use]
pub fn by_code(code: u8) -> Option<&'static OptionInfo> {
    all().find(|info| info.code == code)
}

/// The option that a name, an alias or a number means.
///
/// Case does not matter; `_`, a blank and `-` are the same; `option:`, `option-` and `dhcp-` in front are allowed.
/// A number whose code the catalog does not have is `None`: such an option has no type but octets.
#[must_use]
pub fn lookup(text: &str) -> Option<&'static OptionInfo> {
    let word = text.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let bare = word
        .strip_prefix("option:")
        .or_else(|| word.strip_prefix("option-"))
        .unwrap_or(&word);
    if let Ok(code) = bare.parse::<u8>() {
        return by_code(code);
    }
    let named = |wanted: &str| all().find(|info| info.name == wanted || info.aliases.contains(&wanted));
    named(&word)
        .or_else(|| named(bare))
        .or_else(|| named(bare.strip_prefix("dhcp-")?))
}

#[cfg(test)]
mod tests;
