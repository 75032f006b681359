//! A trace as it is answered: its end first, every row with a link.

use super::ask::Asking;
use purlin_ovn_core::model::State;
use purlin_ovn_core::trace::{Outcome, Story, Target};
use purlin_ovsdb::Uuid;
use serde_json::{Value, json};
use std::net::IpAddr;

const PORT: &str = "Logical_Switch_Port";

/// A trace that was told.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) story: Story,
    /// Whether it came to where it was to go; `None` when nobody said where that is.
    pub(crate) reached: Option<bool>,
    pub(crate) raw: String,
    pub(crate) milliseconds: f64,
}

impl Told {
    pub(crate) const fn delivered(&self) -> bool {
        matches!(self.story.outcome, Outcome::Delivered { .. })
    }

    /// Where it ended, in one sentence.
    pub(crate) fn summary(&self) -> String {
        let told = self.story.to_string();
        told.lines().last().unwrap_or_default().to_owned()
    }

    /// Ports that it left by.
    pub(crate) fn ports(&self) -> &[String] {
        match &self.story.outcome {
            Outcome::Delivered { ports } => ports,
            Outcome::Dropped { .. } => &[],
        }
    }

    /// Where and by what it was dropped.
    pub(crate) fn dropped(&self) -> Value {
        let Outcome::Dropped {
            at,
            stage,
            reason,
            by,
        } = &self.story.outcome
        else {
            return Value::Null;
        };
        let mut dropped = json!({ "at": at, "stage": stage, "reason": reason, "by": by });
        links(&mut dropped);
        dropped
    }

    /// The answer.
    pub(crate) fn shown(&self, asking: &Asking, raw: bool) -> Value {
        let mut hops = json!(self.story.hops);
        links(&mut hops);
        json!({
            "delivered": self.delivered(),
            "reached": self.reached,
            "ports": self.ports(),
            "dropped": self.dropped(),
            "summary": self.summary(),
            "method": "ovn-trace",
            "switch": asking.switch,
            "microflow": asking.microflow,
            "packet": self.story.packet,
            "hops": hops,
            "raw": raw.then_some(&self.raw),
            "milliseconds": self.milliseconds,
        })
    }
}

/// Gives each row that is named the path where it can be read.
pub(crate) fn links(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(links),
        Value::Object(members) => {
            members.values_mut().for_each(links);
            let word = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(table), Some(uuid), Some(name)) = (word("table"), word("uuid"), word("label")) {
                members.insert("name".to_owned(), name.into());
                members.insert("href".to_owned(), format!("/api/v1/ovn/nb/{table}/{uuid}").into());
            }
        }
        _ => {}
    }
}

/// Whether the packet came to its target. One that goes to an address may come to any port that has it; where no port
/// has it (a load balancer, a router, the world outside), to any other than the one it came from, or to that one as the
/// answer of the network itself.
pub(super) fn reached(state: &State<'_>, asking: &Asking, story: &Story) -> Option<bool> {
    let target = asking.target.as_ref()?;
    let Outcome::Delivered { ports } = &story.outcome else {
        return Some(false);
    };
    let names = match target {
        Target::Port(name) if state.by_name(PORT, name).is_some() => vec![name.clone()],
        Target::Port(_) => Vec::new(),
        Target::Address(address) => holders(state, *address),
    };
    Some(names.is_empty() || names.iter().any(|name| ports.contains(name)))
}

fn holders(state: &State<'_>, address: IpAddr) -> Vec<String> {
    let text = address.to_string();
    let has = |uuid: &Uuid| {
        let column = |name| state.texts(PORT, *uuid, name);
        let mut texts = column("addresses").into_iter().chain(column("dynamic_addresses"));
        // Reading addresses costs more than looking for a text in them, which may find too much.
        texts.any(|own| address.is_ipv6() || own.contains(&text))
            && state.port_addresses(*uuid).1.contains(&address)
    };
    let ports = state.uuids(PORT).into_iter().filter(has);
    ports
        .filter_map(|uuid| state.text(PORT, uuid, "name").map(str::to_owned))
        .collect()
}
