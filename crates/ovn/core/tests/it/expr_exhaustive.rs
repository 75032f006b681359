//! The solver against every packet of a small world: 3 bits of `vlan.pcp`, 2 of `reg9`, one port, one chassis.

use crate::names::formula;
use proptest::prelude::*;
use purlin_ovn_core::expr::{Answer, Packet, annotate, covered};

const PORTS: [&str; 3] = ["vm1", "vm2", "vm3"];

fn world() -> Vec<Packet> {
    let mut packets = Vec::new();
    for (pcp, reg) in (0..8u128).flat_map(|pcp| (0..4u128).map(move |reg| (pcp, reg))) {
        for (port, resident) in PORTS.iter().flat_map(|port| [(port, false), (port, true)]) {
            let mut packet = Packet::default();
            packet.set("vlan.tci", 1 << 12);
            packet.set("vlan.pcp", pcp);
            packet.set("reg9", reg);
            packet.set_port("inport", port);
            if resident {
                packet.reside("lrp0");
            }
            packets.push(packet);
        }
    }
    packets
}

/// The whole world as one expression: everything else is left out.
const WORLD: &str = "vlan.tci[0..12] == 0x1000 && reg9 < 4 && inport == {\"vm1\", \"vm2\", \"vm3\"}";

fn leaf() -> BoxedStrategy<String> {
    let relation = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let number = (
        prop::sample::select(vec![("vlan.pcp", 8u32), ("reg9", 4)]),
        relation,
        any::<u32>(),
    );
    prop_oneof![
        4 => number.prop_map(|((field, count), relation, value)| format!("{field} {relation} {}", value % count)),
        1 => (0u32..8, 0u32..8).prop_map(|(value, mask)| format!("vlan.pcp == {value}/{mask}")),
        1 => (0u32..8, 0u32..8).prop_map(|(value, mask)| format!("vlan.pcp != {value}/{mask}")),
        1 => prop::sample::select(vec!["reg9[0]", "!reg9[1]", "vlan.pcp[2]", "vlan.pcp != {1, 4, 6}", "1 < vlan.pcp <= 5"]).prop_map(str::to_owned),
        1 => prop::sample::select(PORTS.to_vec()).prop_map(|port| format!("inport == \"{port}\"")),
        1 => Just("is_chassis_resident(\"lrp0\")".to_owned()),
        1 => Just("!is_chassis_resident(\"lrp0\")".to_owned()),
    ]
    .boxed()
}

fn expression() -> BoxedStrategy<String> {
    leaf()
        .prop_recursive(4, 20, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|parts| format!("({})", parts.join(" && "))),
                prop::collection::vec(inner, 2..4).prop_map(|parts| format!("({})", parts.join(" || "))),
            ]
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn it_says_never_just_when_no_packet_is_left(rule in expression(), first in expression(), second in expression()) {
        let rule = format!("{WORLD} && {rule}");
        let others = [formula(&first), formula(&second)];
        let rule = formula(&rule);
        let shown: Vec<_> = others.iter().map(annotate).collect();
        let whole = annotate(&rule);
        let left = world().into_iter().any(|packet| {
            packet.satisfies(&whole) && !shown.iter().any(|other| packet.satisfies(other))
        });
        match covered(&rule, &others.iter().collect::<Vec<_>>()) {
            Answer::Packet(packet) => {
                prop_assert!(left, "nothing is left, not even {}", packet);
                prop_assert!(packet.satisfies(&whole) && !shown.iter().any(|other| packet.satisfies(other)));
            }
            Answer::Never => prop_assert!(!left),
            Answer::Unknown => prop_assert!(false, "too hard"),
        }
    }
}
