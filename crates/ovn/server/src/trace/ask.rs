//! A question as people send it, checked and made into a packet.

use crate::reasons;
use axum::http::StatusCode;
use purlin_api::Problem;
use purlin_ovn_core::expr::{Kind, parse, unknown};
use purlin_ovn_core::model::State;
use purlin_ovn_core::trace::{Conntrack, Given, Protocol, Query, QueryError, Target};
use purlin_types::Mac;
use serde::Deserialize;
use std::net::IpAddr;

const PORT: &str = "Logical_Switch_Port";
const ROUTER_PORT: &str = "Logical_Router_Port";

/// Ports of a packet where none are said.
const SOURCE_PORT: u16 = 40_000;
const DESTINATION_PORT: u16 = 80;

pub(crate) const PROTOCOLS: [&str; 4] = ["icmp", "tcp", "udp", "sctp"];
pub(crate) const CONNTRACK: [&str; 4] = ["new", "established", "reply", "related"];

/// What is asked. Addresses that are not said are those of the ports.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Question {
    pub(crate) from: String,
    pub(crate) to: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) source_port: Option<u16>,
    pub(crate) destination_port: Option<u16>,
    pub(crate) source_mac: Option<String>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) destination_mac: Option<String>,
    pub(crate) destination_ip: Option<IpAddr>,
    pub(crate) conntrack: Vec<String>,
    pub(crate) microflow: Option<String>,
    pub(crate) raw: bool,
}

/// A checked question.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) switch: String,
    pub(crate) target: Option<Target>,
    pub(crate) microflow: String,
    conntrack: Vec<Conntrack>,
}

impl Question {
    /// Makes the packet.
    ///
    /// # Errors
    /// 422 when none can be made, and why.
    pub(crate) fn checked(&self, state: &State<'_>) -> Result<Asking, Problem> {
        let from = port_name(state, &self.from)?;
        let conntrack = self.conntrack()?;
        match (&self.microflow, self.target(state)?) {
            (Some(text), None) => raw(state, &from, text, conntrack),
            (Some(_), Some(_)) => Err(refused(
                "to and microflow exclude each other: a microflow says itself where the packet goes",
            )),
            (None, None) => Err(refused(
                "say where the packet goes: to (a port or an address), destination_ip, or microflow",
            )),
            (None, Some(target)) => self.typed(state, &from, target, conntrack),
        }
    }

    fn typed(
        &self,
        state: &State<'_>,
        from: &str,
        target: Target,
        conntrack: Vec<Conntrack>,
    ) -> Result<Asking, Problem> {
        let protocol = protocol(
            self.protocol.as_deref().unwrap_or("icmp"),
            self.source_port,
            self.destination_port,
        )?;
        let given = Given {
            source_mac: mac("source_mac", self.source_mac.as_deref())?,
            source_ip: self.source_ip,
            destination_mac: mac("destination_mac", self.destination_mac.as_deref())?,
            destination_ip: self.destination_ip,
        };
        let mut query =
            Query::ask(state, from, &target, &given, protocol).map_err(|error| unasked(state, &error))?;
        if !conntrack.is_empty() {
            query.conntrack = conntrack;
        }
        Ok(Asking {
            switch: query.switch.clone(),
            target: Some(target),
            microflow: query.microflow(),
            conntrack: query.conntrack,
        })
    }

    fn target(&self, state: &State<'_>) -> Result<Option<Target>, Problem> {
        let Some(to) = &self.to else {
            return Ok(self.destination_ip.map(Target::Address));
        };
        if let Ok(address) = to.parse() {
            return Ok(Some(Target::Address(address)));
        }
        if state.by_name(ROUTER_PORT, to).is_some() {
            return Ok(Some(Target::Port(to.clone())));
        }
        port_name(state, to).map(|name| Some(Target::Port(name)))
    }

    fn conntrack(&self) -> Result<Vec<Conntrack>, Problem> {
        const MOST: usize = 32;
        if self.conntrack.len() > MOST {
            return Err(refused(format!("conntrack: {MOST} states at most")));
        }
        let words = self.conntrack.iter().map(|word| match word.as_str() {
            "new" => Ok(Conntrack::New),
            "established" => Ok(Conntrack::Established),
            "reply" => Ok(Conntrack::Reply),
            "related" => Ok(Conntrack::Related),
            other => Err(refused(format!(
                "conntrack: {other:?} is not valid; expected {}",
                CONNTRACK.join(", ")
            ))),
        });
        words.collect()
    }
}

