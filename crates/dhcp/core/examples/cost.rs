//! What a decision record and a class test cost: `cargo run --release -p purlin-dhcp-core --example cost`.
//!
//! Prints nanoseconds per call, the least of several rounds, so that a busy machine disturbs little.

use purlin_dhcp_core::expr::{ClassRef, Expr, Scratch, Subject};
use purlin_telemetry::reason::{Parameters, general};
use purlin_telemetry::{Decision, DecisionRing, Outcome, Reason};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 9;

/// A relayed packet with its options found in order, as on the packet path.
struct Packet {
    options: [(u8, &'static [u8]); 7],
}

impl Subject for Packet {
    fn option(&self, code: u8) -> Option<&[u8]> {
        self.options
            .iter()
            .find(|(found, _)| *found == code)
            .map(|(_, value)| *value)
    }
    fn mac(&self) -> &[u8] {
        &[0, 0x53, 0, 0xaa, 0xbb, 0xcc]
    }
    fn htype(&self) -> u8 {
        1
    }
    fn hlen(&self) -> u8 {
        6
    }
    fn ciaddr(&self) -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
    fn yiaddr(&self) -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
    fn siaddr(&self) -> Ipv4Addr {
        Ipv4Addr::UNSPECIFIED
    }
    fn giaddr(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 1, 0, 1)
    }
    fn transid(&self) -> u32 {
        7
    }
    fn interface(&self) -> &str {
        ""
    }
    fn source(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 1, 0, 1)
    }
    fn destination(&self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, 1)
    }
    fn length(&self) -> u32 {
        300
    }
    fn member(&self, _class: &ClassRef) -> bool {
        false
    }
}

fn main() {
    let mut ring = DecisionRing::new(65_536);
    for outcome in [Outcome::Answered, Outcome::Silent] {
        let decision = Decision {
            outcome,
            ..Decision::default()
        };
        let nanos = least(|| ring.push(black_box(decision)));
        println!("{nanos:7.1} ns  decision, {}", outcome.as_str());
    }
    let reason = general::REASONS[0];
    let reason = Reason {
        text: "no address is free in {address}, asked through {via}",
        ..reason
    };
    let nanos = least(|| reason.render(black_box(Parameters::default())));
    println!("{nanos:7.1} ns  the sentence of a decision");
    println!("{:7} octets a decision", size_of::<Decision>());
    let packet = Packet {
        options: [
            (53, &[1]),
            (61, &[1, 0, 0x53, 0, 0xaa, 0xbb, 0xcc]),
            (12, b"web-07"),
            (60, b"PXEClient:Arch:00007:UNDI:003016"),
            (93, &[0, 7]),
            (55, &[1, 3, 6, 15, 66, 67]),
            (82, &[1, 4, b'e', b't', b'h', b'3']),
        ],
    };
    let mut scratch = Scratch::default();
    for text in [
        "option[60].exists",
        "option[93].hex == 0x0007",
        "substring(option[60].hex, 0, 9) == 'PXEClient'",
        "option[60].text startswith 'PXEClient' and option[93].hex in (7, 9)",
        "pkt4.giaddr in 10.0.0.0/8 and relay4[1].hex == 'eth3'",
        "hexstring(pkt4.mac, ':') == '00:53:00:aa:bb:cc'",
        "lcase(option[12].text) startswith 'web-' and split(option[60].text, ':', 3) == '00007'",
        "member('KNOWN') or member('A') or member('B')",
    ] {
        let expr = Expr::parse(text).expect("the expressions above are correct");
        let nanos = least(|| expr.test(black_box(&packet), &mut scratch));
        println!("{nanos:7.1} ns  {text}");
    }
}

/// Nanoseconds per call in the quickest round.
fn least<T>(mut call: impl FnMut() -> T) -> f64 {
    let round = |_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| drop(black_box(call())));
        start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
