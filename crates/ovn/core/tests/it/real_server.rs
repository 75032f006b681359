//! The real `ovsdb-server` does with a plan's transaction just what the plan says, and refuses it when a guard fails.

mod many;

use crate::base::{
    as_writer, committed, delete, id, insert, planned, shop, state, text, under, update, writer,
};
use purlin_ovn_core::model::{Change, State, nb_schema};
use purlin_ovn_core::plan::{Plan, undo};
use purlin_ovsdb::cache::Database;
use purlin_ovsdb::{Datum, Insert, Transaction};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

struct Server {
    process: Child,
    stream: UnixStream,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A server with the northbound schema; `None` where none is installed, which only a full test run forbids.
fn server() -> Option<Server> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("nb.ovsschema"), purlin_ovsdb::schemas::NB).unwrap();
    let created = Command::new("ovsdb-tool")
        .arg("create")
        .args([path("nb.db"), path("nb.ovsschema")])
        .status();
    if created.is_err() {
        assert!(
            std::env::var("CI").is_err(),
            "ovsdb-tool is not installed: cargo xtask setup"
        );
        println!("skipped: ovsdb-tool is not installed");
        return None;
    }
    assert!(created.unwrap().success());
    let process = Command::new("ovsdb-server")
        .arg(path("nb.db"))
        .arg(format!("--remote=punix:{}", path("nb.sock").display()))
        .arg(format!("--unixctl={}", path("nb.ctl").display()))
        .args(["-vconsole:off", "-vsyslog:off"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stream = connected(&path("nb.sock"));
    Some(Server {
        process,
        stream,
        _folder: folder,
    })
}

fn connected(path: &Path) -> UnixStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::yield_now();
    }
}

impl Server {
    fn transact(&mut self, operations: impl IntoIterator<Item = Value>) -> Vec<Value> {
        let params: Vec<Value> = std::iter::once(json!("OVN_Northbound"))
            .chain(operations)
            .collect();
        let request = json!({"id": 1, "method": "transact", "params": params});
        self.stream.write_all(request.to_string().as_bytes()).unwrap();
        let mut answer = Vec::new();
        let mut piece = [0; 65536];
        loop {
            let length = self.stream.read(&mut piece).unwrap();
            answer.extend_from_slice(&piece[..length]);
            if let Ok(json) = serde_json::from_slice::<Value>(&answer) {
                return json["result"].as_array().unwrap().clone();
            }
        }
    }

    /// The first error, if there is one.
    fn commit(&mut self, transaction: &Transaction) -> Option<String> {
        let operations = transaction
            .operations()
            .iter()
            .map(|op| serde_json::to_value(op).unwrap());
        let results = self.transact(operations);
        results
            .iter()
            .find_map(|result| result.get("error").map(ToString::to_string))
    }

    fn load(&mut self, database: &Database) {
        let state = state(database);
        let mut all = Transaction::new();
        for table in nb_schema().tables.keys() {
            for uuid in state.uuids(table) {
                let mut insert = Insert::new(table).uuid(uuid);
                insert.row = state.row(table, uuid).unwrap();
                all.insert(insert);
            }
        }
        assert_eq!(self.commit(&all), None);
    }

    /// All rows with all columns, as JSON of the protocol.
    fn rows(&mut self) -> BTreeMap<String, Value> {
        let tables: Vec<&String> = nb_schema().tables.keys().collect();
        let selects = tables
            .iter()
            .map(|table| json!({"op": "select", "table": table, "where": []}));
        let results = self.transact(selects);
        let mut rows = BTreeMap::new();
        for (table, result) in tables.iter().zip(&results) {
            for row in result["rows"].as_array().unwrap() {
                let mut row = row.as_object().unwrap().clone();
                row.remove("_version");
                let uuid = row.remove("_uuid").unwrap();
                rows.insert(
                    format!("{table} {}", uuid[1].as_str().unwrap()),
                    Value::Object(row),
                );
            }
        }
        rows
    }

    fn assert_is(&mut self, expected: &State<'_>) {
        let rows = self.rows();
        let mut count = 0;
        for table in nb_schema().tables.keys() {
            for uuid in expected.uuids(table) {
                count += 1;
                let row = expected.row(table, uuid).unwrap();
                let got = &rows[&format!("{table} {uuid}")];
                for (column, value) in row.columns() {
                    assert_eq!(
                        normal(&got[column]),
                        normal(&value.to_json()),
                        "{table} {uuid} {column}"
                    );
                }
            }
        }
        assert_eq!(rows.len(), count, "{:?}", rows.keys());
    }
}

/// The server sorts sets its own way.
fn normal(json: &Value) -> Value {
    match json.as_array().map(Vec::as_slice) {
        Some([tag, Value::Array(elements)]) if tag == "set" || tag == "map" => {
            let mut elements: Vec<String> = elements.iter().map(ToString::to_string).collect();
            elements.sort();
            json!(elements)
        }
        _ => json.clone(),
    }
}

fn port(n: u8, name: &str) -> Change {
    let columns = json!({"name": name, "addresses": [format!("02:00:00:00:02:{n:02x}")]});
    under(("Logical_Switch", 1, "ports"), "Logical_Switch_Port", n, &columns)
}

