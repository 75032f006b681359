//! What deciding about one more port costs where there are many.
//!
//! `cargo run --release -p purlin-ovn-core --example plan [PORTS] [PER_SWITCH] [PLANS]`

use purlin_ovn_core::address::book;
use purlin_ovn_core::model::{Change, Child, State, etag, layout, nb_schema};
use purlin_ovn_core::plan::{Reach, Request, Writer, plan};
use purlin_ovsdb::cache::{Cache, Database};
use purlin_ovsdb::{Atom, Datum, Row, Uuid};
use serde_json::{Map, json};
use std::sync::Arc;
use std::time::Instant;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |or: u32| words.next().map_or(or, |word| word.parse().expect("a number"));
    let (ports, per_switch, plans) = (number(100_000), number(100), number(2_000));
    let database = database(ports, per_switch);
    let state = State::new(nb_schema(), &database);
    let began = Instant::now();
    let kept = book(&state);
    println!("gathering the book of {ports} ports: {:?}", began.elapsed());
    let writer = Writer {
        owner: "purlin".to_owned(),
        reach: Reach::Unmarked,
    };
    let began = Instant::now();
    let mut octets = 0;
    for n in 0..plans {
        let request = Request {
            actor: "somebody",
            id: "one",
            writer: &writer,
            changes: vec![create(ports + n, n * 7 % (ports / per_switch))],
            expect: Vec::new(),
            book: Some(&kept),
        };
        let plan = plan(&state, request).expect("a good change");
        octets += plan.transaction.len() + plan.diff.to_json(nb_schema()).to_string().len();
    }
    println!(
        "{plans} plans of one port more: {:?} each, {octets}",
        began.elapsed() / plans.max(1)
    );
    let began = Instant::now();
    let request = Request {
        actor: "somebody",
        id: "one",
        writer: &writer,
        changes: (0..plans)
            .map(|n| create(ports + n, n / per_switch % (ports / per_switch)))
            .collect(),
        expect: Vec::new(),
        book: Some(&kept),
    };
    octets += plan(&state, request).expect("good changes").transaction.len();
    println!(
        "one plan of {plans} ports more: {:?} each",
        began.elapsed() / plans.max(1)
    );
    let began = Instant::now();
    for n in 0..plans {
        octets += etag(&state, "Logical_Switch_Port", port_id(n)).map_or(0, |tag| tag.len());
        octets += usize::from(state.parent("Logical_Switch_Port", port_id(n)).is_some());
    }
    println!(
        "{plans} ETags and parents: {:?} each, {octets}",
        began.elapsed() / plans.max(1)
    );
}

/// As chosen at random, but the same each time.
fn id(kind: u128, n: u32) -> Uuid {
    let mixed = (u128::from(n) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) ^ (kind << 17);
    Uuid::from_bytes(mixed.to_be_bytes())
}

fn port_id(n: u32) -> Uuid {
    id(1, n)
}

fn address(n: u32) -> String {
    let [_, a, b, c] = n.to_be_bytes();
    format!("0a:00:{a:02x}:{b:02x}:{c:02x}:01 10.{a}.{b}.{c}")
}

fn database(ports: u32, per_switch: u32) -> Database {
    let (mut rows, mut switches) = (Map::new(), Map::new());
    for n in 0..ports {
        let row = json!({ "name": format!("port-{n}"), "addresses": address(n), "port_security": address(n),
            "external_ids": ["map", [["purlin-owner", "purlin"], ["tenant", "t1"]]] });
        rows.insert(port_id(n).to_string(), json!({ "initial": row }));
    }
    for s in 0..ports / per_switch {
        let held = (s * per_switch..(s + 1) * per_switch).map(|n| json!(["uuid", port_id(n).to_string()]));
        let row = json!({ "name": format!("switch-{s}"), "ports": ["set", held.collect::<Vec<_>>()] });
        switches.insert(id(2, s).to_string(), json!({ "initial": row }));
    }
    let rows = json!({ "Logical_Switch_Port": rows, "Logical_Switch": switches }).to_string();
    let mut cache = Cache::new(Arc::new(layout(nb_schema())));
    let began = Instant::now();
    cache.reload(rows.as_bytes(), None).expect("rows of the schema");
    println!("reading {} octets: {:?}", rows.len(), began.elapsed());
    cache.database().clone()
}

fn create(n: u32, switch: u32) -> Change {
    let row = Row::new()
        .with("name", Datum::from(format!("port-{n}").as_str()))
        .with("addresses", Datum::from(Atom::from(address(n).as_str())));
    Change::Insert {
        table: "Logical_Switch_Port".to_owned(),
        uuid: port_id(n),
        row,
        parent: Some(Child {
            table: "Logical_Switch".to_owned(),
            uuid: id(2, switch),
            column: "ports".to_owned(),
        }),
    }
}
