//! OVN's part of a story: which ports have this MAC, address or name, whose they are, which hypervisor has them, and what
//! becomes of their DHCP.

mod dhcp;

use crate::platform::Platform;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::story::{Chapter, Subject, Teller, Who};
use purlin_ovn_core::model::State;
use purlin_ovsdb::client::Snapshot;
use purlin_ovsdb::{Atom, Uuid};
use serde_json::{Map, Value, json};

const TABLE: &str = "Logical_Switch_Port";
/// Ports that a story names.
const MOST: usize = 16;

/// Tells what the northbound knows.
#[derive(Debug, Clone)]
pub struct PortTeller(Platform);

impl PortTeller {
    /// A member of stories.
    pub const PORTS: &str = "ports";

    #[must_use]
    pub const fn new(platform: Platform) -> Self {
        Self(platform)
    }

    async fn chapter(&self, subject: &Subject, who: &Who) -> Chapter {
        let (schema, snapshot) = match self.0.north().read().await {
            Ok(read) => read,
            Err(problem) => {
                return Chapter {
                    summary: format!("nothing is known: {}", problem.detail()),
                    checks: vec!["GET /api/v1/ovn tells what is wrong with the databases".to_owned()],
                    ..Chapter::default()
                };
            }
        };
        let options = self.0.dhcp();
        let state = State::new(&schema, &snapshot.database).with_dhcp(&options);
        let flows = self.0.south().ok().map(|south| south.rows.snapshot());
        let ports = ports(&state, subject, who);
        let shown: Vec<Value> = ports
            .iter()
            .map(|port| shown(&state, flows.as_ref(), *port))
            .collect();
        let summary = match shown.as_slice() {
            [] => "no logical port has it".to_owned(),
            many => many.iter().map(sentence).collect::<Vec<_>>().join("; "),
        };
        Chapter {
            seen: !shown.is_empty(),
            summary,
            decisions: Vec::new(),
            checks: shown.iter().flat_map(checks).collect(),
            more: Map::from_iter([(Self::PORTS.to_owned(), json!(shown))]),
        }
    }
}

impl Teller for PortTeller {
    fn service(&self) -> &'static str {
        "ovn"
    }

    fn who<'a>(&'a self, _: &'a Subject) -> BoxFuture<'a, Who> {
        async { Who::default() }.boxed()
    }

    fn tell<'a>(&'a self, subject: &'a Subject, who: &'a Who, _: usize) -> BoxFuture<'a, Chapter> {
        self.chapter(subject, who).boxed()
    }
}

fn ports(state: &State<'_>, subject: &Subject, who: &Who) -> Vec<Uuid> {
    if let Subject::Name(name) = subject {
        let named = state.find(TABLE, "name", &Atom::from(name.as_str()));
        if !named.is_empty() {
            return named;
        }
    }
    let mut words: Vec<String> = who.macs.iter().map(ToString::to_string).collect();
    words.extend(who.addresses.iter().map(ToString::to_string));
    if words.is_empty() {
        return Vec::new();
    }
    let has = |uuid: &Uuid| {
        let texts = ["addresses", "dynamic_addresses", "port_security"];
        let texts = texts
            .into_iter()
            .flat_map(|column| state.texts(TABLE, *uuid, column));
        let mut texts = texts.map(|text| text.to_lowercase());
        texts.any(|text| {
            text.split_whitespace()
                .any(|part| words.iter().any(|word| word == part))
        })
    };
    state.uuids(TABLE).into_iter().filter(has).take(MOST).collect()
}

fn shown(state: &State<'_>, flows: Option<&Snapshot>, port: Uuid) -> Value {
    let flag = |column: &str| {
        let value = state.value(TABLE, port, column)?;
        value.one().and_then(Atom::as_bool)
    };
    let switch = state.parent(TABLE, port).map(|(_, _, uuid)| uuid);
    let addresses = state.texts(TABLE, port, "addresses");
    let addresses: Vec<&str> = addresses.iter().map(|text| &**text).collect();
    let name = state.label(TABLE, port);
    json!({
        "name": name,
        "uuid": port.to_string(),
        "href": format!("/api/v1/ovn/nb/{TABLE}/{port}"),
        "switch": switch.map(|uuid| state.label("Logical_Switch", uuid)),
        "owner": state.owner(TABLE, port),
        "addresses": addresses,
        "dynamic_addresses": state.text(TABLE, port, "dynamic_addresses"),
        "enabled": flag("enabled").unwrap_or(true),
        "up": flag("up"),
        "chassis": flows.and_then(|flows| chassis(flows, &name)),
        "southbound": flows.is_some(),
        "dhcp": switch.map(|switch| dhcp::told(state, switch, port, &name)),
    })
}

/// The hypervisor that has a port.
fn chassis(flows: &Snapshot, name: &str) -> Option<Value> {
    let bound = flows.table("Port_Binding")?.find_one("logical_port", name)?;
    let uuid = bound.get("chassis")?.atoms().first()?.as_uuid()?;
    let chassis = flows.table("Chassis")?.get(uuid)?;
    let text = |column: &str| chassis.get(column).and_then(|value| value.one()?.as_str());
    Some(json!({ "name": text("name"), "hostname": text("hostname") }))
}

fn sentence(port: &Value) -> String {
    let word = |name: &str| port[name].as_str().unwrap_or("?").to_owned();
    let place = &port["chassis"];
    let host = place["hostname"].as_str().filter(|host| !host.is_empty());
    let host = host.or(place["name"].as_str());
    let up = match (port["enabled"] == true, port["up"].as_bool(), host) {
        (false, _, _) => "is disabled".to_owned(),
        (_, Some(true), Some(host)) => format!("is up on hypervisor {host}"),
        (_, Some(true), None) => "is up".to_owned(),
        (_, _, Some(host)) => format!("hypervisor {host} has, and which is not up yet"),
        (_, Some(false), None) => "is down: no hypervisor has it".to_owned(),
        (_, None, None) => "was never up".to_owned(),
    };
    let dhcp = port["dhcp"]["summary"].as_str();
    let dhcp = dhcp.map(|words| format!(", {words}")).unwrap_or_default();
    format!(
        "it is port {} of switch {}, which {up}{dhcp}",
        word("name"),
        word("switch")
    )
}

fn checks(port: &Value) -> Vec<String> {
    let name = port["name"].as_str().unwrap_or("?");
    let mut checks = Vec::new();
    if port["enabled"] == false {
        checks.push(format!(
            "port {name}: set `enabled` in {}",
            port["href"].as_str().unwrap_or(TABLE)
        ));
    } else if port["up"] != true {
        checks.push(format!("port {name}: a port that is not up has no hypervisor that claimed it: is its interface there, with iface-id set?"));
    }
    let told = port["dhcp"]["checks"].as_array().into_iter().flatten();
    checks.extend(told.filter_map(|check| Some(format!("port {name}: {}", check.as_str()?))));
    checks
}
