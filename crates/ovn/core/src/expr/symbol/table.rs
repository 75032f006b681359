//! The table of names, as OVN 23.03 has it.
//!
//! Source: ovn-sb(5), "Symbols" of `Logical_Flow`.`match`, and its logical fields.

use super::{Level, Meaning, Symbol};
use std::sync::OnceLock;

const ORDINAL: Level = Level::Ordinal;
const NOMINAL: Level = Level::Nominal;

/// Name, bits, level, needs.
type Whole = (&'static str, u32, Level, &'static str);

const WHOLE: &[Whole] = &[
    ("inport", 0, NOMINAL, ""),
    ("outport", 0, NOMINAL, ""),
    ("xxreg0", 128, ORDINAL, ""),
    ("xxreg1", 128, ORDINAL, ""),
    ("xreg4", 64, ORDINAL, ""),
    ("flags", 32, ORDINAL, ""),
    ("ct_mark", 32, ORDINAL, ""),
    ("ct_label", 128, ORDINAL, ""),
    ("ct_state", 32, ORDINAL, ""),
    ("eth.src", 48, ORDINAL, ""),
    ("eth.dst", 48, ORDINAL, ""),
    ("eth.type", 16, NOMINAL, ""),
    ("vlan.tci", 16, ORDINAL, ""),
    ("ip.proto", 8, NOMINAL, "ip"),
    ("ip.dscp", 6, NOMINAL, "ip"),
    ("ip.ecn", 2, NOMINAL, "ip"),
    ("ip.ttl", 8, NOMINAL, "ip"),
    ("ip.frag", 2, ORDINAL, "ip"),
    ("ip4.src", 32, ORDINAL, "ip4"),
    ("ip4.dst", 32, ORDINAL, "ip4"),
    ("icmp4.type", 8, NOMINAL, "icmp4"),
    ("icmp4.code", 8, NOMINAL, "icmp4"),
    ("ip6.src", 128, ORDINAL, "ip6"),
    ("ip6.dst", 128, ORDINAL, "ip6"),
    ("ip6.label", 20, ORDINAL, "ip6"),
    ("icmp6.type", 8, NOMINAL, "icmp6"),
    ("icmp6.code", 8, NOMINAL, "icmp6"),
    ("arp.op", 16, NOMINAL, "arp"),
    ("arp.spa", 32, ORDINAL, "arp"),
    ("arp.sha", 48, ORDINAL, "arp"),
    ("arp.tpa", 32, ORDINAL, "arp"),
    ("arp.tha", 48, ORDINAL, "arp"),
    ("rarp.op", 16, NOMINAL, "rarp"),
    ("rarp.spa", 32, ORDINAL, "rarp"),
    ("rarp.sha", 48, ORDINAL, "rarp"),
    ("rarp.tpa", 32, ORDINAL, "rarp"),
    ("rarp.tha", 48, ORDINAL, "rarp"),
    ("nd.target", 128, ORDINAL, "nd"),
    ("nd.sll", 48, ORDINAL, "nd_ns"),
    ("nd.tll", 48, ORDINAL, "nd_na"),
    ("tcp.src", 16, ORDINAL, "tcp"),
    ("tcp.dst", 16, ORDINAL, "tcp"),
    ("tcp.flags", 12, ORDINAL, "tcp"),
    ("udp.src", 16, ORDINAL, "udp"),
    ("udp.dst", 16, ORDINAL, "udp"),
    ("sctp.src", 16, ORDINAL, "sctp"),
    ("sctp.dst", 16, ORDINAL, "sctp"),
    ("pkt.mark", 32, ORDINAL, ""),
    ("icmp4.frag_mtu", 16, NOMINAL, ""),
    ("icmp6.frag_mtu", 32, NOMINAL, ""),
];

