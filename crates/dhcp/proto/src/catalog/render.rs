//! Option octets to the text that [`super::encode`] reads back.

use super::kind::OptionKind;
use super::{address, dnr, encode, hex, name, number, record, route, suboption, text};

/// The text of a value; `hex:…` when the octets are no value of the kind, or when its text would read back as other
/// octets (text that looks like a number in hexadecimal, uncompressed names, a trailing NUL).
#[must_use]
pub fn render(kind: OptionKind, octets: &[u8]) -> String {
    show(kind, octets)
        .filter(|text| encode(kind, text).as_deref() == Ok(octets))
        .unwrap_or_else(|| hex::show_raw(octets))
}

pub(super) fn show(kind: OptionKind, octets: &[u8]) -> Option<String> {
    use OptionKind as K;
    match kind {
        K::Empty => octets.is_empty().then(String::new),
        K::Bool => number::show_bool(octets),
        K::U8 | K::U16 | K::U32 | K::I32 | K::Seconds => number::show(kind, octets),
        K::Ip => address::show(octets),
        K::Ip6 => address::show_v6(octets),
        K::Text | K::Uri => text::show(octets),
        K::Domain => name::name_to_text(octets),
        K::Bytes => Some(hex::show(octets)),
        K::Uuid => hex::show_uuid(octets),
        K::U8s => Some(joined(octets.iter())),
        K::U16s => {
            let (numbers, rest) = octets.as_chunks::<2>();
            rest.is_empty()
                .then(|| joined(numbers.iter().map(|&number| u16::from_be_bytes(number))))
        }
        K::Ips => address::show_list(octets),
        K::IpPairs => address::show_pairs(octets),
        K::Domains => name::names_to_text(octets).map(|names| names.join(", ")),
        K::UserClasses => text::show_user_classes(octets),
        K::Uris => text::show_counted_uris(octets),
        K::Routes => route::show(octets),
        K::Suboptions => suboption::show(octets),
        K::VendorClasses => suboption::show_vendor_classes(octets),
        K::VendorOptions => suboption::show_vendor_options(octets),
        K::Fqdn => text::show_fqdn(octets),
        K::SipServers => address::show_sip(octets),
        K::PcpServers => address::show_counted(octets),
        K::Dnr => dnr::show(octets),
        K::Record(shape) => record::show(shape, octets),
    }
}

/// Items as text with commas.
pub(super) fn joined(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
