//! The end of a probe in plain words, and what to look at next.

use std::net::SocketAddrV4;

use super::report::{ProbeProxy, ProbeStep, ProbeVerdict, StepKind};
use super::{End, Probe, ProbeVia};
use crate::message::{Answer, all_options, code};

const SERVER_PORT: u16 = 67;

/// The verdict and a sentence for it.
pub(crate) fn verdict(end: &End, steps: &[ProbeStep], proxies: &[ProbeProxy]) -> (ProbeVerdict, String) {
    let sent = |kind: StepKind| steps.iter().filter(|step| step.sent && step.kind == kind).count();
    match end {
        End::NoOffer if !proxies.is_empty() => {
            let text = format!(
                "a proxy told what to boot, but no server offered an address for {} DISCOVER",
                sent(StepKind::Discover)
            );
            (ProbeVerdict::NoOffer, text)
        }
        End::NoOffer => {
            let text = format!("no server answered {} DISCOVER", sent(StepKind::Discover));
            (ProbeVerdict::NoOffer, text)
        }
        End::NoAck => {
            let text = format!(
                "a server offered an address but stayed silent on {} REQUEST",
                sent(StepKind::Request)
            );
            (ProbeVerdict::NoAck, text)
        }
        End::Refused(datagram) => (ProbeVerdict::Refused, refusal(datagram)),
        End::Bound(_, answer) => (ProbeVerdict::Bound, granted(answer)),
    }
}

fn granted(answer: &Answer) -> String {
    let address = std::net::Ipv4Addr::from(answer.yiaddr);
    match answer.lease_secs {
        Some(u32::MAX) => format!("{address} is leased for ever"),
        Some(secs) => format!("{address} is leased for {secs} s"),
        None => format!("{address} was acknowledged without a lease time, which no lease may lack"),
    }
}

/// A NAK may say why in option 56.
fn refusal(datagram: &[u8]) -> String {
    let options = all_options(datagram);
    let reason = options.iter().find(|(option, _)| *option == code::TEXT);
    match reason {
        Some((_, text)) => format!("the server refused: {}", String::from_utf8_lossy(text)),
        None => "the server refused and gave no reason (no option 56 in the NAK)".to_owned(),
    }
}

/// What to look at when it did not work.
pub(crate) fn hints(
    verdict: ProbeVerdict,
    probe: &Probe,
    local: SocketAddrV4,
    proxies: &[ProbeProxy],
) -> Vec<String> {
    let mac = probe.mac;
    let ask = format!("if the server is Purlin, ask it: purlin why {mac}");
    match verdict {
        ProbeVerdict::NoOffer if !proxies.is_empty() => vec![
            "a proxy gives no addresses: another server must, and a relay must send to both".to_owned(),
            ask,
        ],
        ProbeVerdict::Bound => Vec::new(),
        ProbeVerdict::Refused => {
            vec![
                "the address was taken or changed between OFFER and REQUEST, or two servers disagree"
                    .to_owned(),
                ask,
            ]
        }
        ProbeVerdict::NoAck => vec![
            "a server that cannot write its leases (full disk, failed database) stays silent here".to_owned(),
            "an OFFER from another server than the one asked also ends like this".to_owned(),
            ask,
        ],
        ProbeVerdict::NoOffer => {
            let mut hints = silence(probe, local);
            hints.push(ask);
            hints
        }
    }
}

fn silence(probe: &Probe, local: SocketAddrV4) -> Vec<String> {
    match &probe.via {
        ProbeVia::Relay { server, giaddr, .. } => {
            let mut hints = vec![
                format!("is the server listening on {server}?"),
                format!(
                    "a server stays silent when no subnet contains giaddr {giaddr}, or its pool is used up"
                ),
            ];
            if server.port() == SERVER_PORT && local != SocketAddrV4::new(*giaddr, SERVER_PORT) {
                hints.push(format!(
                    "a server on port 67 answers to {giaddr}:67, but this probe listens on {local}: \
                     put {giaddr} on this machine and bind to {giaddr}:67"
                ));
            }
            hints
        }
        ProbeVia::Interface(name) => vec![
            format!(
                "is a server or relay on the segment of {name}? tcpdump -ni {name} port 67 or port 68 shows it"
            ),
            "switches with DHCP snooping drop answers from ports they do not trust".to_owned(),
            "a firewall on this machine may drop UDP to port 68".to_owned(),
        ],
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn silence_of_a_port_67_server_points_to_the_giaddr() {
        let giaddr = Ipv4Addr::new(10, 0, 0, 2);
        let server = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 67);
        let probe = Probe::new(ProbeVia::Relay {
            server,
            giaddr,
            bind: SocketAddrV4::new(giaddr, 0),
        });
        let listens = |port| {
            hints(
                ProbeVerdict::NoOffer,
                &probe,
                SocketAddrV4::new(giaddr, port),
                &[],
            )
            .join("\n")
        };
        assert!(listens(40_000).contains("answers to 10.0.0.2:67"));
        assert!(!listens(67).contains("answers to"));
    }
}
