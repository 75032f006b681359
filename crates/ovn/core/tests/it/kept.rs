//! The book that is kept beside a cache is the one that would be gathered, after any changes, forwards and back.

use crate::base::{database, id, state, text};
use proptest::prelude::*;
use purlin_ovn_core::address::{book, follow};
use purlin_ovsdb::Uuid;
use purlin_ovsdb::cache::{Changes, Database};
use serde_json::{Value, json};

const ROWS: [&str; 6] = [
    "Logical_Switch",
    "Logical_Router",
    "Logical_Switch_Port",
    "Logical_Router_Port",
    "NAT",
    "Load_Balancer",
];

/// A row of each table, as a few numbers decide.
fn world(numbers: &[[u8; 6]]) -> Database {
    let mut rows: Vec<(&str, u8, Value)> = Vec::new();
    let hangs = |column: usize, on: u8| -> Vec<String> {
        let here = numbers.iter().zip(0u8..).filter(|(n, _)| n[5] > 0 && n[0] == on);
        here.map(|(_, at)| text(40 + 20 * u8::try_from(column).unwrap() + at))
            .collect()
    };
    for place in 0..4u8 {
        let subnet = if numbers.iter().any(|n| n[4] == place) {
            json!({"subnet": format!("10.0.{place}.0/24")})
        } else {
            json!({})
        };
        rows.push((ROWS[0], 1 + place, json!({"name": format!("s{place}"), "other_config": subnet, "ports": hangs(0, place), "load_balancer": hangs(3, place)})));
        rows.push((ROWS[1], 11 + place, json!({"name": format!("r{place}"), "ports": hangs(1, place), "nat": hangs(2, place), "load_balancer": hangs(3, place)})));
    }
    for (n, at) in numbers.iter().zip(0u8..).filter(|(n, _)| n[5] > 0) {
        let address = format!("10.0.{}.{}", n[1], n[2]);
        let (kind, options) = match n[3] {
            0 => ("router", json!({"router-port": format!("rp{}", n[2])})),
            _ => ("", json!({})),
        };
        let mac = format!("02:00:00:00:00:{:02x}", n[2]);
        rows.push((ROWS[2], 40 + at, json!({"name": format!("p{at}"), "type": kind, "options": options, "addresses": [format!("{mac} {address}")]})));
        rows.push((ROWS[3], 60 + at, json!({"name": format!("rp{}", n[4] * 16 + at), "mac": mac, "networks": [format!("{address}/24")]})));
        rows.push((ROWS[4], 80 + at, json!({"type": if n[3] == 1 { "snat" } else { "dnat_and_snat" }, "external_ip": address, "logical_ip": "10.9.9.9"})));
        rows.push((
            ROWS[5],
            100 + at,
            json!({"name": format!("lb{at}"), "vips": {format!("{address}:80"): "10.9.9.9:80"}}),
        ));
    }
    database(&rows)
}

fn numbers() -> impl Strategy<Value = [u8; 6]> {
    let one = (0u8..4, 0u8..3, 0u8..6, 0u8..4, 0u8..4, 0u8..4);
    one.prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f])
}

/// A world, and how it changes: one number of a few rows at a time.
fn worlds() -> impl Strategy<Value = Vec<Database>> {
    let step = prop::collection::vec((0usize..12, 0usize..6, numbers()), 1..3);
    let steps = prop::collection::vec(step, 1..6);
    let start = prop::collection::vec(numbers(), 12);
    (start, steps).prop_map(|(mut now, steps)| {
        let mut worlds = vec![world(&now)];
        for step in steps {
            for (row, number, values) in step {
                now[row][number] = values[number];
            }
            worlds.push(world(&now));
        }
        worlds
    })
}

fn changed(old: &Database, new: &Database) -> Vec<(String, Uuid)> {
    let changes = Changes::between(old, new, None);
    changes
        .iter()
        .map(|(table, change, _, _)| (table.to_owned(), change.uuid))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_kept_book_is_the_gathered_one(worlds in worlds()) {
        let mut kept = book(&state(&worlds[0]));
        // Forwards, and back again: a reader may hold an older state than the one that is kept.
        let way = worlds.windows(2).map(|pair| (&pair[0], &pair[1]));
        let back: Vec<_> = way.clone().map(|(old, new)| (new, old)).rev().collect();
        for (old, new) in way.chain(back) {
            let rows = changed(old, new);
            let untouched = kept.clone();
            follow(&mut kept, &state(old), &state(new), rows.iter().map(|(table, uuid)| (table.as_str(), *uuid)));
            prop_assert!(untouched == book(&state(old)), "a copy stays as it was");
            prop_assert!(kept == book(&state(new)));
        }
    }
}

#[test]
fn one_port_more_costs_one_look_however_many_there_are() {
    let ports: Vec<u8> = (100..200).collect();
    let mut rows: Vec<(&str, u8, Value)> = ports
        .iter()
        .map(|n| {
            (
                "Logical_Switch_Port",
                *n,
                json!({"name": format!("p{n}"), "addresses": [format!("02:00:00:00:00:{n:02x} 10.0.0.{n}")]}),
            )
        })
        .collect();
    let hung =
        |ports: &[u8]| json!({"name": "s", "ports": ports.iter().map(|n| text(*n)).collect::<Vec<_>>()});
    rows.push(("Logical_Switch", 1, hung(&ports)));
    let old = database(&rows);
    rows.pop();
    rows.push((
        "Logical_Switch_Port",
        200,
        json!({"name": "new", "addresses": ["02:00:00:00:01:00 10.0.0.200"]}),
    ));
    rows.push(("Logical_Switch", 1, hung(&[ports, vec![200]].concat())));
    let new = database(&rows);
    let mut kept = book(&state(&old));
    let rows = changed(&old, &new);
    let rows = rows.iter().map(|(table, uuid)| (table.as_str(), *uuid));
    let looked_at = follow(&mut kept, &state(&old), &state(&new), rows);
    assert_eq!(Vec::from_iter(looked_at), [id(200)]);
    assert!(kept == book(&state(&new)));
}
