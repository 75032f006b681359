//! What a tenant may do.

use std::collections::BTreeMap;

/// The bounds of one tenant, as its settings and quotas draw them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confine {
    /// The mark of its rows.
    pub tenant: String,
    /// How it is called in messages.
    pub name: String,
    /// How the names of its switches, routers, ports, groups and sets begin.
    pub prefix: String,
    /// Whether it may use rows that are marked as shared.
    pub external: bool,
    /// Its own quotas, and those of the tenants above it.
    pub bounds: Vec<Bound>,
    /// The top of its tree.
    pub root: String,
}

/// Quotas over a tenant and all tenants below it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bound {
    /// Whose quotas they are, for messages.
    pub of: String,
    /// Marks of the tenants that count together.
    pub tenants: Vec<String>,
    /// Most rows by quota; one that is missing or negative bounds nothing.
    pub quotas: BTreeMap<String, i64>,
}

/// Quotas, and the tables whose rows they count together.
pub const QUOTAS: &[(&str, &[&str])] = &[
    ("max_switches", &["Logical_Switch"]),
    ("max_routers", &["Logical_Router"]),
    ("max_ports", &["Logical_Switch_Port", "Logical_Router_Port"]),
    ("max_acls", &["ACL"]),
    ("max_load_balancers", &["Load_Balancer"]),
    ("max_address_sets", &["Address_Set"]),
    ("max_port_groups", &["Port_Group"]),
];

/// The tables that a quota counts.
pub fn tables_of(quota: &str) -> &'static [&'static str] {
    QUOTAS
        .iter()
        .find(|(name, _)| *name == quota)
        .map_or(&[], |(_, tables)| tables)
}

/// Tables whose rows a tenant may bring and change. All others concern the whole installation, or have no room for a
/// mark.
const TABLES: &[&str] = &[
    "ACL",
    "Address_Set",
    "DHCP_Options",
    "DNS",
    "Load_Balancer",
    "Load_Balancer_Health_Check",
    "Logical_Router",
    "Logical_Router_Policy",
    "Logical_Router_Port",
    "Logical_Router_Static_Route",
    "Logical_Switch",
    "Logical_Switch_Port",
    "NAT",
    "Port_Group",
    "QoS",
];

/// Tables whose names begin with a tenant's prefix: everybody sees these names, in matches or as what is to be unique.
pub const NAMED: &[&str] = &[
    "Address_Set",
    "Load_Balancer",
    "Logical_Router",
    "Logical_Router_Port",
    "Logical_Switch",
    "Logical_Switch_Port",
    "Port_Group",
];

/// Kinds of switch ports that stay within the tenant's networks. The others reach physical networks, other datacentres
/// or the hypervisors themselves.
const PORT_TYPES: &[&str] = &["", "router", "virtual", "localport"];

/// Keys that say where in the installation something runs, or which numbers it has there.
const PHYSICAL_KEYS: &[&str] = &[
    "chassis",
    "iface-id-ver",
    "network_name",
    "requested-chassis",
    "requested-tnl-key",
    "vlan-passthru",
];

/// Why a tenant may not write this column of this table with this text or key; `None` when it may.
pub(crate) fn may_have(table: &str, column: &str, text: &str) -> Option<&'static str> {
    match (table, column) {
        ("Logical_Switch_Port", "type") if !PORT_TYPES.contains(&text) => {
            Some("ports of this type reach beyond the networks of a tenant")
        }
        (_, "options" | "other_config") if PHYSICAL_KEYS.contains(&text) => {
            Some("where it runs is decided by those who run the installation")
        }
        _ => None,
    }
}

impl Confine {
    /// Whether rows of a table are a tenant's to bring and change.
    pub fn has_table(table: &str) -> bool {
        TABLES.contains(&table)
    }

    /// A name as the tenant's rows have it: with the prefix, once.
    ///
    /// Groups and sets are named in matches, where there is no `-`.
    pub fn named(&self, table: &str, name: &str) -> String {
        let prefix = match table {
            "Address_Set" | "Port_Group" => self.prefix.replace('-', "_"),
            _ => self.prefix.clone(),
        };
        match name.starts_with(&prefix) {
            true => name.to_owned(),
            false => format!("{prefix}{name}"),
        }
    }
}
