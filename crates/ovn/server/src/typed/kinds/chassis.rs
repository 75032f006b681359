//! Which hypervisor does what.

use super::{EXTERNAL_IDS, OPTIONS, kind};
use crate::typed::{Fault, Field, Kind, Of, Subject};
use purlin_ovn_core::model::Change;
use purlin_ovsdb::Uuid;
use serde_json::{Map, Value, json};

pub(super) static GATEWAY_CHASSIS: Kind = kind!(
    "gateway-chassis",
    "gateway chassis",
    "Gateway_Chassis",
    "OvnGatewayChassis",
    "A hypervisor that may have a port of a router.",
    r#"{"router_port": "edge-uplink", "chassis": "hv-1", "priority": 20}"#,
    Some(name_gateway),
    &[
        Field::parent(
            "router_port",
            "Logical_Router_Port",
            "gateway_chassis",
            "The router port."
        )
        .needed(),
        Field::same("name", "Name, made of port and hypervisor when absent.").filter("name"),
        Field::column("chassis", "chassis_name", "The hypervisor.")
            .needed()
            .filter("chassis"),
        Field::same("priority", "The highest one that is alive has the port.").needed(),
        OPTIONS,
        EXTERNAL_IDS,
    ],
);

/// `PORT-CHASSIS`, as `ovn-nbctl` names them.
fn name_gateway(subject: &Subject<'_, '_>, body: &mut Map<String, Value>) -> Result<Vec<Change>, Fault> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    if !subject.new || text("name").is_some() {
        return Ok(Vec::new());
    }
    if let (Some(port), Some(chassis)) = (text("router_port"), text("chassis")) {
        let named =
            Uuid::parse(&port).and_then(|uuid| subject.state.text("Logical_Router_Port", uuid, "name"));
        let port = named.unwrap_or(&port);
        body.insert("name".to_owned(), json!(format!("{port}-{chassis}")));
    }
    Ok(Vec::new())
}

const MEMBERS: [Field; 3] = [
    Field::column("chassis", "chassis_name", "the hypervisor").needed(),
    Field::same("priority", "the highest one that is alive has what the group has").needed(),
    EXTERNAL_IDS,
];

pub(super) static HA_GROUPS: Kind = kind!(
    "ha-groups",
    "HA group",
    "HA_Chassis_Group",
    "OvnHaGroup",
    "Hypervisors that stand in for each other.",
    r#"{"name": "gateways", "chassis": [{"chassis": "hv-1", "priority": 20}, {"chassis": "hv-2", "priority": 10}]}"#,
    None,
    &[
        Field::same("name", "Name, nobody else's among such groups.")
            .needed()
            .filter("name"),
        Field::new(
            "chassis",
            Of::Children {
                table: "HA_Chassis",
                column: "ha_chassis",
                fields: &MEMBERS,
                key: &["chassis"]
            },
            "Those in it, by priority.",
        ),
        Field::referrers(
            "router_ports",
            "Logical_Router_Port",
            "ha_chassis_group",
            "Router ports that have it."
        )
        .filter("router_port"),
        Field::referrers(
            "ports",
            "Logical_Switch_Port",
            "ha_chassis_group",
            "External ports that have it."
        )
        .filter("port"),
        EXTERNAL_IDS,
    ],
);

pub(super) static TEMPLATE_VARS: Kind = kind!(
    "template-vars",
    "set of template variables",
    "Chassis_Template_Var",
    "OvnTemplateVars",
    "Values that load balancers and their addresses have on one hypervisor only.",
    r#"{"chassis": "hv-1", "variables": {"vip": "192.0.2.10"}}"#,
    None,
    &[
        Field::same("chassis", "The hypervisor, nobody else's.")
            .needed()
            .filter("chassis"),
        Field::map("variables", "Values by name."),
        EXTERNAL_IDS,
    ],
);
