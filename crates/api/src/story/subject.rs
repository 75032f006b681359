//! What a story is about, and all the names it goes by.

use purlin_types::Mac;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What somebody asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Mac(Mac),
    Address(IpAddr),
    /// A host name, the name of a boot file, or the hash of a transaction: services know which.
    Name(String),
}

impl Subject {
    /// Addresses are told by their form; everything else is a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Self::Address(address);
        }
        text.parse()
            .map_or_else(|_| Self::Name(text.to_owned()), Self::Mac)
    }

    /// `mac`, `address`, `transaction`, `hostname`, or `file` when it cannot be a host name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mac(_) => "mac",
            Self::Address(_) => "address",
            Self::Name(_) if self.is_transaction() => "transaction",
            Self::Name(name) if name.contains(['/', '\\']) => "file",
            Self::Name(_) => "hostname",
        }
    }

    /// Whether it is the hash of a transaction: 0x and 64 hexadecimal digits.
    #[must_use]
    pub fn is_transaction(&self) -> bool {
        let Self::Name(name) = self else { return false };
        let digits = name.strip_prefix("0x").unwrap_or_default();
        digits.len() == 64 && digits.bytes().all(|octet| octet.is_ascii_hexdigit())
    }

    /// In its one form.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Mac(mac) => mac.to_string(),
            Self::Address(address) => address.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// Everything a subject is called. Names of one machine, or of several behind one host name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    pub macs: BTreeSet<Mac>,
    pub addresses: BTreeSet<IpAddr>,
    pub hostnames: BTreeSet<String>,
    /// DHCP client identifiers as hex pairs.
    pub client_ids: BTreeSet<String>,
}

impl Who {
    pub(super) fn of(subject: &Subject) -> Self {
        let mut who = Self::default();
        match subject {
            Subject::Mac(mac) => drop(who.macs.insert(*mac)),
            Subject::Address(address) => drop(who.addresses.insert(*address)),
            Subject::Name(_) => {}
        }
        who
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.macs.extend(other.macs);
        self.addresses.extend(other.addresses);
        self.hostnames.extend(other.hostnames);
        self.client_ids.extend(other.client_ids);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_told_by_their_form() {
        assert_eq!(Subject::parse("02-00-00-00-00-0A").text(), "02:00:00:00:00:0a");
        assert_eq!(
            Subject::parse(" 10.0.0.5 "),
            Subject::Address("10.0.0.5".parse().unwrap())
        );
        assert_eq!(Subject::parse("2001:db8::1").kind(), "address");
        assert_eq!(Subject::parse("node-a").kind(), "hostname");
        assert_eq!(Subject::parse("pxelinux.cfg/default").kind(), "file");
        let hash = format!("0x{}", "0A".repeat(32));
        assert_eq!(Subject::parse(&hash).kind(), "transaction");
        assert_eq!(Subject::parse(&hash[..60]).kind(), "hostname");
    }
}
