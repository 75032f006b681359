//! What a run makes, and how it goes again.

use crate::client::{Ask, Client, encode};
use crate::exit::Failure;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};

/// Whose rows they are.
const OWNER: &str = "purlin-bench";
const SWITCHES: &str = "/api/v1/ovn/nb/Logical_Switch";
pub(super) const PORTS: &str = "/api/v1/ovn/nb/Logical_Switch_Port";
const CHANGES: &str = "/api/v1/ovn/changes";
/// Ports of one switch.
pub(super) const OF_SWITCH: u32 = 100;
/// Switches that are taken away in one transaction.
const TOGETHER: usize = 20;

/// The names and addresses of a run; no other run has the same.
pub(super) struct Network {
    name: String,
    /// Ports so far.
    next: AtomicU32,
}

impl Network {
    pub(super) fn new() -> Result<Self, Failure> {
        let mut octets = [0; 4];
        getrandom::fill(&mut octets)
            .map_err(|cause| Failure::failed(format!("asking for random numbers: {cause}"), ""))?;
        Ok(Self {
            name: format!("purlin-bench-{:08x}", u32::from_be_bytes(octets)),
            next: AtomicU32::new(0),
        })
    }

    /// How all names of the run begin.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Columns of a new port, with an address that only it has.
    fn port(&self, name: &str) -> Value {
        let [a, b, c, d] = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        json!({ "name": name, "addresses": [format!("02:01:{a:02x}:{b:02x}:{c:02x}:{d:02x} 10.{b}.{c}.{d}")] })
    }

    /// A port of the filling, by its number.
    pub(super) fn filled(&self, number: u32) -> String {
        format!("{}-{number}", self.name)
    }

    /// Many ports on new switches, in one request.
    pub(super) fn bulk(&self, numbers: std::ops::Range<u32>) -> Ask {
        let mut changes = Vec::new();
        for (at, number) in numbers.enumerate() {
            let switch = number / OF_SWITCH;
            if at == 0 || number.is_multiple_of(OF_SWITCH) {
                let name = format!("{}-s{number}", self.name);
                changes.push(json!({ "op": "insert", "table": "Logical_Switch", "as": format!("s{switch}"), "columns": { "name": name } }));
            }
            changes.push(json!({ "op": "insert", "table": "Logical_Switch_Port", "parent": format!("Logical_Switch/$s{switch}"), "columns": self.port(&self.filled(number)) }));
        }
        Ask::post(format!("{CHANGES}?owner={OWNER}")).json(&json!({ "changes": changes }))
    }

    /// An empty switch.
    pub(super) fn switch(&self, name: &str) -> Ask {
        let name = format!("{}-{name}", self.name);
        Ask::post(format!("{SWITCHES}?owner={OWNER}")).json(&json!({ "name": name }))
    }

    /// A port on it.
    pub(super) fn on(&self, switch: &str, port: &str) -> Ask {
        let path = format!(
            "{PORTS}?owner={OWNER}&parent=Logical_Switch/{}-{switch}",
            self.name
        );
        Ask::post(path).json(&self.port(&format!("{}-{port}", self.name)))
    }
}

/// How many ports there are, whoever made them.
pub(super) async fn ports(client: &mut Client) -> Result<u64, Failure> {
    let tables = client.value(Ask::get("/api/v1/ovn/nb")).await?;
    let tables = tables.as_array().into_iter().flatten();
    let ports = tables.filter(|table| table["name"] == "Logical_Switch_Port");
    Ok(ports.filter_map(|table| table["rows"].as_u64()).sum())
}

/// Takes away the switches of runs whose names begin so, with their ports; how many there were.
pub(super) async fn clean(
    client: &mut Client,
    name: &str,
    told: &mut impl FnMut(u64),
) -> Result<u64, Failure> {
    let (mut gone, mut cursor) = (0, String::new());
    loop {
        let path = format!(
            "{SWITCHES}?owned_by={OWNER}&limit=1000&fields=_uuid,name&cursor={}",
            encode(&cursor)
        );
        let page = client.value(Ask::get(path)).await?;
        let own = |row: &&Value| row["name"].as_str().is_some_and(|own| own.starts_with(name));
        let rows = page["items"].as_array().into_iter().flatten().filter(own);
        let uuids: Vec<&Value> = rows.map(|row| &row["_uuid"]).collect();
        for some in uuids.chunks(TOGETHER) {
            let delete = |uuid: &&Value| json!({ "op": "delete", "table": "Logical_Switch", "row": uuid });
            let changes: Vec<Value> = some.iter().map(delete).collect();
            let ask = Ask::post(format!("{CHANGES}?owner={OWNER}"));
            client.answer(ask.json(&json!({ "changes": changes }))).await?;
            gone += some.len() as u64;
            told(gone);
        }
        match page["next_cursor"].as_str() {
            Some(next) => next.clone_into(&mut cursor),
            None => return Ok(gone),
        }
    }
}
