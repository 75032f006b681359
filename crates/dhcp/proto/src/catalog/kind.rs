//! The types an option's value can have.

use std::fmt;

/// How an option's octets and its text correspond. Numbers are big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OptionKind {
    /// No octets: the option's presence says all.
    Empty,
    /// One octet, 0 or 1.
    Bool,
    U8,
    U16,
    U32,
    I32,
    /// `u32` of seconds, written `3600`, `1h`, `1d12h` or `forever`.
    Seconds,
    Ip,
    /// IPv6 address, 16 octets.
    Ip6,
    /// Characters without length or final NUL.
    Text,
    /// Text that must be a URI with a scheme.
    Uri,
    /// One name in labels (RFC 1035, 3.1).
    Domain,
    /// Octets without further meaning.
    Bytes,
    /// Type octet 0 and 16 octets (RFC 4578, 2.3).
    Uuid,
    U8s,
    U16s,
    Ips,
    /// Two addresses each: `10.9.0.0 10.0.0.1` (RFC 2132, 4.3 and 5.8).
    IpPairs,
    /// Names in labels, compressed (RFC 3397).
    Domains,
    /// Length octet and text each (RFC 3004).
    UserClasses,
    /// Two octets of length and URI each (RFC 8572, 8.1).
    Uris,
    /// `10.0.0.0/8 via 10.0.0.1` (RFC 3442).
    Routes,
    /// `1="eth1", 2=ca:fe` (RFC 3046, 2.0; RFC 2132, 8.4).
    Suboptions,
    /// `4491="docsis3.1"`, several values joined by `+` (RFC 3925, 3).
    VendorClasses,
    /// `3561/4="acs"` (RFC 3925, 4).
    VendorOptions,
    /// Flags among `S O E N` and a name: `SE pc.example.com` (RFC 4702, 2).
    Fqdn,
    /// Names or addresses of SIP servers (RFC 3361).
    SipServers,
    /// Servers separated by `;`, each with its addresses (RFC 7291, 4).
    PcpServers,
    /// Encrypted resolvers separated by `;` (RFC 9463, 5.1).
    Dnr,
    /// Fields of fixed types one behind the other, separated by blanks.
    Record(&'static Record),
}

/// The shape of a record; only the last field may be of variable length.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub word: &'static str,
    pub fields: &'static [OptionKind],
    pub example: &'static str,
}

use OptionKind as K;

pub(super) static SLP_AGENTS: Record = Record {
    word: "slp-agents",
    fields: &[K::Bool, K::Ips],
    example: "true 10.0.0.1",
};
pub(super) static SLP_SCOPE: Record = Record {
    word: "slp-scope",
    fields: &[K::Bool, K::Text],
    example: "true default",
};
pub(super) static STATUS: Record = Record {
    word: "status",
    fields: &[K::U8, K::Text],
    example: "1 unspecified failure",
};
pub(super) static RDNSS: Record = Record {
    word: "rdnss",
    fields: &[K::U8, K::Ip, K::Ip, K::Domains],
    example: "0 10.0.0.1 10.0.0.2 example.com",
};
pub(super) static PORT_PARAMETERS: Record = Record {
    word: "port-parameters",
    fields: &[K::U8, K::U8, K::U16],
    example: "6 8 256",
};
pub(super) static SIXRD: Record = Record {
    word: "6rd",
    fields: &[K::U8, K::U8, K::Ip6, K::Ips],
    example: "8 32 2001:db8:: 10.0.0.1",
};
pub(super) static INTERFACE: Record = Record {
    word: "interface-version",
    fields: &[K::U8, K::U8, K::U8],
    example: "1 3 16",
};

static RECORDS: [&Record; 7] = [
    &SLP_AGENTS,
    &SLP_SCOPE,
    &STATUS,
    &RDNSS,
    &PORT_PARAMETERS,
    &SIXRD,
    &INTERFACE,
];

