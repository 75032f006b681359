//! Option codes that the readers and the composer name; the whole list with types is in [`crate::catalog`].
//!
//! Source: RFC 2132 unless said otherwise.

/// Fills space; one octet, no length (RFC 2132, 3.1).
pub const PAD: u8 = 0;
pub const SUBNET_MASK: u8 = 1;
pub const ROUTERS: u8 = 3;
pub const DNS_SERVERS: u8 = 6;
pub const HOST_NAME: u8 = 12;
pub const DOMAIN_NAME: u8 = 15;
pub const BROADCAST_ADDRESS: u8 = 28;
pub const NTP_SERVERS: u8 = 42;
pub const VENDOR_INFORMATION: u8 = 43;
pub const REQUESTED_ADDRESS: u8 = 50;
pub const LEASE_TIME: u8 = 51;
pub const OVERLOAD: u8 = 52;
pub const MESSAGE_TYPE: u8 = 53;
pub const SERVER_ID: u8 = 54;
pub const PARAMETER_REQUESTS: u8 = 55;
pub const MESSAGE: u8 = 56;
pub const MAX_MESSAGE_SIZE: u8 = 57;
pub const RENEWAL_TIME: u8 = 58;
pub const REBINDING_TIME: u8 = 59;
pub const VENDOR_CLASS: u8 = 60;
pub const CLIENT_ID: u8 = 61;
pub const TFTP_SERVER_NAME: u8 = 66;
pub const BOOT_FILE_NAME: u8 = 67;
/// RFC 3004.
pub const USER_CLASS: u8 = 77;
/// RFC 4039.
pub const RAPID_COMMIT: u8 = 80;
/// RFC 4702.
pub const CLIENT_FQDN: u8 = 81;
/// RFC 3046.
pub const RELAY_AGENT: u8 = 82;
/// RFC 3118.
pub const AUTHENTICATION: u8 = 90;
/// RFC 4578, 2.1.
pub const CLIENT_ARCH: u8 = 93;
/// RFC 4578, 2.2.
pub const CLIENT_NDI: u8 = 94;
/// RFC 4578, 2.3.
pub const CLIENT_UUID: u8 = 97;
/// RFC 8925.
pub const V6_ONLY_PREFERRED: u8 = 108;
/// RFC 8910.
pub const CAPTIVE_PORTAL: u8 = 114;
/// RFC 2563.
pub const AUTO_CONFIGURE: u8 = 116;
/// RFC 3011.
pub const SUBNET_SELECTION: u8 = 118;
/// RFC 3397.
pub const DOMAIN_SEARCH: u8 = 119;
/// RFC 3442.
pub const CLASSLESS_ROUTES: u8 = 121;
/// RFC 3925, section 3.
pub const VENDOR_CLASSES: u8 = 124;
/// RFC 3925, section 4.
pub const VENDOR_OPTIONS: u8 = 125;
/// RFC 6926, 6.2.2.
pub const STATUS_CODE: u8 = 151;
/// RFC 9463, section 5.
pub const DNR: u8 = 162;
/// Classless routes as older Windows clients ask for them.
pub const MS_CLASSLESS_ROUTES: u8 = 249;
/// Ends the options; one octet, no length (RFC 2132, 3.2).
pub const END: u8 = 255;

/// A set of option codes: 32 octets, one test per question.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct CodeSet([u64; 4]);

impl CodeSet {
    #[must_use]
    pub const fn new() -> Self {
        Self([0; 4])
    }

    /// The codes of a list, such as the value of option 55.
    #[must_use]
    #[inline]
    pub fn of(codes: &[u8]) -> Self {
        let mut set = Self::new();
        for &code in codes {
            set.insert(code);
        }
        set
    }

    /// Adds `code`; tells whether it was new.
    #[inline]
    pub fn insert(&mut self, code: u8) -> bool {
        let (word, bit) = (usize::from(code >> 6), 1 << (code & 63));
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    #[inline]
    pub fn remove(&mut self, code: u8) {
        self.0[usize::from(code >> 6)] &= !(1 << (code & 63));
    }

    #[must_use]
    #[inline]
    pub const fn contains(&self, code: u8) -> bool {
        self.0[(code >> 6) as usize] & (1 << (code & 63)) != 0
    }

    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        (self.0[0] | self.0[1] | self.0[2] | self.0[3]) == 0
    }

    /// The codes, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u8> + use<> {
        let set = *self;
        (0..=u8::MAX).filter(move |&code| set.contains(code))
    }
}

impl std::fmt::Debug for CodeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = CodeSet::of(&[255, 0, 63, 64, 128, 63]);
        assert!(!set.insert(64));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 128, 255]);
        set.remove(128);
        assert!(!set.contains(128) && !set.is_empty() && CodeSet::new().is_empty());
    }
}
