//! A northbound database to test against, written as people write rows.

use purlin_ovn_core::model::{Change, Child, State, layout, nb_schema, row_from_natural};
use purlin_ovn_core::plan::{Expect, Plan, Reach, Refusal, Request, Writer, plan};
use purlin_ovsdb::cache::{Cache, Database};
use purlin_ovsdb::{Datum, Row, Uuid};
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(crate) const fn id(n: u8) -> Uuid {
    Uuid::from_bytes([n; 16])
}

/// A UUID as JSON wants it.
pub(crate) fn text(n: u8) -> String {
    id(n).to_string()
}

pub(crate) fn row(table: &str, columns: &Value) -> Row {
    let table = nb_schema().table(table).unwrap();
    row_from_natural(columns.as_object().unwrap(), table).unwrap_or_else(|faults| panic!("{faults:?}"))
}

/// Rows by table and number.
pub(crate) fn database(rows: &[(&str, u8, Value)]) -> Database {
    let rows = rows
        .iter()
        .map(|(table, n, columns)| (*table, id(*n), row(table, columns)));
    of_rows(rows)
}

fn of_rows<'r>(rows: impl Iterator<Item = (&'r str, Uuid, Row)>) -> Database {
    let mut tables: Map<String, Value> = Map::new();
    for (table, uuid, row) in rows {
        let columns: Map<String, Value> = row
            .columns()
            .map(|(name, value)| (name.to_owned(), value.to_json()))
            .collect();
        let table = tables.entry(table).or_insert_with(|| json!({}));
        table[uuid.to_string()] = json!({ "initial": columns });
    }
    let mut cache = Cache::new(Arc::new(layout(nb_schema())));
    cache
        .reload(Value::Object(tables).to_string().as_bytes(), None)
        .unwrap();
    cache.database().clone()
}

/// The database with a state's changes committed.
pub(crate) fn committed(state: &State<'_>) -> Database {
    let tables = nb_schema().tables.keys();
    let rows = tables.flat_map(|table| {
        let uuids = state.uuids(table).into_iter();
        uuids.map(move |uuid| (table.as_str(), uuid, state.row(table, uuid).unwrap()))
    });
    of_rows(rows)
}

pub(crate) fn state(database: &Database) -> State<'_> {
    State::new(nb_schema(), database)
}

pub(crate) fn writer(owner: &str) -> Writer {
    Writer {
        owner: owner.to_owned(),
        reach: Reach::Own,
    }
}

pub(crate) fn planned<'a>(database: &'a Database, changes: Vec<Change>) -> Result<Plan<'a>, Refusal> {
    as_writer(database, &writer("shop"), changes, Vec::new())
}

pub(crate) fn as_writer<'a>(
    database: &'a Database,
    writer: &Writer,
    changes: Vec<Change>,
    expect: Vec<Expect>,
) -> Result<Plan<'a>, Refusal> {
    let request = Request {
        actor: "alice",
        id: "req-1",
        writer,
        changes,
        expect,
        book: None,
    };
    plan(&state(database), request)
}

pub(crate) fn insert(table: &str, n: u8, columns: &Value) -> Change {
    Change::Insert {
        table: table.to_owned(),
        uuid: id(n),
        row: row(table, columns),
        parent: None,
    }
}

pub(crate) fn under(parent: (&str, u8, &str), table: &str, n: u8, columns: &Value) -> Change {
    Change::Insert {
        table: table.to_owned(),
        uuid: id(n),
        row: row(table, columns),
        parent: Some(Child {
            table: parent.0.to_owned(),
            uuid: id(parent.1),
            column: parent.2.to_owned(),
        }),
    }
}

pub(crate) fn update(table: &str, n: u8, columns: &Value) -> Change {
    Change::Update {
        table: table.to_owned(),
        uuid: id(n),
        row: row(table, columns),
    }
}

pub(crate) fn delete(table: &str, n: u8) -> Change {
    Change::Delete {
        table: table.to_owned(),
        uuid: id(n),
    }
}

/// Switch `web` (1) with ports `vm1` (11) and `vm2` (12) of owner `shop`, an ACL (21), a group (31), DHCP options (41),
/// router `r0` (51) with port `r0-web` (52) joined by port `web-r0` (13); switch `theirs` (2) of Neutron with `n1` (14).
pub(crate) fn shop() -> Database {
    let ours = json!({"purlin-owner": "shop"});
    let port = |name: &str, mac: &str, ip: &str| json!({"name": name, "addresses": [format!("{mac} {ip}")], "external_ids": ours});
    database(&[
        (
            "Logical_Switch",
            1,
            json!({"name": "web", "ports": [text(11), text(12), text(13)], "acls": [text(21)], "other_config": {"subnet": "10.0.0.0/24"}, "external_ids": ours}),
        ),
        (
            "Logical_Switch_Port",
            11,
            port("vm1", "02:00:00:00:00:11", "10.0.0.11"),
        ),
        (
            "Logical_Switch_Port",
            12,
            port("vm2", "02:00:00:00:00:12", "10.0.0.12"),
        ),
        (
            "Logical_Switch_Port",
            13,
            json!({"name": "web-r0", "type": "router", "addresses": ["router"], "options": {"router-port": "r0-web"}, "external_ids": ours}),
        ),
        (
            "ACL",
            21,
            json!({"priority": 1000, "direction": "to-lport", "match": "outport == @web && tcp.dst == 22", "action": "drop"}),
        ),
        (
            "Port_Group",
            31,
            json!({"name": "web", "ports": [text(11), text(12)], "external_ids": ours}),
        ),
        (
            "DHCP_Options",
            41,
            json!({"cidr": "10.0.0.0/24", "options": {"server_id": "10.0.0.1", "server_mac": "02:00:00:00:00:01", "lease_time": "3600"}, "external_ids": {"purlin-owner": "shop", "purlin-name": "web-dhcp"}}),
        ),
        (
            "Logical_Router",
            51,
            json!({"name": "r0", "ports": [text(52)], "external_ids": ours}),
        ),
        (
            "Logical_Router_Port",
            52,
            json!({"name": "r0-web", "mac": "02:00:00:00:00:01", "networks": ["10.0.0.1/24"], "external_ids": ours}),
        ),
        (
            "Logical_Switch",
            2,
            json!({"name": "theirs", "ports": [text(14)], "external_ids": {"neutron:network_name": "net"}}),
        ),
        (
            "Logical_Switch_Port",
            14,
            json!({"name": "n1", "addresses": ["02:00:00:00:00:99 10.0.0.11"], "external_ids": {"neutron:port_name": "p"}}),
        ),
    ])
}

/// The same database, where one row has another UUID.
pub(crate) fn renamed(database: &Database, from: Uuid, to: Uuid) -> Database {
    let state = state(database);
    let name = |uuid: Uuid| if uuid == from { to } else { uuid };
    let rows = nb_schema().tables.keys().flat_map(|table| {
        let uuids = state.uuids(table).into_iter();
        uuids
            .map(|uuid| (table.as_str(), uuid, state.row(table, uuid).unwrap()))
            .collect::<Vec<_>>()
    });
    let rows = rows.map(|(table, uuid, row)| {
        let renamed = row.columns().map(|(column, value)| {
            let points = value.contains(&from.into());
            let others = value
                .atoms()
                .iter()
                .filter(|atom| atom.as_uuid() != Some(from))
                .cloned();
            let value = if points {
                Datum::set(others.chain([to.into()]))
            } else {
                value.clone()
            };
            (column.to_owned(), value)
        });
        (table, name(uuid), renamed.collect::<Row>())
    });
    of_rows(rows)
}
