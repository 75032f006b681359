//! ovncp's paths about packets: what they document, asked of OVN itself.
//!
//! ```text
//!   POST /api/v1/trace/flow            {source_port, destination_ip, protocol, ...} -> {success, reaches_destination, hops, ...}
//!   POST /api/v1/trace/simulate        the same; with `changes`, as it would be after them
//!   POST /api/v1/trace/multi-path      {..., protocols, ports} -> {paths, summary}
//!   POST /api/v1/trace/connectivity    {source_port, target_ports} -> {target_ports, fully_reachable, recommendations}
//!   GET  /api/v1/trace/ports/PORT/addresses
//! ```
//!
//! MACs and addresses may be left out: they are read from the rows.

mod members;
mod result;

pub(super) use members::components;

use super::changes::{Order, Prepared, orders};
use super::nb;
use super::trace::several;
use crate::ovncp::path;
use crate::platform::Platform;
use crate::trace::{self, Around, Question, refused};
use crate::whatif;
use axum::Json;
use axum::extract::State;
use members::{flow, paths};
use purlin_api::asked::{Input, Name};
use purlin_api::route::{self, Draft};
use purlin_api::schema;
use purlin_api::{Operator, Problem, Viewer};
use purlin_ovn_core::model::State as Rows;
use result::result;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

const PORT: &str = "Logical_Switch_Port";
/// Ports that are tried where none are said, of several paths and of connectivity.
const PORTS: [u16; 7] = [22, 80, 443, 3306, 5432, 6379, 8080];
const COMMON: [u16; 3] = [22, 80, 443];
/// Targets of one analysis: each is four packets.
const TARGETS: usize = 16;

pub(super) fn drafts() -> [Draft<Platform>; 5] {
    let traced = |draft: Draft<Platform>| {
        path(draft.read_only())
            .answers(200, schema::reference("OvncpTrace"))
            .errors(&[422, 502, 503, 504])
    };
    let mut simulated = flow();
    simulated.push(("changes?", orders()));
    [
        traced(
            route::post("/api/v1/trace/flow", flow_trace)
                .summary("Follows one packet through the network")
                .body(schema::object(&flow())),
        )
        .tenants(),
        traced(
            route::post("/api/v1/trace/simulate", simulate)
                .summary("Follows one packet as it would go after a change that is not made")
                .description("Without `changes` it is the packet's way as things are: a trace sends nothing anyway. `changes` are those of `/api/v1/ovn/changes`; they are made in copies.")
                .body(schema::object(&simulated)),
        )
        .tenants(),
        path(route::post("/api/v1/trace/multi-path", multi_path).read_only())
            .summary("Follows one packet for each of several protocols and ports")
            .body(schema::object(&paths()))
            .answers(200, schema::open_object(&["source_port", "destination_ip", "paths", "summary"], &[]))
            .tenants()
            .errors(&[422, 502, 503, 504]),
        path(route::post("/api/v1/trace/connectivity", connectivity).read_only())
            .summary("Whom a port reaches, and what is in the way")
            .body(schema::object(&[
                ("source_port", schema::word("Name or UUID of a switch port.")),
                ("target_ports", schema::array(schema::word("Name or UUID of another."))),
            ]))
            .answers(
                200,
                schema::open_object(&["source_port", "target_ports", "fully_reachable", "recommendations"], &[]),
            )
            .tenants()
            .errors(&[422, 502, 503, 504]),
        path(route::get("/api/v1/trace/ports/{port}/addresses", addresses))
            .summary("MACs and addresses of a port")
            .answers(200, schema::open_object(&["port_id", "port_name", "addresses", "type"], &[]))
            .tenants()
            .errors(&[404, 503]),
    ]
}

/// A packet as ovncp's clients ask about it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Flow {
    source_port: String,
    source_mac: Option<String>,
    source_ip: Option<IpAddr>,
    destination_mac: Option<String>,
    destination_ip: IpAddr,
    protocol: String,
    source_port_num: Option<u16>,
    destination_port_num: Option<u16>,
    #[serde(default)]
    verbose: bool,
    #[serde(default)]
    max_hops: usize,
}

/// ovncp's clients leave numbers out by saying zero, and texts by saying nothing.
fn said<T: Default + PartialEq>(value: Option<T>) -> Option<T> {
    value.filter(|value| *value != T::default())
}

