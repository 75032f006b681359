//! The same transactions at ovsdb-server and here: the same answers, and the same rows in the end.

use crate::world::{NB, World};
use serde_json::{Deserializer, Value, json};
use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// One with an index, one with room for a single row, those that refer to ports, and ports, which live by that.
const TABLES: [&str; 5] = [
    "Logical_Switch",
    "Logical_Switch_Port",
    "Port_Group",
    "Static_MAC_Binding",
    "NB_Global",
];

/// A client that asks one thing at a time.
struct Client {
    socket: UnixStream,
    answers: Box<dyn Iterator<Item = serde_json::Result<Value>>>,
}

impl Client {
    fn connect(path: &Path) -> Self {
        let end = Instant::now() + Duration::from_secs(10);
        let socket = loop {
            match UnixStream::connect(path) {
                Ok(socket) => break socket,
                Err(error) => assert!(Instant::now() < end, "{}: {error}", path.display()),
            }
            std::thread::yield_now();
        };
        let reader = BufReader::new(socket.try_clone().expect("a second handle"));
        let answers = Box::new(Deserializer::from_reader(reader).into_iter());
        Self { socket, answers }
    }

    fn transact(&mut self, operations: &[Value]) -> Value {
        let mut params = vec![json!("OVN_Northbound")];
        params.extend(operations.iter().cloned());
        let request = json!({ "id": 1, "method": "transact", "params": params });
        self.socket
            .write_all(request.to_string().as_bytes())
            .expect("it is taken");
        loop {
            let answer = self.answers.next().expect("an answer").expect("JSON");
            if answer["id"] == 1 {
                assert_eq!(answer["error"], Value::Null, "{answer}");
                return answer["result"].clone();
            }
        }
    }
}

/// Ends with the test.
struct Theirs(Child);

