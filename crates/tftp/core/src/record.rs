//! How a request ended, in one value of fixed size: what `purlin why` tells about boot files.

use crate::reasons;
use purlin_telemetry::decision::Record;
use purlin_telemetry::reason::Parameters;
use purlin_telemetry::{Outcome, ReasonCode};
use purlin_types::WallTime;
use std::fmt;
use std::net::IpAddr;

/// Octets of a name that a record keeps: the last ones, because they tell files apart.
pub const NAME_KEPT: usize = 46;

/// How an HTTP request asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    /// One that is not told apart from others.
    Other,
}

impl HttpMethod {
    /// The method of this name; names are in capitals (RFC 9110, section 9.1).
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            "PATCH" => Self::Patch,
            _ => Self::Other,
        }
    }
}

/// What came outside of any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    Data,
    Ack,
    Error,
    OptionAck,
    /// Nothing that any RFC knows.
    Noise,
    /// A TLS handshake, for HTTPS boot, that came to nothing.
    Handshake,
}

/// One request, from its arrival to its end; or one packet that belongs to none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BootRecord {
    /// Position in its ring's whole history, from 0; set by the ring.
    pub seq: u64,
    /// When it ended.
    pub at: WallTime,
    pub client: IpAddr,
    pub port: u16,
    /// Octets of the file that arrived.
    pub octets: u64,
    /// Octets of the file; what a client announced for an upload. 0 when unknown.
    pub size: u64,
    /// Microseconds from the request until the file was open, 0 when it never was.
    pub opened_us: u32,
    /// Microseconds from the request until the first DATA (or, for an upload, the first answer) was sent; 0 for never.
    pub first_us: u32,
    /// Microseconds from the request until the end.
    pub took_us: u64,
    /// Blocks sent again.
    pub again: u32,
    /// What fills `{a}` in the reason's text.
    pub a: u32,
    pub blksize: u16,
    pub windowsize: u16,
    pub reason: ReasonCode,
    pub outcome: Outcome,
    pub write: bool,
    pub netascii: bool,
    /// How it asked when it came over HTTP; `None` for TFTP.
    pub http: Option<HttpMethod>,
    /// What the packet was when it belongs to no request.
    pub stray: Option<Stray>,
    pub(crate) name_len: u8,
    pub(crate) name: [u8; NAME_KEPT],
}

impl BootRecord {
    /// A record of a request that has just come in and for which nothing was done.
    #[must_use]
    pub fn new(at: WallTime, client: IpAddr, port: u16, name: &[u8]) -> Self {
        let mut record = Self {
            seq: 0,
            at,
            // A socket for both families shows IPv4 clients in IPv6 clothes; people and queries do not.
            client: client.to_canonical(),
            port,
            octets: 0,
            size: 0,
            opened_us: 0,
            first_us: 0,
            took_us: 0,
            again: 0,
            a: 0,
            blksize: 0,
            windowsize: 0,
            reason: ReasonCode::default(),
            outcome: Outcome::Noted,
            write: false,
            netascii: false,
            http: None,
            stray: None,
            name_len: 0,
            name: [0; NAME_KEPT],
        };
        let kept = &name[name.len().saturating_sub(NAME_KEPT)..];
        record.name[..kept.len()].copy_from_slice(kept);
        record.name_len = kept.len() as u8;
        record
    }

    /// Names the mark of a template that had no value. It takes the room that the name leaves; of a long name the head
    /// gives way.
    pub fn mark(&mut self, mark: &str) {
        let mark = &mark.as_bytes()[..mark.len().min(NAME_KEPT)];
        let kept = usize::from(self.name_len).min(NAME_KEPT - mark.len());
        let from = usize::from(self.name_len) - kept;
        self.name.copy_within(from..from + kept, 0);
        self.name[kept..].fill(0);
        self.name[kept..kept + mark.len()].copy_from_slice(mark);
        self.name_len = kept as u8;
    }

    /// The mark of a template that had no value.
    #[must_use]
    pub fn marked(&self) -> Option<&str> {
        let rest = &self.name[usize::from(self.name_len)..];
        let end = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
        std::str::from_utf8(&rest[..end])
            .ok()
            .filter(|mark| !mark.is_empty())
    }

    /// The name asked for, or its end when it is longer than [`NAME_KEPT`].
    #[must_use]
    pub fn name(&self) -> String {
        let kept = &self.name[..usize::from(self.name_len)];
        // A cut may fall into a character; what is left of it is no text.
        let cut = kept
            .iter()
            .take(3)
            .take_while(|octet| **octet & 0xc0 == 0x80)
            .count();
        String::from_utf8_lossy(&kept[cut..]).into_owned()
    }

    fn is_for(&self, name: &str) -> bool {
        let kept = &self.name[..usize::from(self.name_len)];
        let wanted = name.as_bytes();
        if wanted.len() > kept.len() {
            let whole = kept.len() + self.marked().map_or(0, str::len) < NAME_KEPT;
            return !whole && wanted.ends_with(kept);
        }
        wanted.is_empty() || kept.windows(wanted.len()).any(|part| part == wanted)
    }
}