fn question(flow: Flow) -> Question {
    let icmp = flow.protocol.starts_with("icmp");
    let port = |port: Option<u16>| said(port).filter(|_| !icmp);
    Question {
        from: flow.source_port,
        to: Some(flow.destination_ip.to_string()),
        protocol: Some(flow.protocol.replace("icmp6", "icmp")),
        source_port: port(flow.source_port_num),
        destination_port: port(flow.destination_port_num),
        source_mac: said(flow.source_mac),
        source_ip: flow.source_ip,
        destination_mac: said(flow.destination_mac),
        ..Question::default()
    }
}

async fn flow_trace(
    _: Viewer,
    State(platform): State<Platform>,
    Input(flow): Input<Flow>,
) -> Result<Json<Value>, Problem> {
    one(&platform, &flow).await.map(Json)
}

async fn one(platform: &Platform, flow: &Flow) -> Result<Value, Problem> {
    let around = Around::of(platform).await?;
    let (_, told) = around.told(&question(flow.clone())).await?;
    let mut shown = result(flow, &around.all(), &told);
    around.hush(&mut shown);
    Ok(shown)
}

/// A packet, and what is changed before it goes.
#[derive(Debug, Deserialize)]
struct Simulated {
    #[serde(default)]
    changes: Vec<Order>,
    #[serde(flatten)]
    flow: Map<String, Value>,
}

async fn simulate(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    asked: purlin_api::asked::Asked,
    Input(simulated): Input<Simulated>,
) -> Result<Json<Value>, Problem> {
    let flow: Flow = serde_json::from_value(Value::Object(simulated.flow))
        .map_err(|error| Problem::wrong_shape(error.to_string()))?;
    if simulated.changes.is_empty() {
        return one(&platform, &flow).await.map(marked).map(Json);
    }
    let manner = nb::manner(&asked, &caller)?;
    let prepared = Prepared::new(simulated.changes)?;
    let wish = |state: &Rows<'_>| prepared.wish(state);
    let copies = whatif::changed(&platform, &manner, wish).await?;
    one(&copies.place, &flow).await.map(marked).map(Json)
}

fn marked(mut result: Value) -> Value {
    let summary = result["summary"].as_str().unwrap_or_default().to_owned();
    result["summary"] = json!(format!("[SIMULATION] {summary}"));
    result
}

/// Packets of several kinds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    source_port: String,
    source_mac: Option<String>,
    source_ip: Option<IpAddr>,
    destination_mac: Option<String>,
    destination_ip: IpAddr,
    #[serde(default)]
    protocols: Vec<String>,
    #[serde(default)]
    ports: Vec<u16>,
}

async fn multi_path(
    _: Viewer,
    State(platform): State<Platform>,
    Input(asked): Input<Paths>,
) -> Result<Json<Value>, Problem> {
    let or = |words: &[String], else_: &[&str]| -> Vec<String> {
        match words {
            [] => else_.iter().map(|word| (*word).to_owned()).collect(),
            some => some.to_vec(),
        }
    };
    let ports = if asked.ports.is_empty() {
        PORTS.to_vec()
    } else {
        asked.ports.clone()
    };
    let mut questions = Vec::new();
    for protocol in or(&asked.protocols, &["tcp", "udp", "icmp"]) {
        let flow = |port: Option<u16>| Flow {
            source_port: asked.source_port.clone(),
            source_mac: asked.source_mac.clone(),
            source_ip: asked.source_ip,
            destination_mac: asked.destination_mac.clone(),
            destination_ip: asked.destination_ip,
            protocol: protocol.clone(),
            source_port_num: None,
            destination_port_num: port,
            verbose: false,
            max_hops: 0,
        };
        match protocol.starts_with("icmp") {
            true => questions.push(question(flow(None))),
            false => questions.extend(ports.iter().map(|port| question(flow(Some(*port))))),
        }
    }
    let told = several(&platform, questions).await?;
    let paths: Vec<Value> = told.iter().map(of_path).collect();
    let open: Vec<String> = told
        .iter()
        .filter(|path| path["reached"] == true)
        .map(named)
        .collect();
    let summary = match (open.len(), paths.len()) {
        (0, all) => format!("All {all} paths tested are blocked"),
        (open_, all) if open_ == all => format!(
            "All {all} paths tested are allowed. Allowed protocols: {}",
            open.join(", ")
        ),
        (open_, all) => format!(
            "{} of {all} paths blocked. Allowed: {}",
            all - open_,
            open.join(", ")
        ),
    };
    Ok(Json(json!({
        "source_port": asked.source_port,
        "destination_ip": asked.destination_ip,
        "paths": paths,
        "summary": summary,
    })))
}

