//! `/api/v1/ovn/switches/{id}/dhcp`: who answers the DHCP requests of a switch's ports.

use super::typed::meant;
use super::{nb, writes};
use crate::platform::{Platform, new_uuid};
use crate::reasons;
use crate::typed::kinds::KINDS;
use crate::typed::{Values, forms};
use crate::write::write_shown;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Operator, Problem, Viewer};
use purlin_ovn_core::model::State as Rows;
use purlin_ovn_core::serving::{Names, Server, Wanted, changes, found};
use purlin_ovsdb::Uuid;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const PATH: &str = "/api/v1/ovn/switches/{id}/dhcp";
const SWITCH: &str = "Logical_Switch";
const PORT: &str = "Logical_Switch_Port";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    served_by: String,
    cidr: Option<String>,
    #[serde(default)]
    options: Map<String, Value>,
    addresses: Option<String>,
}

pub(super) fn drafts() -> Vec<Draft<Platform>> {
    vec![
        route::get(PATH, show)
            .summary("Who answers the DHCP requests of a switch's ports")
            .answers(200, schema::reference("OvnSwitchDhcp"))
            .errors(&[404, 409, 503])
            .tenants(),
        writes(
            route::put(PATH, choose)
                .summary("Chooses who answers the DHCP requests of a switch's ports")
                .description("`ovn`: OVN answers each port with these options, on its hypervisor; ports that come later are included. `purlin`: a localport is made, behind which Purlin's DHCP answers with all that it can do, boot files included. `nobody`: neither. Options that somebody else gave to a port stay.")
                .body(order())
                .answers(200, schema::open_object(&["request", "changed", "item", "diff"], &[("item", schema::reference("OvnSwitchDhcp"))])),
        )
        .tenants(),
    ]
}

fn order() -> Schema {
    schema::object(&[
        ("served_by", served_by()),
        (
            "cidr?",
            schema::string("With ovn: the network; other_config:subnet of the switch when absent."),
        ),
        (
            "options?",
            schema::anything(
                "With ovn: options by OVN's names, typed as those of /ovn/dhcp-options. server_id and router default to the router port on the switch, lease_time to 3600.",
            ),
        ),
        (
            "addresses?",
            schema::string("With purlin: MAC and address of the port, such as `02:00:00:00:00:fe 10.0.0.2`."),
        ),
    ])
}

fn served_by() -> Schema {
    schema::one_of(&Server::ALL.map(Server::as_str), "Who answers.")
}

pub(super) fn components(routes: Routes) -> Routes {
    let names = |what| schema::array(schema::string(what));
    routes.component(
        "OvnSwitchDhcp",
        schema::object(&[
            ("switch", schema::string("Name of the switch.")),
            ("served_by", served_by()),
            ("cidr", schema::nullable(schema::string("With ovn: the network."))),
            (
                "options",
                schema::anything("With ovn: the options, each by its type."),
            ),
            (
                "ports",
                schema::count("Ports that OVN answers with these options."),
            ),
            ("others", names("Name of a port with options of somebody else.")),
            (
                "missing",
                names("Name of a port that OVN should answer and does not."),
            ),
            (
                "port",
                schema::nullable(schema::string("With purlin: name of the port.")),
            ),
            (
                "next",
                schema::nullable(schema::string("What is still to be done on the machines.")),
            ),
        ]),
    )
}

async fn show(_: Viewer, State(platform): State<Platform>, id: Name) -> Result<Json<Value>, Problem> {
    let switch = switch(&platform, &id.0).await?;
    let (schema, rows) = platform.north().read().await?;
    let state = Rows::new(&schema, &rows.database);
    Ok(Json(shown(&state, switch)))
}