impl fmt::Debug for BootRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.write { "write" } else { "read" };
        write!(
            f,
            "#{} {}:{} {what} {:?}: ",
            self.seq,
            self.client,
            self.port,
            self.name()
        )?;
        write!(
            f,
            "{} {}, {} of {} octets",
            self.outcome.as_str(),
            self.reason,
            self.octets,
            self.size
        )
    }
}

impl Record for BootRecord {
    fn seq(&self) -> u64 {
        self.seq
    }

    fn number(&mut self, seq: u64) {
        self.seq = seq;
    }

    fn at(&self) -> WallTime {
        self.at
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }
}

/// Which records are wanted. All conditions that are set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordQuery {
    pub client: Option<IpAddr>,
    /// A part of the file's name, in the same case.
    pub name: Option<String>,
    pub reason: Option<ReasonCode>,
    pub outcome: Option<Outcome>,
    /// Only what was no ordinary answer.
    pub notable_only: bool,
    /// The newest so many.
    pub limit: usize,
}

impl RecordQuery {
    /// Whether `record` is wanted.
    #[must_use]
    pub fn fits(&self, record: &BootRecord) -> bool {
        self.client
            .is_none_or(|client| client.to_canonical() == record.client)
            && self.reason.is_none_or(|reason| reason == record.reason)
            && self.outcome.is_none_or(|outcome| outcome == record.outcome)
            && !(self.notable_only && record.outcome == Outcome::Answered)
            && self.name.as_deref().is_none_or(|name| record.is_for(name))
    }
}

/// A record with its reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub record: BootRecord,
    /// Why it ended so, in a sentence.
    pub text: String,
    pub slug: &'static str,
    /// What to do about it; empty when nothing is wrong.
    pub fix: &'static str,
}

impl Told {
    /// Adds the words.
    #[must_use]
    pub fn of(record: BootRecord) -> Self {
        let with = Parameters {
            a: record.a,
            ..Parameters::default()
        };
        let reason = reasons::reason(record.reason);
        let mut text = reason.map_or_else(String::new, |reason| reason.render(with));
        if let Some(mark) = record.marked() {
            text += &format!(": {{{{{mark}}}}}");
        }
        Self {
            record,
            text,
            slug: reason.map_or("unknown", |reason| reason.slug),
            fix: reason.map_or("", |reason| reason.fix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn record(name: &str) -> BootRecord {
        BootRecord::new(WallTime(1), Ipv4Addr::LOCALHOST.into(), 2000, name.as_bytes())
    }

    #[test]
    fn a_record_is_two_cache_lines_and_a_bit() {
        assert!(size_of::<BootRecord>() <= 160, "{}", size_of::<BootRecord>());
    }

    #[test]
    fn the_end_of_a_long_name_is_kept_in_whole_characters() {
        assert_eq!(record("a/b").name(), "a/b");
        let long = format!("start-{}", "ä".repeat(30));
        assert_eq!(record(&long).name(), "ä".repeat(23));
        let odd = format!("{}x", "ä".repeat(30));
        assert_eq!(record(&odd).name(), format!("{}x", "ä".repeat(22)));
    }

    #[test]
    fn a_mark_without_a_value_is_named_and_takes_no_room() {
        let mut short = record("boot.ipxe");
        short.reason = crate::plan::codes::TEMPLATE_VALUE;
        assert_eq!(short.marked(), None);
        short.mark("hostname");
        assert_eq!(
            (short.name().as_str(), short.marked()),
            ("boot.ipxe", Some("hostname"))
        );
        let text = Told::of(short).text;
        assert!(text.ends_with(": {{hostname}}"), "{text}");
        let name = format!("pxelinux.cfg/{}", "0123456789".repeat(5));
        let mut long = record(&name);
        long.mark("hostname");
        assert_eq!(long.marked(), Some("hostname"));
        assert!(name.ends_with(&long.name()) && long.name().len() == NAME_KEPT - 8);
        assert!(long.is_for(&name), "also by its whole name");
    }

    #[test]
    fn records_are_found_by_client_and_part_of_the_name() {
        let query = |name: &str| RecordQuery {
            client: Some(Ipv4Addr::LOCALHOST.into()),
            name: Some(name.into()),
            ..RecordQuery::default()
        };
        assert!(query("linux").fits(&record("pxelinux.0")));
        assert!(!query("linuxx").fits(&record("pxelinux.0")));
        let long = format!("/boot/{}", "k".repeat(60));
        assert!(
            query(&long).fits(&record(&long)),
            "what was cut off is not compared"
        );
        assert!(!query("/boot/k").fits(&record("k")));
        let other = RecordQuery {
            client: Some(Ipv4Addr::BROADCAST.into()),
            ..RecordQuery::default()
        };
        assert!(!other.fits(&record("pxelinux.0")));
    }
}
