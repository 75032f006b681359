//! OVN's part of a story: which ports have this MAC, address or name, whose they are, and whether they are up.

use crate::platform::Platform;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use purlin_api::story::{Chapter, Subject, Teller, Who};
use purlin_ovn_core::model::State;
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
        let state = State::new(&schema, &snapshot.database);
        let ports = ports(&state, subject, who);
        let shown: Vec<Value> = ports.iter().map(|port| shown(&state, *port)).collect();
        let summary = match shown.as_slice() {
            [] => "no logical port has it".to_owned(),
            many => many.iter().map(sentence).collect::<Vec<_>>().join("; "),
        };
        let down = shown.iter().any(|port| port["up"] != true);
        Chapter {
            seen: !shown.is_empty(),
            summary,
            decisions: Vec::new(),
            checks: if down {
                vec!["a port that is not up has no hypervisor that claimed it: is its interface there, with iface-id set?".to_owned()]
            } else {
                Vec::new()
            },
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

fn shown(state: &State<'_>, port: Uuid) -> Value {
    let up = state
        .value(TABLE, port, "up")
        .and_then(|value| value.one())
        .and_then(Atom::as_bool);
    let switch = state
        .parent(TABLE, port)
        .map(|(table, _, uuid)| state.label(table, uuid));
    let addresses = state.texts(TABLE, port, "addresses");
    let addresses: Vec<&str> = addresses.iter().map(|text| &**text).collect();
    json!({
        "name": state.label(TABLE, port),
        "uuid": port.to_string(),
        "switch": switch,
        "owner": state.owner(TABLE, port),
        "addresses": addresses,
        "dynamic_addresses": state.text(TABLE, port, "dynamic_addresses"),
        "up": up,
    })
}

fn sentence(port: &Value) -> String {
    let word = |name: &str| port[name].as_str().unwrap_or("?").to_owned();
    let up = match port["up"].as_bool() {
        Some(true) => "is up",
        Some(false) => "is down",
        None => "was never up",
    };
    format!(
        "it is port {} of switch {}, which {up}",
        word("name"),
        word("switch")
    )
}
