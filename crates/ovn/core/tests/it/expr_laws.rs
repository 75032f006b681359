//! Laws that hold for every expression.

use crate::ask::ask_everything;
use crate::names::Known;
use proptest::prelude::*;
use purlin_ovn_core::expr::{Answer, Packet, annotate, lower, parse, satisfiable};

fn number(width: u32) -> BoxedStrategy<String> {
    let max = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
    prop_oneof![
        (0..=max).prop_map(|value| value.to_string()),
        (0..=max).prop_map(|value| format!("{value:#x}")),
        (0..=max, 0..=max).prop_map(|(value, mask)| format!("{value:#x}/{mask:#x}")),
    ]
    .boxed()
}

/// A comparison that is valid in most cases.
fn comparison() -> BoxedStrategy<String> {
    let relation = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let field = prop::sample::select(vec![
        ("tcp.dst", 16),
        ("udp.src", 16),
        ("ip4.src", 32),
        ("ip6.dst", 128),
        ("eth.src", 48),
        ("vlan.vid", 12),
        ("reg0", 32),
        ("ip.ttl", 8),
        ("icmp4.type", 8),
        ("ct_mark.natted", 1),
    ]);
    let simple = (field.clone(), relation).prop_flat_map(|((name, width), relation)| {
        number(width).prop_map(move |value| format!("{name} {relation} {value}"))
    });
    let set = (field, prop::sample::select(vec!["==", "!="])).prop_flat_map(|((name, width), relation)| {
        prop::collection::vec(number(width), 1..4)
            .prop_map(move |values| format!("{name} {relation} {{{}}}", values.join(", ")))
    });
    let ready = prop::sample::select(vec![
        "ip4",
        "tcp",
        "ct.est",
        "!ct.new",
        "vlan.present",
        "eth.mcast",
        "1",
        "0",
        "inport == \"vm1\"",
        "outport == {\"vm2\", @web}",
        "ip4.src == $set1",
        "ip4.dst == 10.0.0.0/8",
        "ip6.src == fe80::/10",
        "100 <= tcp.dst < 200",
        "is_chassis_resident(\"lrp0\")",
        "!vlan.pcp",
    ]);
    prop_oneof![4 => simple, 2 => set, 4 => ready.prop_map(str::to_owned)].boxed()
}

fn expression() -> BoxedStrategy<String> {
    comparison()
        .prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|parts| format!("({})", parts.join(" && "))),
                prop::collection::vec(inner.clone(), 2..4)
                    .prop_map(|parts| format!("({})", parts.join(" || "))),
                inner.prop_map(|part| format!("!({part})")),
            ]
        })
        .boxed()
}

fn packet() -> BoxedStrategy<Packet> {
    let bits = prop::collection::vec((0u64..4, any::<u64>()), 12);
    (bits, any::<bool>())
        .prop_map(|(bits, v6)| {
            let mut packet = Packet::default();
            packet.set("eth.type", if v6 { 0x86dd } else { 0x800 });
            let fields = [
                "tcp.dst", "udp.src", "ip4.src", "ip6.dst", "eth.src", "vlan.tci", "reg0", "ip.ttl",
            ];
            for (name, (choice, value)) in fields.iter().zip(&bits) {
                let value = if *choice == 0 { value % 3 } else { value % 256 };
                packet.set(name, value.into());
            }
            packet.set("ip.proto", [6, 17, 1, 6][bits[8].0 as usize]);
            packet.set("ct_state", (bits[9].1 % 256).into());
            packet.set_port("inport", if bits[10].0 > 1 { "vm1" } else { "vm2" });
            packet.set_port("outport", if bits[11].0 > 1 { "vm1" } else { "vm2" });
            packet
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn what_is_printed_reads_the_same(text in expression()) {
        ask_everything(&text);
        if let Ok(formula) = parse(&text).and_then(|parsed| lower(&parsed, &Known)) {
            let printed = formula.to_string();
            // Formulas can say "not that port" and "these bits of a nominal field"; expressions cannot.
            if let Ok(again) = parse(&printed) {
                prop_assert_eq!(lower(&again, &Known).unwrap().to_string(), printed);
            }
        }
    }

    #[test]
    fn no_text_panics(text in "[ -~]{0,60}", noise in "\\PC{0,30}") {
        ask_everything(&text);
        ask_everything(&noise);
    }

    #[test]
    fn pieces_of_expressions_do_not_panic(text in expression(), from in 0usize..80, length in 0usize..80) {
        let piece: String = text.chars().skip(from).take(length).collect();
        ask_everything(&piece);
    }

    #[test]
    fn writing_out_changes_nothing_for_any_packet(text in expression(), packet in packet()) {
        if let Ok(formula) = parse(&text).and_then(|parsed| lower(&parsed, &Known)) {
            let annotated = annotate(&formula);
            prop_assert_eq!(annotated.negated().negated(), annotated.clone());
            prop_assert_ne!(packet.satisfies(&annotated), packet.satisfies(&annotated.negated()));
        }
    }

    #[test]
    fn never_is_never_wrong(text in expression(), packet in packet()) {
        if let Ok(formula) = parse(&text).and_then(|parsed| lower(&parsed, &Known)) {
            let annotated = annotate(&formula);
            match satisfiable(&formula) {
                Answer::Packet(witness) => prop_assert!(witness.satisfies(&annotated), "{} by {}", text, witness),
                Answer::Never => prop_assert!(!packet.satisfies(&annotated), "{} by {}", text, packet),
                Answer::Unknown => prop_assert!(false, "{} took too long", text),
            }
        }
    }
}
