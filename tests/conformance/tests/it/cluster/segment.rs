//! A segment that one node is on, and addresses that another node decides about.

use purlin_conformance::{Campus, Member, Plan, Standby, met_plainly};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Enough for one of them to be the other node's to decide about, but once in thousands of years.
const CLIENTS: u8 = 12;

fn counter(node: &Member, name: &str) -> f64 {
    let text = node.metrics_text();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[test]
fn clients_on_a_segment_are_served_by_nodes_that_are_not_on_it() {
    let plan = Plan {
        nodes: 2,
        standby: Standby::Absent,
        redis: false,
        segment: true,
        ..Plan::default()
    };
    let Some(campus) = Campus::new(&plan).filter(|_| met_plainly(&["udhcpc"])) else {
        return;
    };
    // Else the one on the segment may decide about everybody yet.
    campus.until_shared();
    let lan = campus.segment.as_ref().expect("asked for");
    let lease = |number: u8, more: &[&str]| {
        let id = format!("0x3d:0102500000{number:02x}");
        let client = [
            "-i",
            "c0",
            "-f",
            "-q",
            "-n",
            "-t",
            "8",
            "-T",
            "2",
            "-s",
            "/bin/true",
            "-x",
            &id,
        ];
        let output = lan.run("udhcpc", &[&client, more].concat());
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let named = said
            .split("lease of ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        let address = named.and_then(|named| named.parse::<Ipv4Addr>().ok());
        address.unwrap_or_else(|| panic!("client {number} got none: {said}"))
    };
    let first: Vec<Ipv4Addr> = (0..CLIENTS).map(|number| lease(number, &[])).collect();
    assert_eq!(
        first.iter().collect::<BTreeSet<_>>().len(),
        first.len(),
        "{first:?}"
    );
    assert!(
        counter(&campus.nodes[0], "purlin_dhcp_forwarded_total") > 0.0,
        "{first:?}"
    );
    let far = counter(&campus.nodes[1], "purlin_dhcp_packets_sent_total{type=\"ack\"}");
    assert!(far > 0.0, "the other node gave none: {first:?}");

    // By broadcast too, and each its own address again.
    let again: Vec<Ipv4Addr> = (0..CLIENTS).map(|number| lease(number, &["-B"])).collect();
    assert_eq!(again, first);
}
