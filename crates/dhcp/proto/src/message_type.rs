//! The DHCP message type, option 53.

use std::fmt;

/// What a DHCP message is for; one octet, option 53.
///
/// Source: RFC 2132 section 9.6 (1-8), RFC 3203 section 4 (9), RFC 4388 section 6.1 (10-13), RFC 6926 section 6.2.1
/// (14, 15), RFC 7724 section 5.2 (16-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MessageType {
    Discover = 1,
    Offer = 2,
    Request = 3,
    Decline = 4,
    Ack = 5,
    Nak = 6,
    Release = 7,
    Inform = 8,
    ForceRenew = 9,
    LeaseQuery = 10,
    LeaseUnassigned = 11,
    LeaseUnknown = 12,
    LeaseActive = 13,
    BulkLeaseQuery = 14,
    LeaseQueryDone = 15,
    ActiveLeaseQuery = 16,
    LeaseQueryStatus = 17,
    Tls = 18,
}

impl MessageType {
    /// Every type, in the order of their octets.
    pub const ALL: [Self; 18] = [
        Self::Discover,
        Self::Offer,
        Self::Request,
        Self::Decline,
        Self::Ack,
        Self::Nak,
        Self::Release,
        Self::Inform,
        Self::ForceRenew,
        Self::LeaseQuery,
        Self::LeaseUnassigned,
        Self::LeaseUnknown,
        Self::LeaseActive,
        Self::BulkLeaseQuery,
        Self::LeaseQueryDone,
        Self::ActiveLeaseQuery,
        Self::LeaseQueryStatus,
        Self::Tls,
    ];

    /// The type of that octet, `None` when it is not assigned.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1..=18 => Some(Self::ALL[octet as usize - 1]),
            _ => None,
        }
    }

    #[must_use]
    pub const fn octet(self) -> u8 {
        self as u8
    }

    /// The name in the RFCs: `DHCPDISCOVER`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Discover => "DHCPDISCOVER",
            Self::Offer => "DHCPOFFER",
            Self::Request => "DHCPREQUEST",
            Self::Decline => "DHCPDECLINE",
            Self::Ack => "DHCPACK",
            Self::Nak => "DHCPNAK",
            Self::Release => "DHCPRELEASE",
            Self::Inform => "DHCPINFORM",
            Self::ForceRenew => "DHCPFORCERENEW",
            Self::LeaseQuery => "DHCPLEASEQUERY",
            Self::LeaseUnassigned => "DHCPLEASEUNASSIGNED",
            Self::LeaseUnknown => "DHCPLEASEUNKNOWN",
            Self::LeaseActive => "DHCPLEASEACTIVE",
            Self::BulkLeaseQuery => "DHCPBULKLEASEQUERY",
            Self::LeaseQueryDone => "DHCPLEASEQUERYDONE",
            Self::ActiveLeaseQuery => "DHCPACTIVELEASEQUERY",
            Self::LeaseQueryStatus => "DHCPLEASEQUERYSTATUS",
            Self::Tls => "DHCPTLS",
        }
    }

    /// The type of that name, with or without `DHCP`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let short = |name: &'static str| &name["DHCP".len()..];
        Self::ALL.into_iter().find(|kind| {
            text.eq_ignore_ascii_case(kind.as_str()) || text.eq_ignore_ascii_case(short(kind.as_str()))
        })
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_found_by_octet_and_by_name() {
        for kind in MessageType::ALL {
            assert_eq!(MessageType::from_octet(kind.octet()), Some(kind));
            assert_eq!(MessageType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(MessageType::parse("discover"), Some(MessageType::Discover));
        assert_eq!(MessageType::from_octet(0), None);
        assert_eq!(MessageType::from_octet(19), None);
    }
}
