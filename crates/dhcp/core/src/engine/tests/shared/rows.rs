//! What the store keeps, and how it is read.

use super::super::conversation::{Ask, Link, SERVER, settings};
use crate::Plan;
use crate::record::Record;
use crate::rows::{LEASES, RowRef, WINDOWS, rows_of, stored_lease};
use crate::view::{LeaseQuery, LeaseState, LeaseView};
use purlin_dhcp_proto::{MessageType, code};
use purlin_types::{Now, Slot};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

const FIRST: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 0);

#[test]
fn a_binding_is_a_row_of_its_address_and_claims_its_client() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    link.dora(1);
    link.send(&Ask::new(MessageType::Request, 1).ciaddr(FIRST));
    link.send(&Ask::new(MessageType::Release, 1).ciaddr(FIRST));
    let frame = link.journal.concat();
    let rows: Vec<RowRef<'_>> = rows_of(link.engine.plan(), &frame).collect();
    assert!(rows.iter().all(|row| row.table == LEASES
        && row.key == u64::from(u32::from(FIRST))
        && row.slot == Slot::of_address(FIRST)));
    let versions: Vec<u32> = rows.iter().map(|row| row.version).collect();
    assert_eq!(versions, [1, 2, 3]);
    let claims: Vec<bool> = rows.iter().map(|row| row.unique.is_some()).collect();
    assert_eq!(claims, [true, true, false]);
    assert_eq!(rows[0].unique, rows[1].unique);
}

#[test]
fn a_window_of_one_node_alone_becomes_a_row_for_each_block() {
    let plan = Plan::compile(&settings(&["10.0.1.0-10.0.1.255"]), None);
    let mut frame = Vec::new();
    let (first, end) = (0x0a00_0105, 0x0a00_0181);
    Record::Window { first, end }.encode(&mut frame);
    let rows: Vec<RowRef<'_>> = rows_of(&plan, &frame).collect();
    let keys: Vec<u64> = rows.iter().map(|row| row.key).collect();
    assert_eq!(keys, [0x0a00_0100, 0x0a00_0140, 0x0a00_0180]);
    assert!(
        rows.iter()
            .all(|row| row.table == WINDOWS && row.unique.is_none())
    );
}

#[test]
fn a_stored_lease_is_seen_as_its_holder_sees_it() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.9"]));
    let named = |kind| Ask::new(kind, 7).with(code::CLIENT_ID, *b"\x00seven");
    let offer = link.send(&named(MessageType::Discover));
    let ask = named(MessageType::Request).requested(offer.address());
    link.send(&ask.server(SERVER).with(code::HOST_NAME, *b"printer-7"));
    let now = link.now;
    let frame = link.journal.concat();
    let seen: Vec<_> = rows_of(link.engine.plan(), &frame)
        .filter_map(|row| stored_lease(link.engine.plan(), &now, &row.body))
        .collect();
    assert_eq!(seen, [link.engine.lease(&now, FIRST).expect("a lease")]);
}

#[test]
fn stored_leases_are_found_by_what_their_holder_finds_them_by() {
    let mut link = Link::new(&settings(&["10.0.1.0-10.0.1.30"]));
    for n in 1..=20 {
        let offer = link.send(&Ask::new(MessageType::Discover, n));
        let ask = Ask::new(MessageType::Request, n).requested(offer.address());
        let ask = ask.with(code::HOST_NAME, format!("Host-{n}"));
        link.send(&ask.server(SERVER).with(code::RELAY_AGENT, *b"\x01\x05eth42"));
    }
    link.send(&Ask::new(MessageType::Release, 3).ciaddr(Ipv4Addr::new(10, 0, 1, 2)));
    let (now, frame) = (link.now, link.journal.concat());
    let plan = link.engine.plan();
    let mut stored: BTreeMap<u64, LeaseView> = BTreeMap::new();
    for row in rows_of(plan, &frame) {
        stored.extend(stored_lease(plan, &now, &row.body).map(|lease| (row.key, lease)));
    }
    let texts = [
        "",
        "host-1",
        "ETH42",
        "02:00:00:00:00:07",
        "00:0a",
        "10.0.1.2",
        "10.0.1",
        "nobody",
    ];
    for (text, state) in texts
        .iter()
        .flat_map(|t| [(t, None), (t, Some(LeaseState::Released))])
    {
        let query = LeaseQuery {
            text: (*text).into(),
            state,
            limit: 100,
            ..LeaseQuery::default()
        };
        let wanted: Vec<LeaseView> = stored.values().filter(|l| query.wants(l)).cloned().collect();
        assert_eq!(wanted, link.engine.leases(&now, &query, 1000).leases, "{text}");
    }
}

#[test]
fn no_bytes_make_a_row() {
    let plan = Plan::compile(&settings(&["10.0.1.0-10.0.1.9"]), None);
    for len in 0..64 {
        let bytes = vec![1; len];
        assert!(stored_lease(&plan, &Now::default(), &bytes).is_none());
        assert_eq!(rows_of(&plan, &bytes).count(), 0);
    }
}
