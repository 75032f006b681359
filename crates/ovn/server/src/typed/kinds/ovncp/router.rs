//! Routers, with their routes and translations inside.

use super::{CREATED, DESCRIPTION, EXTERNAL_IDS, UPDATED, alias, count};
use crate::typed::{Fault, Field, Of, Subject, read};
use purlin_api::schema::{self, Schema};
use purlin_ovn_core::model::{Change, State};
use purlin_ovsdb::{Datum, Uuid};
use serde_json::{Map, Value, json};

const TABLE: &str = "Logical_Router";
const DEFAULT: &str = "0.0.0.0/0";

const ROUTE: [Field; 7] = [
    Field::same("ip_prefix", "where it leads").needed(),
    Field::same("nexthop", "the next router").needed(),
    Field::column("destination", "ip_prefix", "The same as ip_prefix.").told(),
    Field::column("next_hop", "nexthop", "The same as nexthop.").told(),
    Field::same("output_port", "Name of the router port to send through."),
    Field::same("policy", "Whether the prefix is about destinations or sources."),
    Field::same("route_table", "Table of routes that it is in."),
];

const RULE: [Field; 8] = [
    Field::same("type", "snat, dnat, or both at once").needed(),
    Field::same("external_ip", "the address outside").needed(),
    Field::same("logical_ip", "the address or network inside").needed(),
    Field::column("internal_ip", "logical_ip", "The same as logical_ip.").told(),
    Field::same("external_mac", "MAC for the address outside."),
    Field::same("logical_port", "The port inside."),
    Field::same("external_port_range", "Ports outside that may be used."),
    EXTERNAL_IDS,
];

const ROUTES: Field = Field::new(
    "static_routes",
    Of::Children {
        table: "Logical_Router_Static_Route",
        column: "static_routes",
        fields: &ROUTE,
        key: &["ip_prefix", "nexthop"],
    },
    "Its routes; the list is the whole list.",
);
const RULES: Field = Field::new(
    "nat",
    Of::Children {
        table: "NAT",
        column: "nat",
        fields: &RULE,
        key: &["type", "external_ip", "logical_ip"],
    },
    "What it translates; the list is the whole list.",
);

pub(super) const FIELDS: &[Field] = &[
    Field::same("name", "Name, nobody else's among routers.").needed(),
    DESCRIPTION,
    Field::prepared(
        "external_gateway",
        gateway,
        text,
        "Next router of the default route.",
    ),
    Field::same("enabled", "Whether it routes; null as true."),
    ROUTES,
    RULES,
    Field::prepared("nat_rules", rules, objects, "The same as nat."),
    Field::rows("ports", "ports", "UUIDs of its ports.")
        .by_uuid()
        .read(),
    Field::shown("ports_count", ports, count, "How many ports it has.").told(),
    Field::rows("policies", "policies", "UUIDs of its routing policies.")
        .by_uuid()
        .read(),
    Field::rows(
        "load_balancer",
        "load_balancer",
        "UUIDs of its load balancers; names are understood.",
    )
    .by_uuid(),
    Field::map("options", "Options, by key."),
    EXTERNAL_IDS,
    CREATED,
    UPDATED,
];

fn text() -> Schema {
    schema::nullable(schema::string("An address."))
}

fn objects() -> Schema {
    schema::array(schema::open_object(&["type", "external_ip"], &[]))
}

fn ports(state: &State<'_>, uuid: Uuid) -> Value {
    json!(state.value(TABLE, uuid, "ports").map_or(0, Datum::len))
}

fn rules(state: &State<'_>, uuid: Uuid) -> Value {
    read::member(state, TABLE, &RULES, uuid)
}

fn is_default(route: &Value) -> bool {
    let main = route["route_table"].as_str().is_none_or(str::is_empty);
    main && route["ip_prefix"] == DEFAULT && route["policy"] != "src-ip"
}

fn gateway(state: &State<'_>, uuid: Uuid) -> Value {
    let routes = read::member(state, TABLE, &ROUTES, uuid);
    let route = routes
        .as_array()
        .into_iter()
        .flatten()
        .find(|route| is_default(route));
    route.map_or(Value::Null, |route| route["nexthop"].clone())
}

pub(super) fn prepare(
    subject: &Subject<'_, '_>,
    body: &mut Map<String, Value>,
) -> Result<Vec<Change>, Fault> {
    let (state, uuid) = (subject.state, subject.uuid);
    let rules = rules(state, uuid);
    alias::fold(
        body,
        &json!({ "nat": rules, "nat_rules": rules }),
        ("nat", "nat_rules"),
    )?;
    let routes = read::member(state, TABLE, &ROUTES, uuid);
    each(body, "static_routes", &routes, |route, present| {
        alias::fold(route, present, ("ip_prefix", "destination"))?;
        alias::fold(route, present, ("nexthop", "next_hop"))?;
        without(
            route,
            "metric",
            "is nothing that OVN's routes have; several routes of one prefix share the traffic",
        )
    })?;
    each(body, "nat", &rules, |rule, present| {
        alias::fold(rule, present, ("logical_ip", "internal_ip"))?;
        for name in ["external_port", "internal_port", "protocol"] {
            without(
                rule,
                name,
                "is nothing that OVN's NAT has: it translates addresses; for single ports make a load balancer with a virtual address IP:PORT",
            )?;
        }
        Ok(())
    })?;
    if let Some(gateway) = alias::news(body, "external_gateway", &gateway(state, uuid)) {
        let given = body.get("static_routes").unwrap_or(&routes);
        let given = given.as_array().into_iter().flatten();
        let mut routes: Vec<Value> = given.filter(|route| !is_default(route)).cloned().collect();
        match gateway.as_str() {
            Some("") => {}
            None if gateway.is_null() => {}
            Some(nexthop) => routes.push(json!({ "ip_prefix": DEFAULT, "nexthop": nexthop })),
            None => {
                let message = format!("{gateway} stands where an address is expected");
                return Err(Fault::new("external_gateway", &gateway, message));
            }
        }
        body.insert("static_routes".to_owned(), json!(routes));
    }
    Ok(Vec::new())
}

/// Each object of a list, with the one that is there of the same UUID.
fn each(
    body: &mut Map<String, Value>,
    name: &str,
    present: &Value,
    work: impl Fn(&mut Map<String, Value>, &Value) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let items = body.get_mut(name).and_then(Value::as_array_mut);
    for (at, item) in items.into_iter().flatten().enumerate() {
        let Some(object) = item.as_object_mut() else {
            continue;
        };
        let known = present.as_array().into_iter().flatten();
        let known = known
            .into_iter()
            .find(|known| Some(&known["uuid"]) == object.get("uuid"));
        let known = known.unwrap_or(&Value::Null);
        work(object, known).map_err(|fault| fault.within(&format!("{name}[{at}]")))?;
    }
    Ok(())
}

/// A member of ovncp's document that cannot be meant.
fn without(object: &mut Map<String, Value>, name: &str, message: &str) -> Result<(), Fault> {
    match object.remove(name) {
        Some(value) if !value.is_null() => Err(Fault::new(name, &value, message)),
        _ => Ok(()),
    }
}
