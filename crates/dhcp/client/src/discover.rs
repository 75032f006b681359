//! Who answers on a segment: every DHCP server, wanted or not.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::line::{Line, LineError, some_xid};
use crate::message::{Answer, Draft, GIADDR, Kind, address_at, all_options, code};
use crate::probe::{PROBE_MAC, ProbeOption};

/// Why nobody could be asked.
pub type DiscoverError = LineError;

/// A server that offered something.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundServer {
    /// Option 54, the server's name for itself.
    pub server_id: Option<Ipv4Addr>,
    /// Where the OFFER came from; differs from `server_id` behind a relay.
    pub source: SocketAddrV4,
    /// The relay it came through.
    pub relay: Option<Ipv4Addr>,
    pub offered: Ipv4Addr,
    pub took_ms: f64,
    /// Everything in the OFFER: a rogue server shows by its router and DNS.
    pub options: Vec<ProbeOption>,
}

/// How long servers are asked for an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How often the same DISCOVER is sent.
    pub times: u32,
    /// From one to the next.
    pub every: Duration,
    /// In all.
    pub wait: Duration,
}

/// Broadcasts a DISCOVER on an interface, again as a client does that hears nothing, and collects offers for the whole
/// of the wait, sorted by server. Nothing is requested, so no lease comes of it. Needs root or CAP_NET_RAW.
///
/// # Errors
/// When the interface is missing, down, no Ethernet, or raw frames are not allowed.
pub fn discover_servers(interface: &str, patience: Patience) -> Result<Vec<FoundServer>, DiscoverError> {
    let mut line = Line::segment(interface)?;
    let xid = some_xid();
    let began = Instant::now();
    let mut draft = Draft::new(Kind::Discover, PROBE_MAC);
    draft.xid(xid).broadcast();
    draft.option(code::PARAMETERS, &[1, 3, 6, 15, 51, 66, 67]);
    let (question, end) = (draft.finish(), began + patience.wait);
    let (mut asked, mut next) = (0, began);
    let mut found: Vec<FoundServer> = Vec::new();
    loop {
        if asked < patience.times && Instant::now() >= next {
            line.send(&question, PROBE_MAC, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST)?;
            (asked, next) = (asked + 1, next + patience.every);
        }
        let until = if asked < patience.times {
            end.min(next)
        } else {
            end
        };
        let Some((datagram, source)) = line.receive(until)? else {
            if Instant::now() >= end {
                break;
            }
            continue;
        };
        let offer = Answer::read(&datagram).filter(|answer| answer.xid == xid && answer.kind == Kind::Offer);
        let Some(offer) = offer else { continue };
        let server = found_server(&datagram, &offer, source, began.elapsed());
        if !found
            .iter()
            .any(|known| (known.server_id, known.source) == (server.server_id, source))
        {
            found.push(server);
        }
    }
    found.sort_by_key(|server| (server.server_id, *server.source.ip()));
    Ok(found)
}

fn found_server(datagram: &[u8], offer: &Answer, source: SocketAddrV4, took: Duration) -> FoundServer {
    let known = |address: Ipv4Addr| (!address.is_unspecified()).then_some(address);
    FoundServer {
        server_id: known(offer.server_id.into()),
        source,
        relay: known(address_at(datagram, GIADDR)),
        offered: offer.yiaddr.into(),
        took_ms: took.as_secs_f64() * 1e3,
        options: all_options(datagram)
            .iter()
            .map(|(option, value)| ProbeOption::render(*option, value))
            .collect(),
    }
}