fn named(path: &Value) -> String {
    let protocol = path["protocol"].as_str().unwrap_or_default();
    match path["port"].as_u64() {
        Some(port) => format!("{protocol}:{port}"),
        None => protocol.to_owned(),
    }
}

fn of_path(path: &Value) -> Value {
    let reaches = path["reached"] == true;
    json!({
        "protocol": path["protocol"],
        "port": path["port"],
        "reaches_destination": reaches,
        "blocked": !reaches,
        "blocked_by": blocked_by(path),
        "hop_count": path["hops"].as_array().map_or(0, Vec::len),
    })
}

/// The rule in the way, else the reason.
fn blocked_by(path: &Value) -> Value {
    let dropped = &path["dropped"];
    match dropped["by"]["name"].as_str() {
        Some(name) => json!(format!(
            "{}: {name}",
            dropped["by"]["table"].as_str().unwrap_or_default()
        )),
        None => dropped["reason"].clone(),
    }
}

/// From one port to others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Connectivity {
    source_port: String,
    target_ports: Vec<String>,
}

async fn connectivity(
    _: Viewer,
    State(platform): State<Platform>,
    Input(asked): Input<Connectivity>,
) -> Result<Json<Value>, Problem> {
    if asked.target_ports.is_empty() || asked.target_ports.len() > TARGETS {
        return Err(refused(format!("target_ports: from one to {TARGETS} ports")));
    }
    let probes = || std::iter::once(None).chain(COMMON.map(Some));
    let question = |target: &String, port: Option<u16>| Question {
        from: asked.source_port.clone(),
        to: Some(target.clone()),
        protocol: Some(if port.is_some() { "tcp" } else { "icmp" }.to_owned()),
        destination_port: port,
        ..Question::default()
    };
    let questions = asked
        .target_ports
        .iter()
        .flat_map(|target| probes().map(move |port| question(target, port)));
    let told = several(&platform, questions.collect()).await?;
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    let (mut targets, mut advice, mut fully) = (Vec::new(), Vec::new(), true);
    for (target, paths) in asked.target_ports.iter().zip(told.chunks(1 + COMMON.len())) {
        let protocols = paths
            .iter()
            .map(|path| (named(path), json!(path["reached"] == true)));
        let reachable = paths.iter().any(|path| path["reached"] == true);
        fully &= reachable;
        for path in paths.iter().filter(|path| path["reached"] != true) {
            let summary = path["summary"].as_str().unwrap_or_default();
            advice.push(format!("{target}, {}: {summary}", named(path)));
        }
        let name = trace::port_name(&state, target)?;
        let port = state.by_name(PORT, &name);
        let ip = port.and_then(|port| state.port_addresses(port).1.first().copied());
        targets.push(json!({
            "port_name": name,
            "port_ip": ip,
            "reachable": reachable,
            "protocols": protocols.collect::<Map<_, _>>(),
        }));
    }
    if advice.is_empty() {
        advice.push("All target ports are reachable from the source port".to_owned());
    }
    Ok(Json(json!({
        "source_port": asked.source_port,
        "target_ports": targets,
        "fully_reachable": fully,
        "recommendations": advice,
    })))
}

async fn addresses(_: Viewer, State(platform): State<Platform>, name: Name) -> Result<Json<Value>, Problem> {
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    let uuid = super::find::row(&state, PORT, &name.0)?;
    let mut texts = state.texts(PORT, uuid, "addresses");
    texts.extend(state.texts(PORT, uuid, "dynamic_addresses"));
    let mut addresses = Vec::new();
    for text in &texts {
        let mut words = text.split_whitespace();
        // What is no MAC (`unknown`, `router`, `dynamic`) has no address of its own.
        let Some(mac) = words
            .next()
            .filter(|word| word.parse::<purlin_types::Mac>().is_ok())
        else {
            continue;
        };
        let ips: Vec<&str> = words.filter(|word| word.parse::<IpAddr>().is_ok()).collect();
        match ips.is_empty() {
            true => addresses.push(json!({ "mac": mac })),
            false => addresses.extend(ips.iter().map(|ip| json!({ "mac": mac, "ip": ip }))),
        }
    }
    Ok(Json(json!({
        "port_id": uuid.to_string(),
        "port_name": state.label(PORT, uuid),
        "addresses": addresses,
        "type": state.text(PORT, uuid, "type").unwrap_or_default(),
    })))
}