fn plans(database: &Database) -> Vec<Plan<'_>> {
    let map = |column: &str, values: Datum| Change::Add {
        table: "Logical_Switch".to_owned(),
        uuid: id(1),
        column: column.to_owned(),
        values,
    };
    let bootfile = Change::Add {
        table: "DHCP_Options".to_owned(),
        uuid: id(41),
        column: "options".to_owned(),
        values: Datum::map([("bootfile_name", "pxelinux.0"), ("lease_time", "60")]),
    };
    let route = json!({"ip_prefix": "0.0.0.0/0", "nexthop": "10.0.0.254"});
    vec![
        planned(database, vec![port(15, "vm3"), port(16, "vm4")]),
        planned(
            database,
            vec![update(
                "ACL",
                21,
                &json!({"action": "allow-related", "name": "ssh"}),
            )],
        ),
        planned(
            database,
            vec![map(
                "other_config",
                Datum::map([("subnet", "10.0.0.0/23"), ("mcast_snoop", "true")]),
            )],
        ),
        planned(
            database,
            vec![
                bootfile,
                update("Logical_Switch_Port", 11, &json!({"dhcpv4_options": text(41)})),
            ],
        ),
        planned(
            database,
            vec![under(
                ("Logical_Router", 51, "static_routes"),
                "Logical_Router_Static_Route",
                71,
                &route,
            )],
        ),
        planned(database, vec![delete("Logical_Switch_Port", 11)]),
        planned(database, vec![delete("Logical_Switch", 1)]),
        planned(
            database,
            vec![delete("Logical_Router", 51), delete("DHCP_Options", 41)],
        ),
    ]
    .into_iter()
    .map(|plan| plan.unwrap_or_else(|refusal| panic!("{refusal}")))
    .collect()
}

#[test]
fn the_server_does_just_what_the_plan_says_and_undo_goes_back() {
    let Some(mut server) = server() else { return };
    let database = shop();
    server.load(&database);
    server.assert_is(&state(&database));
    for plan in plans(&database) {
        assert_eq!(server.commit(&plan.transaction), None, "{}", plan.diff);
        server.assert_is(&plan.after);
        let later = committed(&plan.after);
        let (changes, expect) = undo(nb_schema(), &plan.diff);
        let back =
            as_writer(&later, &writer("shop"), changes, expect).unwrap_or_else(|refusal| panic!("{refusal}"));
        assert_eq!(server.commit(&back.transaction), None, "back from {}", plan.diff);
        server.assert_is(&state(&database));
    }
}

#[test]
fn the_server_refuses_a_plan_whose_ground_has_moved() {
    let Some(mut server) = server() else { return };
    let database = shop();
    server.load(&database);
    let own = json!(["_uuid", "==", ["uuid", text(21)]]);
    let acl = planned(&database, vec![update("ACL", 21, &json!({"action": "allow"}))]).unwrap();
    server.transact([json!({"op": "update", "table": "ACL", "where": [own], "row": {"action": "reject"}})]);
    assert!(
        server.commit(&acl.transaction).unwrap().contains("timed out"),
        "the value before is another one"
    );

    let gone = planned(&database, vec![delete("Logical_Switch", 1)]).unwrap();
    assert_eq!(
        server.commit(&planned(&database, vec![port(15, "vm3")]).unwrap().transaction),
        None
    );
    assert!(
        server.commit(&gone.transaction).is_some(),
        "a port has come since"
    );

    let again = planned(&database, vec![port(15, "vm3")]).unwrap();
    assert!(
        server.commit(&again.transaction).unwrap().contains("duplicate"),
        "sent twice, done once"
    );

    let to_switch = planned(&database, vec![port(16, "vm4")]).unwrap();
    let switch = json!(["_uuid", "==", ["uuid", text(1)]]);
    let owner = json!(["map", [["purlin-owner", "bank"]]]);
    server.transact([
        json!({"op": "update", "table": "Logical_Switch", "where": [switch], "row": {"external_ids": owner}}),
    ]);
    assert!(
        server.commit(&to_switch.transaction).is_some(),
        "the switch belongs to somebody else by now"
    );
}

#[test]
fn two_who_add_a_port_from_the_same_picture_both_have_it() {
    let Some(mut server) = server() else { return };
    let database = shop();
    server.load(&database);
    for plan in [
        planned(&database, vec![port(15, "vm3")]).unwrap(),
        planned(&database, vec![port(16, "vm4")]).unwrap(),
    ] {
        assert_eq!(server.commit(&plan.transaction), None);
    }
    let rows = server.rows();
    let ports = rows[&format!("Logical_Switch {}", text(1))]["ports"].to_string();
    assert!(ports.contains(&text(15)) && ports.contains(&text(16)), "{ports}");
}

#[test]
fn two_who_take_a_name_from_the_same_picture_have_it_once() {
    let Some(mut server) = server() else { return };
    let database = shop();
    server.load(&database);
    let switch = |n: u8| {
        planned(
            &database,
            vec![insert("Logical_Switch", n, &json!({"name": "new"}))],
        )
        .unwrap()
    };
    assert_eq!(server.commit(&switch(3).transaction), None);
    assert!(
        server
            .commit(&switch(4).transaction)
            .unwrap()
            .contains("timed out")
    );
}

#[test]
fn the_server_agrees_about_every_pair_of_changes() {
    let Some(mut server) = server() else { return };
    let database = shop();
    server.load(&database);
    let menu = crate::plan_undo::menu();
    let mut planned_pairs = 0;
    for (first, second) in menu.iter().flat_map(|a| menu.iter().map(move |b| (a, b))) {
        let Ok(plan) = planned(&database, vec![first.clone(), second.clone()]) else {
            continue;
        };
        planned_pairs += 1;
        assert_eq!(server.commit(&plan.transaction), None, "{first:?}\n{second:?}");
        server.assert_is(&plan.after);
        let later = committed(&plan.after);
        let (changes, expect) = undo(nb_schema(), &plan.diff);
        let back = as_writer(&later, &writer("shop"), changes, expect).unwrap();
        assert_eq!(server.commit(&back.transaction), None, "back from {}", plan.diff);
    }
    server.assert_is(&state(&database));
    assert!(planned_pairs > 150, "{planned_pairs}");
}