async fn choose(
    Operator(caller): Operator,
    State(platform): State<Platform>,
    id: Name,
    asked: Asked,
    Input(order): Input<Order>,
) -> Result<Json<Value>, Problem> {
    let manner = nb::manner(&asked, &caller)?;
    let wanted = wanted(order)?;
    let switch = switch(&platform, &id.0).await?;
    let names = Names {
        options: new_uuid()?,
        port: new_uuid()?,
    };
    let wish = |state: &Rows<'_>| {
        let changes = changes(state, switch, &wanted, names).map_err(|problem| {
            let answer = Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                &reasons::INVALID,
                problem.to_string(),
            );
            answer.with("problems", json!([problem]))
        })?;
        Ok((changes, Vec::new()))
    };
    let mut answer = write_shown(&platform, &manner, |state| Some(shown(state, switch)), wish).await?;
    if let Some(members) = answer.as_object_mut() {
        let item = members.remove("row").unwrap_or_default();
        members.insert("item".to_owned(), item);
    }
    Ok(Json(answer))
}

/// Members that say nothing for this choice are refused: whoever wrote them meant another one.
fn wanted(order: Order) -> Result<Wanted, Problem> {
    let Order {
        served_by,
        cidr,
        options,
        addresses,
    } = order;
    let fault = |path: &str, message: &str| Err(Problem::wrong_shape(format!("{path}: {message}")));
    let server = Server::parse(&served_by);
    if server != Some(Server::Ovn) && (cidr.is_some() || !options.is_empty()) {
        return fault("options", "cidr and options are for served_by = ovn");
    }
    if server != Some(Server::Purlin) && addresses.is_some() {
        return fault("addresses", "addresses is for served_by = purlin");
    }
    match (server, addresses) {
        (Some(Server::Nobody), _) => Ok(Wanted::Nobody),
        (Some(Server::Ovn), _) => Ok(Wanted::Ovn {
            cidr,
            options: texts(&options)?,
        }),
        (Some(Server::Purlin), Some(addresses)) => Ok(Wanted::Purlin { addresses }),
        (Some(Server::Purlin), None) => fault(
            "addresses",
            "the MAC and the address under which Purlin answers, such as `02:00:00:00:00:fe 10.0.0.2`",
        ),
        (None, _) => fault("served_by", "one of nobody, ovn, purlin"),
    }
}

/// The options as OVN writes them; what does not fit their types is found with the change.
fn texts(options: &Map<String, Value>) -> Result<BTreeMap<String, String>, Problem> {
    let mut faults = Vec::new();
    let mut texts = BTreeMap::new();
    for (name, value) in options {
        match forms::map_value(value, Values::Dhcp) {
            Ok(text) => {
                texts.insert(name.clone(), text.as_str().unwrap_or_default().to_owned());
            }
            Err(why) => faults.push(format!("options.{name}: {why}")),
        }
    }
    match faults.is_empty() {
        true => Ok(texts),
        false => Err(Problem::wrong_shape(faults.join("; "))),
    }
}

async fn switch(platform: &Platform, word: &str) -> Result<Uuid, Problem> {
    let kind = KINDS.iter().find(|kind| kind.table == SWITCH);
    meant(platform, kind.expect("switches are a kind"), word).await
}

fn shown(state: &Rows<'_>, switch: Uuid) -> Value {
    let now = found(state, switch);
    let port = now.port.map(|port| state.label(PORT, port));
    let catalog = &state.dhcp().v4;
    let options = now.values.iter();
    let options = options.map(|(name, text)| (name.clone(), forms::dhcp_shown(catalog, name, text)));
    let options: Map<String, Value> = options.collect();
    let next = port.as_ref().map(|port| {
        format!(
            "on each machine that is to answer: ovs-vsctl add-port br-int purlin0 -- set Interface purlin0 type=internal external_ids:iface-id={port}, give it the port's MAC and address, and name purlin0 in dhcp.interfaces there"
        )
    });
    json!({
        "switch": state.label(SWITCH, switch),
        "served_by": now.server.as_str(),
        "cidr": now.options.map(|_| now.cidr),
        "options": options,
        "ports": now.served,
        "others": now.others,
        "missing": now.missing,
        "port": port,
        "next": next,
    })
}