/// Name, field, lowest bit, bits, needs. A part of a part stands behind it.
type Part = (&'static str, &'static str, u32, u32, &'static str);

const PARTS: &[Part] = &[
    ("xreg0", "xxreg0", 64, 64, ""),
    ("xreg1", "xxreg0", 0, 64, ""),
    ("xreg2", "xxreg1", 64, 64, ""),
    ("xreg3", "xxreg1", 0, 64, ""),
    ("reg0", "xxreg0", 96, 32, ""),
    ("reg1", "xxreg0", 64, 32, ""),
    ("reg2", "xxreg0", 32, 32, ""),
    ("reg3", "xxreg0", 0, 32, ""),
    ("reg4", "xxreg1", 96, 32, ""),
    ("reg5", "xxreg1", 64, 32, ""),
    ("reg6", "xxreg1", 32, 32, ""),
    ("reg7", "xxreg1", 0, 32, ""),
    ("reg8", "xreg4", 32, 32, ""),
    ("reg9", "xreg4", 0, 32, ""),
    ("flags.loopback", "flags", 0, 1, ""),
    ("flags.force_snat_for_dnat", "flags", 2, 1, ""),
    ("flags.force_snat_for_lb", "flags", 3, 1, ""),
    ("flags.skip_snat_for_lb", "flags", 9, 1, ""),
    ("flags.use_snat_zone", "flags", 11, 1, ""),
    ("ct_mark.blocked", "ct_mark", 0, 1, ""),
    ("ct_mark.natted", "ct_mark", 1, 1, ""),
    ("ct_mark.skip_snat", "ct_mark", 2, 1, ""),
    ("ct_mark.force_snat", "ct_mark", 3, 1, ""),
    ("ct_mark.ecmp_reply_port", "ct_mark", 16, 16, ""),
    ("ct_label.blocked", "ct_label", 0, 1, ""),
    ("ct_label.natted", "ct_label", 1, 1, ""),
    ("ct_label.skip_snat", "ct_label", 2, 1, ""),
    ("ct_label.force_snat", "ct_label", 3, 1, ""),
    ("ct_label.ecmp_reply_eth", "ct_label", 32, 48, ""),
    ("ct_label.ecmp_reply_port", "ct_label", 80, 16, ""),
    ("ct_label.label", "ct_label", 96, 32, ""),
    ("ct.new", "ct_state", 0, 1, "ct.trk"),
    ("ct.est", "ct_state", 1, 1, "ct.trk"),
    ("ct.rel", "ct_state", 2, 1, "ct.trk"),
    ("ct.rpl", "ct_state", 3, 1, "ct.trk"),
    ("ct.inv", "ct_state", 4, 1, "ct.trk"),
    ("ct.trk", "ct_state", 5, 1, ""),
    ("ct.snat", "ct_state", 6, 1, "ct.trk"),
    ("ct.dnat", "ct_state", 7, 1, "ct.trk"),
    ("eth.mcast", "eth.dst", 40, 1, ""),
    ("vlan.pcp", "vlan.tci", 13, 3, "vlan.present"),
    ("vlan.vid", "vlan.tci", 0, 12, "vlan.present"),
];

/// Name, level, expression.
type Predicate = (&'static str, Level, &'static str);

const PREDICATES: &[Predicate] = &[
    ("eth.bcast", Level::Boolean, "eth.dst == ff:ff:ff:ff:ff:ff"),
    ("eth.mcastv6", Level::Boolean, "eth.dst[32..47] == 0x3333"),
    ("vlan.present", Level::Boolean, "vlan.tci[12]"),
    ("ip4", NOMINAL, "eth.type == 0x800"),
    ("ip6", NOMINAL, "eth.type == 0x86dd"),
    ("ip", NOMINAL, "ip4 || ip6"),
    ("ip4.src_mcast", Level::Boolean, "ip4.src[28..31] == 0xe"),
    ("ip4.mcast", Level::Boolean, "eth.mcast && ip4.dst[28..31] == 0xe"),
    ("icmp4", NOMINAL, "ip4 && ip.proto == 1"),
    ("igmp", NOMINAL, "ip4 && ip.proto == 2"),
    (
        "ip6.mcast_rsvd",
        Level::Boolean,
        "ip6.dst[116..127] == 0xff0 && ip6.dst[0..111] == 0x0",
    ),
    (
        "ip6.mcast_all_nodes",
        Level::Boolean,
        "ip6.dst == ff01::1 || ip6.dst == ff02::1",
    ),
    (
        "ip6.mcast_all_rtrs",
        Level::Boolean,
        "ip6.dst == ff01::2 || ip6.dst == ff02::2 || ip6.dst == ff05::2",
    ),
    (
        "ip6.mcast_sol_node",
        Level::Boolean,
        "ip6.dst == ff02::1:ff00:0000/104",
    ),
    (
        "ip6.mcast_flood",
        Level::Boolean,
        "eth.mcastv6 && (ip6.mcast_rsvd || ip6.mcast_all_nodes || ip6.mcast_all_rtrs || ip6.mcast_sol_node)",
    ),
    (
        "ip6.mcast",
        Level::Boolean,
        "eth.mcastv6 && ip6.dst[120..127] == 0xff",
    ),
    ("icmp6", NOMINAL, "ip6 && ip.proto == 58"),
    ("icmp", NOMINAL, "icmp4 || icmp6"),
    ("ip.is_frag", Level::Boolean, "ip.frag[0]"),
    ("ip.later_frag", Level::Boolean, "ip.frag[1]"),
    ("ip.first_frag", Level::Boolean, "ip.is_frag && !ip.later_frag"),
    ("arp", NOMINAL, "eth.type == 0x806"),
    ("rarp", NOMINAL, "eth.type == 0x8035"),
    (
        "nd",
        NOMINAL,
        "icmp6.type == {135, 136} && icmp6.code == 0 && ip.ttl == 255",
    ),
    (
        "nd_ns",
        NOMINAL,
        "icmp6.type == 135 && icmp6.code == 0 && ip.ttl == 255",
    ),
    (
        "nd_na",
        NOMINAL,
        "icmp6.type == 136 && icmp6.code == 0 && ip.ttl == 255",
    ),
    (
        "nd_rs",
        NOMINAL,
        "icmp6.type == 133 && icmp6.code == 0 && ip.ttl == 255",
    ),
    (
        "nd_ra",
        NOMINAL,
        "icmp6.type == 134 && icmp6.code == 0 && ip.ttl == 255",
    ),
    (
        "mldv1",
        NOMINAL,
        "ip6.src == fe80::/10 && icmp6.type == {130, 131, 132}",
    ),
    ("mldv2", NOMINAL, "ip6.dst == ff02::16 && icmp6.type == 143"),
    ("tcp", NOMINAL, "ip.proto == 6"),
    ("udp", NOMINAL, "ip.proto == 17"),
    ("sctp", NOMINAL, "ip.proto == 132"),
];

pub(super) fn build() -> Vec<Symbol> {
    let mut table = Vec::with_capacity(WHOLE.len() + PARTS.len() + PREDICATES.len());
    for (name, width, level, needs) in WHOLE {
        add(&mut table, name, *width, *level, Meaning::Whole, needs);
    }
    for (name, of, low, width, needs) in PARTS {
        let meaning = Meaning::Part { of, low: *low };
        add(&mut table, name, *width, ORDINAL, meaning, needs);
    }
    for (name, level, text) in PREDICATES {
        add(&mut table, name, 1, *level, Meaning::Predicate(text), "");
    }
    table
}

fn add(
    table: &mut Vec<Symbol>,
    name: &'static str,
    width: u32,
    level: Level,
    meaning: Meaning,
    needs: &'static str,
) {
    table.push(Symbol {
        name,
        width,
        level,
        meaning,
        needs: (!needs.is_empty()).then_some(needs),
        id: u16::try_from(table.len()).expect("the table is small"),
        expansion: OnceLock::new(),
        need: OnceLock::new(),
    });
}

#[cfg(test)]
mod tests {
    use super::super::{symbol, symbols};
    use super::*;
    use crate::expr::Formula;

    /// The level that OVN derives from a predicate's expression.
    fn derived(formula: &Formula) -> Level {
        match formula {
            Formula::Bits(bits) if bits.symbol.level == ORDINAL => Level::Boolean,
            Formula::Bits(bits) => bits.symbol.level,
            Formula::And(parts) | Formula::Or(parts) => parts.iter().map(derived).min().unwrap(),
            _ => Level::Boolean,
        }
    }

    #[test]
    fn every_expansion_and_need_is_an_expression() {
        for symbol in symbols() {
            symbol.expansion();
            symbol.need();
            if let Meaning::Part { of, low } = symbol.meaning {
                let of = super::super::symbol(of).unwrap();
                assert!(low + symbol.width <= of.width, "{}", symbol.name);
                assert_eq!(
                    (&of.meaning, of.level),
                    (&Meaning::Whole, ORDINAL),
                    "{}",
                    symbol.name
                );
            }
        }
        assert_eq!(symbol("reg8").unwrap().width, 32);
    }

    #[test]
    fn the_level_of_a_predicate_is_the_lowest_in_it() {
        for (name, level, text) in PREDICATES {
            let formula =
                crate::expr::lower(&crate::expr::parse(text).unwrap(), &crate::expr::NoNames).unwrap();
            assert_eq!(derived(&formula), *level, "{name}");
        }
    }
}