impl Asking {
    /// The packet that one port sends to another.
    pub(crate) fn of(query: &Query, to: &str) -> Self {
        Self {
            switch: query.switch.clone(),
            target: Some(Target::Port(to.to_owned())),
            microflow: query.microflow(),
            conntrack: query.conntrack.clone(),
        }
    }

    /// Behind the options that say which database.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let flags = |state: &Conntrack| format!("--ct={}", state.flags());
        let mut arguments: Vec<String> = self.conntrack.iter().map(flags).collect();
        // Behind this nothing is an option, whatever it starts with.
        arguments.extend(["--".to_owned(), self.switch.clone(), self.microflow.clone()]);
        arguments
    }
}

fn mac(name: &str, text: Option<&str>) -> Result<Option<Mac>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let parsed = text.parse().map(Some);
    parsed.map_err(|_| refused(format!("{name}: {text:?} is no MAC; 02:00:00:00:00:01 is one")))
}

/// A packet that is written out, in OVN's expression language. It enters where `from` says.
fn raw(state: &State<'_>, from: &str, text: &str, mut conntrack: Vec<Conntrack>) -> Result<Asking, Problem> {
    let parsed = parse(text).map_err(|fault| refused(format!("microflow: {fault}")))?;
    if let Some(fault) = unknown(&parsed, state).first() {
        return Err(refused(format!("microflow: {fault}")));
    }
    if parsed.uses.iter().any(|used| used.kind == Kind::Port) {
        return Err(refused(
            "microflow: leave inport and outport out: the packet enters at the port that from names, and where it leaves is the question",
        ));
    }
    if conntrack.is_empty() {
        conntrack = vec![Conntrack::New; 16];
    }
    let port = state.by_name(PORT, from);
    let switch = port.and_then(|port| state.parent(PORT, port));
    let switch = switch.map(|(table, _, uuid)| state.label(table, uuid));
    let quoted = from.replace('\\', "\\\\").replace('"', "\\\"");
    Ok(Asking {
        switch: switch.unwrap_or_default(),
        target: None,
        microflow: format!("inport == \"{quoted}\" && ({text})"),
        conntrack,
    })
}

/// A switch port's name, from its name or UUID.
///
/// # Errors
/// 422 when there is none, with the nearest name.
pub(crate) fn port_name(state: &State<'_>, word: &str) -> Result<String, Problem> {
    if word.is_empty() {
        return Err(refused("from: say at which switch port the packet enters"));
    }
    let by_uuid = purlin_ovsdb::Uuid::parse(word).filter(|uuid| state.contains(PORT, *uuid));
    let found = state.by_name(PORT, word).or(by_uuid);
    match found {
        Some(uuid) => Ok(state.text(PORT, uuid, "name").unwrap_or(word).to_owned()),
        None => Err(unasked(state, &QueryError::NoPort(word.to_owned()))),
    }
}

/// A protocol by its word.
///
/// # Errors
/// 422 for another word, and for ports where there are none.
pub(crate) fn protocol(
    word: &str,
    source: Option<u16>,
    destination: Option<u16>,
) -> Result<Protocol, Problem> {
    let from = source.unwrap_or(SOURCE_PORT);
    let to = destination.unwrap_or(DESTINATION_PORT);
    Ok(match word.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp(from, to),
        "udp" => Protocol::Udp(from, to),
        "sctp" => Protocol::Sctp(from, to),
        "icmp" if source.or(destination).is_none() => Protocol::Ping,
        "icmp" => return Err(refused("icmp has no ports")),
        other => {
            return Err(refused(format!(
                "protocol: {other:?} is not valid; expected {}",
                PROTOCOLS.join(", ")
            )));
        }
    })
}

/// 422: no packet.
pub(crate) fn refused(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::NO_QUESTION, detail)
}

fn unasked(state: &State<'_>, error: &QueryError) -> Problem {
    let help = match error {
        QueryError::NoPort(port) => {
            let names: Vec<String> = state
                .uuids(PORT)
                .into_iter()
                .filter_map(|uuid| state.text(PORT, uuid, "name").map(str::to_owned))
                .collect();
            purlin_config::nearest(port, names.iter().map(String::as_str))
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default()
        }
        QueryError::NoAddress(_) => {
            "; say source_mac, source_ip, destination_mac or destination_ip".to_owned()
        }
        QueryError::NoWay(_) | QueryError::Families => String::new(),
    };
    refused(format!("{error}{help}"))
}