impl Theirs {
    fn start(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name);
        std::fs::write(at("nb.ovsschema"), NB).expect("a file");
        let made = Command::new("ovsdb-tool")
            .arg("create")
            .arg(at("theirs.db"))
            .arg(at("nb.ovsschema"))
            .status();
        assert!(made.expect("ovsdb-tool runs").success());
        let server = Command::new("ovsdb-server")
            .arg(format!("--remote=punix:{}", at("theirs.sock").display()))
            .arg(format!("--unixctl={}", at("theirs.ctl").display()))
            .arg(at("theirs.db"))
            .stderr(Stdio::null())
            .spawn();
        Self(server.expect("ovsdb-server starts"))
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A generator that says the same for the same seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_of<const N: usize>(&mut self, words: [&'static str; N]) -> &'static str {
        words[self.below(N as u64) as usize]
    }

    /// One of few, so that they meet.
    fn uuid(&mut self, kind: u64) -> String {
        format!("00000000-0000-4000-8000-{kind:04}{:08}", self.below(12) + 1)
    }

    fn set(&mut self, kind: u64) -> Value {
        let count = self.below(3);
        let mut uuids: Vec<String> = (0..count).map(|_| self.uuid(kind)).collect();
        uuids.sort();
        uuids.dedup();
        json!([
            "set",
            uuids.iter().map(|uuid| json!(["uuid", uuid])).collect::<Vec<_>>()
        ])
    }

    fn row(&mut self, table: &str) -> Value {
        let name = format!("n{}", self.below(6));
        match table {
            "Logical_Switch" => {
                json!({ "name": name, "ports": self.set(2), "other_config": ["map", [["k", name]]] })
            }
            "Logical_Switch_Port" => {
                json!({ "name": name, "tag": 1 + self.below(3) * 2047, "addresses": name })
            }
            "Port_Group" => json!({ "name": name, "ports": self.set(2) }),
            "NB_Global" => json!({ "name": name }),
            _ => json!({ "logical_port": name, "ip": format!("10.0.0.{}", self.below(3)), "mac": "m" }),
        }
    }

    fn operation(&mut self) -> Value {
        let at = self.below(TABLES.len() as u64) as usize;
        let table = TABLES[at];
        let kind = at as u64 + 1;
        let uuid = self.uuid(kind);
        let named = json!([["_uuid", "==", ["uuid", uuid]]]);
        match self.below(9) {
            0..=3 => json!({ "op": "insert", "table": table, "uuid": uuid, "row": self.row(table) }),
            4 => json!({ "op": "update", "table": table, "where": named, "row": self.row(table) }),
            5 => json!({ "op": "delete", "table": table, "where": named }),
            6 => {
                let mutator = self.one_of(["insert", "delete"]);
                let change = match table {
                    "Logical_Switch" | "Port_Group" => json!(["ports", mutator, self.set(2)]),
                    "Logical_Switch_Port" => {
                        json!(["tag", self.one_of(["+=", "/=", "%="]), self.below(3)])
                    }
                    "NB_Global" => json!(["nb_cfg", "+=", 1]),
                    _ => json!(["mac", mutator, "x"]),
                };
                json!({ "op": "mutate", "table": table, "where": named, "mutations": [change] })
            }
            7 => {
                let clause = match self.below(3) {
                    0 => json!([]),
                    1 => named,
                    _ => json!([["name", self.one_of(["==", "!=", "<"]), "n1"]]),
                };
                let columns = ["name", "logical_port"][usize::from(table == "Static_MAC_Binding")];
                json!({ "op": "select", "table": table, "where": clause, "columns": [columns] })
            }
            _ => json!({
                "op": "wait", "timeout": 0, "table": table, "where": named, "columns": ["_uuid"],
                "until": self.one_of(["==", "!="]), "rows": [],
            }),
        }
    }
}

/// A row as text, its columns in the order of their names: JSON keeps that of the sender in some builds.
fn text(row: &Value) -> String {
    let columns = row.as_object().into_iter().flatten();
    let columns: BTreeMap<&String, &Value> = columns.collect();
    json!(columns.into_iter().collect::<Vec<_>>()).to_string()
}

/// Words differ; what happened must not.
fn essence(result: &Value) -> Value {
    let one = |result: &Value| match result {
        Value::Object(object) if object.contains_key("error") => json!({ "error": object["error"] }),
        Value::Object(object) if object.contains_key("rows") => {
            let mut rows: Vec<String> = object["rows"]
                .as_array()
                .expect("rows")
                .iter()
                .map(Value::to_string)
                .collect();
            rows.sort();
            json!(rows)
        }
        other => other.clone(),
    };
    json!(
        result
            .as_array()
            .expect("results")
            .iter()
            .map(one)
            .collect::<Vec<_>>()
    )
}

#[test]
fn ovsdb_server_answers_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::start(&folder, &[NB]);
    let _theirs = Theirs::start(folder.path());
    let mut ours = Client::connect(&world.folder().join("db.sock"));
    let mut theirs = Client::connect(&folder.path().join("theirs.sock"));
    let (mut committed, mut refused) = (0, 0);
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for number in 0..3000 {
        let operations: Vec<Value> = (0..=draw.below(4)).map(|_| draw.operation()).collect();
        let (here, there) = (ours.transact(&operations), theirs.transact(&operations));
        assert_eq!(
            essence(&here),
            essence(&there),
            "transaction {number}: {operations:#?}\nhere {here}\nthere {there}"
        );
        match here.to_string().contains("\"error\"") {
            true => refused += 1,
            false => committed += 1,
        }
    }
    assert!(
        committed > 300 && refused > 300,
        "{committed} committed, {refused} refused: they say little"
    );
    let ports = |client: &mut Client| -> Vec<Value> {
        let select =
            json!({ "op": "select", "table": "Logical_Switch_Port", "where": [], "columns": ["_uuid"] });
        let rows = client.transact(&[select])[0]["rows"].clone();
        rows.as_array()
            .expect("rows")
            .iter()
            .map(|row| row["_uuid"].clone())
            .collect()
    };
    for table in TABLES {
        let everything = [json!({ "op": "select", "table": table, "where": [] })];
        let rows = |client: &mut Client| {
            let there = ports(client);
            let mut rows = client.transact(&everything)[0]["rows"]
                .as_array()
                .expect("rows")
                .clone();
            for row in &mut rows {
                row["_version"] = Value::Null;
                if table == "Port_Group" {
                    row["ports"] = leading_somewhere(&row["ports"], &there);
                }
            }
            let mut rows: Vec<String> = rows.iter().map(text).collect();
            rows.sort();
            rows
        };
        assert_eq!(rows(&mut ours), rows(&mut theirs), "{table}");
    }
}

/// The references of a set that lead to rows. ovsdb-server 3.1 forgets a weak one, now and then, when one transaction
/// takes its row away and changes the row that it stands in otherwise.
fn leading_somewhere(set: &Value, there: &[Value]) -> Value {
    let alone = [set.clone()];
    let elements = match set[0].as_str() {
        Some("set") => set[1].as_array().map_or(&[][..], Vec::as_slice),
        _ => &alone,
    };
    json!(
        elements
            .iter()
            .filter(|element| there.contains(element))
            .collect::<Vec<_>>()
    )
}
