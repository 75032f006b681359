//! What a story is about.

use purlin_types::Mac;
use std::net::Ipv4Addr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Mac(Mac),
    Address(Ipv4Addr),
    Hostname(String),
}

impl Subject {
    /// Addresses are told by their form; everything else is a host name.
    pub(super) fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Ok(address) = text.parse() {
            return Self::Address(address);
        }
        text.parse()
            .map_or_else(|_| Self::Hostname(text.to_owned()), Self::Mac)
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Mac(_) => "mac",
            Self::Address(_) => "address",
            Self::Hostname(_) => "hostname",
        }
    }

    /// In its one form.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Mac(mac) => mac.to_string(),
            Self::Address(address) => address.to_string(),
            Self::Hostname(name) => name.clone(),
        }
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
            Subject::Address(Ipv4Addr::new(10, 0, 0, 5))
        );
        assert_eq!(Subject::parse("node-a").kind(), "hostname");
    }
}