/// Kind, word, other words, what a right value looks like.
type Words = (OptionKind, &'static str, &'static [&'static str], &'static str);

#[rustfmt::skip]
const WORDS: &[Words] = &[
    (K::Empty, "empty", &["none", "flag"], "nothing, or `true`"),
    (K::Bool, "bool", &["boolean"], "`true` or `false`"),
    (K::U8, "u8", &["uint8", "byte"], "a number from 0 to 255"),
    (K::U16, "u16", &["uint16"], "a number from 0 to 65535"),
    (K::U32, "u32", &["uint32"], "a number from 0 to 4294967295"),
    (K::I32, "i32", &["int32"], "a number from -2147483648 to 2147483647"),
    (K::Seconds, "seconds", &["duration"], "seconds or a duration such as `1h`, `1d12h`, `forever`"),
    (K::Ip, "ip", &["ipv4", "ipv4-address", "ip-address", "address"], "an IPv4 address such as 10.0.0.1"),
    (K::Ip6, "ip6", &["ipv6", "ipv6-address"], "an IPv6 address such as 2001:db8::1"),
    (K::Text, "string", &["text", "str"], "text without control characters"),
    (K::Uri, "uri", &["url"], "a URI such as https://portal.example.com/api"),
    (K::Domain, "domain", &["fqdn-name", "name"], "a domain name such as host.example.com"),
    (K::Bytes, "hex", &["bytes", "binary", "opaque"], "pairs of hexadecimal digits such as 01:02:0a"),
    (K::Uuid, "uuid", &["guid"], "a UUID such as 00112233-4455-6677-8899-aabbccddeeff"),
    (K::U8s, "u8[]", &["uint8[]", "bytes[]"], "numbers from 0 to 255, separated by commas"),
    (K::U16s, "u16[]", &["uint16[]"], "numbers from 0 to 65535, separated by commas"),
    (K::Ips, "ip[]", &["ips", "ipv4[]", "ipv4-address[]", "addresses"], "IPv4 addresses separated by commas"),
    (K::IpPairs, "ip-pair[]", &["ip-pairs", "ip-pair"], "pairs of IPv4 addresses: `10.9.0.0 10.0.0.1, …`"),
    (K::Domains, "domain[]", &["domains", "domain-list"], "domain names separated by commas"),
    (K::UserClasses, "user-class[]", &["user-class", "tuple[]"], "class names of 1 to 255 octets, separated by commas"),
    (K::Uris, "uri[]", &["uris"], "URIs separated by commas"),
    (K::Routes, "routes", &["classless-routes", "route[]"], "routes: `10.0.0.0/8 via 10.0.0.1, …`"),
    (K::Suboptions, "suboptions", &["container", "encapsulated"], "suboptions: `1=\"text\", 2=ca:fe, 5=10.0.0.1`"),
    (K::VendorClasses, "vendor-class", &["vendor-classes"], "ENTERPRISE=VALUE: `4491=\"docsis3.1\"`"),
    (K::VendorOptions, "vendor-options", &["vendor-opts"], "ENTERPRISE/CODE=VALUE: `3561/4=\"text\"`"),
    (K::Fqdn, "client-fqdn", &["fqdn"], "flags among S O E N and a name: `SE pc.example.com`"),
    (K::SipServers, "sip", &["sip-servers"], "domain names or IPv4 addresses separated by commas, not both"),
    (K::PcpServers, "pcp", &["pcp-servers"], "servers separated by `;`, each of IPv4 addresses separated by commas"),
    (K::Dnr, "dnr", &[], "`PRIORITY NAME [ADDRESS,… [alpn=dot,h2] [port=853] [dohpath=/q{?dns}]]`, several separated by `;`"),
];

impl OptionKind {
    /// The word for the kind in configuration: `ip[]`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Record(record) => record.word,
            plain => WORDS.iter().find(|row| row.0 == plain).map_or("hex", |row| row.1),
        }
    }

    /// Reads the word for a kind; `T[]` is also read as `array of T` and `list of T`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim().to_ascii_lowercase().replace('_', "-");
        let element = word
            .strip_prefix("array of ")
            .or_else(|| word.strip_prefix("list of "));
        let word = element.map_or(word.clone(), |element| format!("{}[]", element.trim()));
        let plain = WORDS
            .iter()
            .find(|row| row.1 == word || row.2.contains(&word.as_str()))
            .map(|row| row.0);
        plain.or_else(|| {
            RECORDS
                .into_iter()
                .find(|record| record.word == word)
                .map(Self::Record)
        })
    }

    /// The words of all kinds, for error messages and documentation.
    pub fn words() -> impl Iterator<Item = &'static str> {
        WORDS
            .iter()
            .map(|row| row.1)
            .chain(RECORDS.into_iter().map(|record| record.word))
    }

    /// What a right value looks like, to follow "expected".
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Record(record) => format!("{} fields such as `{}`", record.fields.len(), record.example),
            plain => WORDS
                .iter()
                .find(|row| row.0 == plain)
                .map_or("", |row| row.3)
                .to_owned(),
        }
    }

    /// Whether the value is a list, so that configuration may give several items.
    #[must_use]
    pub fn is_list(self) -> bool {
        self.separator().is_some()
    }

    /// What stands between the items of a list.
    pub(super) fn separator(self) -> Option<char> {
        match self {
            Self::U8s
            | Self::U16s
            | Self::Ips
            | Self::IpPairs
            | Self::Domains
            | Self::UserClasses
            | Self::Uris
            | Self::Routes
            | Self::Suboptions
            | Self::VendorClasses
            | Self::VendorOptions
            | Self::SipServers => Some(','),
            Self::PcpServers | Self::Dnr => Some(';'),
            _ => None,
        }
    }

    /// Whether `0x10` is a number here rather than octets.
    pub(super) fn is_number(self) -> bool {
        matches!(
            self,
            Self::U8 | Self::U16 | Self::U32 | Self::I32 | Self::Seconds | Self::U8s | Self::U16s
        )
    }
}

impl fmt::Display for OptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for word in OptionKind::words() {
            assert_eq!(OptionKind::parse(word).map(OptionKind::word), Some(word));
        }
        assert_eq!(OptionKind::parse("array of ip"), Some(K::Ips));
        assert_eq!(OptionKind::parse("IPv4_Address"), Some(K::Ip));
        assert_eq!(OptionKind::parse("float"), None);
    }

    #[test]
    fn words_are_unique() {
        let mut words: Vec<_> = WORDS
            .iter()
            .flat_map(|row| [row.1].into_iter().chain(row.2.iter().copied()))
            .collect();
        words.extend(RECORDS.iter().map(|record| record.word));
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }
}
