//! What a probe found, ready to print or to serialise.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use purlin_dhcp_proto::catalog;
use serde::Serialize;

use crate::message::{Answer, FILE, Kind, SIADDR, YIADDR, address_at, all_options, code};

/// The whole story of a probe.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeReport {
    /// The client's hardware address.
    pub mac: String,
    pub verdict: ProbeVerdict,
    /// The verdict in a sentence.
    pub explanation: String,
    /// What to look at when it did not work; empty when it did.
    pub hints: Vec<String>,
    /// From the first message to the last.
    pub elapsed_ms: f64,
    pub steps: Vec<ProbeStep>,
    /// Who told what to boot without giving an address (PXE 2.1, section 2.2), in the order they were heard.
    pub proxies: Vec<ProbeProxy>,
    /// Present when the verdict is `Bound`.
    pub lease: Option<ProbeLease>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeVerdict {
    /// A lease was granted.
    Bound,
    /// Nobody answered the DISCOVER.
    NoOffer,
    /// The server offered but did not answer the REQUEST.
    NoAck,
    /// The server answered the REQUEST with a NAK.
    Refused,
}

/// What a step was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum StepKind {
    Discover,
    Offer,
    Request,
    Ack,
    Nak,
    Release,
    /// Nothing came in the time allowed.
    Silence,
}

/// One message sent or received.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeStep {
    pub kind: StepKind,
    /// Sent by us; `false` for what came back.
    pub sent: bool,
    /// Since the probe began.
    pub at_ms: f64,
    /// Since the first sending of what this answers; `None` for what was sent.
    pub took_ms: Option<f64>,
    /// Who sent it; `None` for what was sent.
    pub from: Option<SocketAddrV4>,
    /// The address in it, if any.
    pub address: Option<Ipv4Addr>,
    /// The server identifier in it, if any.
    pub server_id: Option<Ipv4Addr>,
    pub octets: usize,
}

impl ProbeStep {
    pub(crate) fn sent(kind: StepKind, at: Duration, octets: usize) -> Self {
        Self {
            kind,
            sent: true,
            at_ms: millis(at),
            took_ms: None,
            from: None,
            address: None,
            server_id: None,
            octets,
        }
    }

    pub(crate) fn received(
        answer: &Answer,
        at: Duration,
        took: Duration,
        from: SocketAddrV4,
        octets: usize,
    ) -> Self {
        let kind = match answer.kind {
            Kind::Offer => StepKind::Offer,
            Kind::Nak => StepKind::Nak,
            _ => StepKind::Ack,
        };
        let known = |word: u32| (word != 0).then(|| Ipv4Addr::from(word));
        Self {
            kind,
            sent: false,
            at_ms: millis(at),
            took_ms: Some(millis(took)),
            from: Some(from),
            address: known(answer.yiaddr),
            server_id: known(answer.server_id),
            octets,
        }
    }

    pub(crate) fn silence(at: Duration, took: Duration) -> Self {
        Self {
            took_ms: Some(millis(took)),
            sent: false,
            ..Self::sent(StepKind::Silence, at, 0)
        }
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What the ACK granted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeLease {
    pub address: Ipv4Addr,
    pub server_id: Option<Ipv4Addr>,
    /// Seconds; 4294967295 is for ever (RFC 2131, section 3.3).
    pub lease_secs: Option<u32>,
    /// T1, seconds.
    pub renewal_secs: Option<u32>,
    /// T2, seconds.
    pub rebinding_secs: Option<u32>,
    /// `siaddr`, the next server to boot from.
    pub next_server: Option<Ipv4Addr>,
    /// The `file` field.
    pub boot_file: Option<String>,
    /// Every option of the ACK in its order, split and overloaded ones joined.
    pub options: Vec<ProbeOption>,
}

impl ProbeLease {
    pub(crate) fn read(datagram: &[u8], answer: &Answer) -> Self {
        let options = all_options(datagram);
        let value = |wanted: u8| {
            options
                .iter()
                .find(|(option, _)| *option == wanted)
                .map(|(_, value)| value)
        };
        let seconds = |wanted: u8| Some(u32::from_be_bytes(value(wanted)?.as_slice().try_into().ok()?));
        let known = |address: Ipv4Addr| (!address.is_unspecified()).then_some(address);
        let overloaded =
            value(code::OVERLOAD).is_some_and(|value| value.first().is_some_and(|bits| bits & 1 != 0));
        Self {
            address: address_at(datagram, YIADDR),
            server_id: known(answer.server_id.into()),
            lease_secs: answer.lease_secs,
            renewal_secs: seconds(code::RENEWAL_TIME),
            rebinding_secs: seconds(code::REBINDING_TIME),
            next_server: known(address_at(datagram, SIADDR)),
            boot_file: if overloaded {
                None
            } else {
                text_field(&datagram[FILE..236])
            },
            options: options
                .iter()
                .map(|(option, value)| ProbeOption::render(*option, value))
                .collect(),
        }
    }

    /// The text of an option, as `options` has it.
    pub fn option(&self, wanted: u8) -> Option<&str> {
        self.options
            .iter()
            .find(|option| option.code == wanted)
            .map(|option| option.text.as_str())
    }
}

/// What a proxy said: a server beside the one that gives the addresses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeProxy {
    /// Option 54.
    pub server_id: Option<Ipv4Addr>,
    /// Where its answer came from.
    pub from: SocketAddrV4,
    /// `siaddr`, where the file is, or where to ask for it.
    pub boot_server: Option<Ipv4Addr>,
    /// The `file` field, else option 67. Some firmware is told only where to ask again, at port 4011.
    pub boot_file: Option<String>,
    /// Every option, as in a lease.
    pub options: Vec<ProbeOption>,
}

impl ProbeProxy {
    /// An OFFER or ACK without an address is a proxy's (PXE 2.1, section 2.2.3).
    pub(crate) fn is_meant(answer: &Answer) -> bool {
        answer.yiaddr == 0 && matches!(answer.kind, Kind::Offer | Kind::Ack)
    }

    pub(crate) fn read(datagram: &[u8], answer: &Answer, from: SocketAddrV4) -> Self {
        // The same fields in the same places, none of which belongs to an address.
        let told = ProbeLease::read(datagram, answer);
        let named = told.option(code::BOOT_FILE).map(str::to_owned);
        Self {
            server_id: told.server_id,
            from,
            boot_server: told.next_server,
            boot_file: told.boot_file.or(named),
            options: told.options,
        }
    }
}

fn text_field(field: &[u8]) -> Option<String> {
    let text = field
        .split(|&octet| octet == 0)
        .next()
        .filter(|text| !text.is_empty())?;
    Some(String::from_utf8_lossy(text).into_owned())
}

/// One option with its name and its value as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeOption {
    pub code: u8,
    /// From the catalog; `option-NNN` for codes it does not have.
    pub name: String,
    /// The value in its own type, `hex:...` when it has none.
    pub text: String,
    /// The octets in hexadecimal.
    pub hex: String,
}

impl ProbeOption {
    pub(crate) fn render(option: u8, value: &[u8]) -> Self {
        let hex: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
        let (name, text) = match catalog::by_code(option) {
            Some(info) => (info.name.to_owned(), catalog::render(info.kind, value)),
            None => (format!("option-{option}"), format!("hex:{hex}")),
        };
        Self {
            code: option,
            name,
            text,
            hex,
        }
    }
}
