//! How a transfer is made.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use purlin_tftp_proto::{BLKSIZE_MAX, BLKSIZE_MIN, Mode, Rollover, Wishes};

/// Longest request that everybody takes: RFC 2347 has it fit one datagram of 512 octets.
pub(crate) const REQUEST_MAX: usize = 512;

/// A transfer as asked for; the server may lower what is negotiated.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferOptions {
    /// Where the request goes. IPv4 or IPv6.
    pub server: SocketAddr,
    /// Source address; by default the kernel's choice.
    pub local: Option<IpAddr>,
    /// `Octet` or `Netascii`.
    pub mode: Mode,
    /// Octets per block to ask for, 8 to 65464 (RFC 2348); `None` does not ask, which means 512.
    pub blksize: Option<u16>,
    /// Blocks per acknowledgement to ask for, 1 to 65535 (RFC 7440); `None` does not ask, which means 1.
    pub windowsize: Option<u16>,
    /// Ask for the size of the file, or tell it (RFC 2349).
    pub tsize: bool,
    /// Ask the server to retransmit after this many seconds, 1 to 255 (RFC 2349).
    pub timeout_secs: Option<u8>,
    /// The block number after 65535; by default a download finds out and an upload uses 0.
    pub rollover: Option<Rollover>,
    /// Also ask the server for `rollover` with the option of tftp-hpa.
    pub ask_rollover: bool,
    /// Silence after which this side sends again; doubles with each further silence up to 8 s. Once round trips were
    /// measured they may make it shorter, down to 100 ms. 10 ms to 60 s.
    pub wait: Duration,
    /// How often the request is sent in all before this side gives up; a server that has answered is given as much time
    /// before it counts as silent. 1 to 32.
    pub attempts: u8,
    /// After a download, answer a repeated last block this long (RFC 1350, section 6); 0 leaves at once, and a server
    /// whose last ACK was lost sends a few more blocks to a closed port.
    pub dally: Duration,
    /// The transfer fails when it takes longer.
    pub limit: Option<Duration>,
}

/// A value outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    #[error("{what} is {value}; allowed is {allowed}")]
    OutOfRange {
        what: &'static str,
        value: String,
        allowed: &'static str,
    },
    #[error("the name of the file is empty; say what to transfer")]
    NoName,
    #[error("the name {0:?} holds a zero octet, which ends a name on the wire")]
    Name(String),
    #[error("the name of {0} octets does not fit a request; at most about 400 do")]
    LongName(usize),
    #[error("an IPv{local} source address cannot reach the IPv{server} server")]
    Family { local: u8, server: u8 },
}

impl TransferOptions {
    /// Octet mode, 1428 octets a block (fits every path that DHCP works on), windows of 16, size asked; first wait of
    /// 1 s, 6 attempts, no dallying, no limit.
    #[must_use]
    pub fn new(server: SocketAddr) -> Self {
        Self {
            server,
            local: None,
            mode: Mode::Octet,
            blksize: Some(1428),
            windowsize: Some(16),
            tsize: true,
            timeout_secs: None,
            rollover: None,
            ask_rollover: false,
            wait: Duration::from_secs(1),
            attempts: 6,
            dally: Duration::ZERO,
            limit: None,
        }
    }

    /// RFC 1350 alone: no options, 512 octets a block, lock-step.
    #[must_use]
    pub fn plain(server: SocketAddr) -> Self {
        Self {
            blksize: None,
            windowsize: None,
            tsize: false,
            ..Self::new(server)
        }
    }

    /// The options of the request. In netascii the size on the wire is unknown before the transfer, so `tsize` is left
    /// out of an upload.
    pub(super) fn wishes(&self, upload_size: Option<u64>) -> Wishes {
        Wishes {
            blksize: self.blksize,
            windowsize: self.windowsize,
            tsize: self.tsize.then_some(upload_size.unwrap_or(0)),
            timeout: self.timeout_secs,
            rollover: self.rollover.filter(|_| self.ask_rollover),
            ..Wishes::default()
        }
    }

    /// Checks every limit; the first fault found is returned.
    ///
    /// # Errors
    /// The value and what is allowed.
    pub fn check(&self, name: &str) -> Result<(), OptionsError> {
        if name.is_empty() {
            return Err(OptionsError::NoName);
        }
        if name.contains('\0') {
            return Err(OptionsError::Name(name.to_owned()));
        }
        if name.len() > REQUEST_MAX - 112 {
            return Err(OptionsError::LongName(name.len()));
        }
        if self.mode == Mode::Mail {
            return Err(out_of_range(
                "mode",
                "mail",
                "octet or netascii (mail is obsolete, RFC 1350)",
            ));
        }
        let blksize = u64::from(self.blksize.unwrap_or(BLKSIZE_MIN));
        within(
            "blksize",
            blksize,
            BLKSIZE_MIN.into()..=BLKSIZE_MAX.into(),
            "8 to 65464",
        )?;
        within(
            "windowsize",
            self.windowsize.unwrap_or(1).into(),
            1..=65_535,
            "1 to 65535",
        )?;
        within(
            "timeout",
            self.timeout_secs.unwrap_or(1).into(),
            1..=255,
            "1 to 255 seconds",
        )?;
        within("attempts", self.attempts.into(), 1..=32, "1 to 32")?;
        let wait = self.wait.as_millis().min(u64::MAX.into()) as u64;
        within("first wait in milliseconds", wait, 10..=60_000, "10 to 60000")?;
        match self.local {
            Some(local) if local.is_ipv4() != self.server.is_ipv4() => Err(OptionsError::Family {
                local: family(local),
                server: family(self.server.ip()),
            }),
            _ => Ok(()),
        }
    }
}

fn family(address: IpAddr) -> u8 {
    if address.is_ipv4() { 4 } else { 6 }
}

fn out_of_range(what: &'static str, value: &str, allowed: &'static str) -> OptionsError {
    OptionsError::OutOfRange {
        what,
        value: value.to_owned(),
        allowed,
    }
}

pub(crate) fn within(
    what: &'static str,
    value: u64,
    range: RangeInclusive<u64>,
    allowed: &'static str,
) -> Result<(), OptionsError> {
    if range.contains(&value) {
        Ok(())
    } else {
        Err(out_of_range(what, &value.to_string(), allowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_value_and_the_range() {
        let server = "127.0.0.1:69".parse().unwrap();
        let check = |change: fn(&mut TransferOptions)| {
            let mut options = TransferOptions::new(server);
            change(&mut options);
            options.check("f").unwrap_err().to_string()
        };
        assert_eq!(
            check(|o| o.blksize = Some(7)),
            "blksize is 7; allowed is 8 to 65464"
        );
        assert_eq!(check(|o| o.attempts = 0), "attempts is 0; allowed is 1 to 32");
        assert!(check(|o| o.mode = Mode::Mail).contains("octet or netascii"));
        let family = check(|o| o.local = Some("::1".parse().unwrap()));
        assert_eq!(family, "an IPv6 source address cannot reach the IPv4 server");
        let named = |name: &str| TransferOptions::new(server).check(name).unwrap_err();
        assert_eq!(named(""), OptionsError::NoName);
        assert_eq!(named("a\0b"), OptionsError::Name("a\0b".into()));
        assert!(TransferOptions::new(server).check(&"x".repeat(401)).is_err());
    }
}
