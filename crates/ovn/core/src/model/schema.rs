//! What the schema says, and what it does not say.

use crate::tenant::{SHARED_KEY, TENANT_KEY};
use purlin_ovsdb::cache::{Index, Layout, TableLayout};
use purlin_ovsdb::{ColumnType, DatabaseSchema, schemas};
use std::sync::OnceLock;

/// The northbound schema that OVN ships ([`schemas::NB`]), read.
pub fn nb_schema() -> &'static DatabaseSchema {
    static SCHEMA: OnceLock<DatabaseSchema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let json = serde_json::from_str(schemas::NB).expect("the schema is JSON");
        DatabaseSchema::parse(&json).expect("the schema is OVN's own")
    })
}

/// A column that points to rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference<'s> {
    /// Table and column that point.
    pub table: &'s str,
    pub column: &'s str,
    /// Where they point.
    pub to: &'s str,
    pub strong: bool,
}

/// All columns that point to rows.
pub fn references(schema: &DatabaseSchema) -> impl Iterator<Item = Reference<'_>> {
    let columns = schema.tables.iter().flat_map(|(table, t)| {
        t.columns
            .iter()
            .map(move |(column, c)| (table.as_str(), column.as_str(), &c.kind))
    });
    columns.filter_map(|(table, column, kind)| {
        let (to, strong) = target(kind)?;
        Some(Reference {
            table,
            column,
            to,
            strong,
        })
    })
}

/// Where a column's UUIDs point, and whether they keep alive what they point to.
pub fn target(kind: &ColumnType) -> Option<(&str, bool)> {
    let bases = [Some(&kind.key), kind.value.as_ref()];
    let reference = bases
        .into_iter()
        .flatten()
        .find_map(|base| base.reference.as_ref())?;
    Some((&reference.table, reference.strong))
}

/// What a cache must keep so that this crate answers without looking at every row: names, references, owners, and the
/// router ports and physical networks that switch ports name.
pub fn layout(schema: &DatabaseSchema) -> Layout {
    Layout::new(schema.tables.iter().map(|(name, table)| {
        let columns = table
            .columns
            .iter()
            .map(|(name, column)| (name.clone(), column.kind.clone()));
        let mut indexes: Vec<Index> = table
            .columns
            .iter()
            .filter(|(_, column)| target(&column.kind).is_some())
            .map(|(column, _)| Index::column(column))
            .collect();
        indexes.extend(["name", "logical_port"].map(Index::column));
        indexes.push(Index::key("external_ids", super::OWNER_KEY));
        indexes.push(Index::key("external_ids", super::NAME_KEY));
        indexes.extend([TENANT_KEY, SHARED_KEY].map(|key| Index::key("external_ids", key)));
        indexes.extend(["router-port", "network_name"].map(|key| Index::key("options", key)));
        TableLayout::new(name, columns, indexes)
    }))
}

/// Columns that OVN itself writes: they belong to no change, no ETag and no undo.
pub fn is_volatile(table: &str, column: &str) -> bool {
    matches!(
        (table, column),
        ("Logical_Switch_Port", "up" | "dynamic_addresses")
            | ("Logical_Router_Port", "ipv6_prefix")
            | ("BFD", "status")
            | (
                "NB_Global",
                "nb_cfg" | "nb_cfg_timestamp" | "sb_cfg" | "sb_cfg_timestamp" | "hv_cfg" | "hv_cfg_timestamp"
            )
            | ("Connection", "is_connected" | "status")
    )
}

/// The column that people call a row by.
pub fn label_column(table: &str) -> Option<&'static str> {
    Some(match table {
        "DHCP_Options" => "cidr",
        "Logical_Router_Static_Route" => "ip_prefix",
        "NAT" => "external_ip",
        "Logical_Router_Policy" | "QoS" => "match",
        "BFD" => "dst_ip",
        "Static_MAC_Binding" => "ip",
        "Load_Balancer_Health_Check" => "vip",
        "HA_Chassis" => "chassis_name",
        "Chassis_Template_Var" => "chassis",
        "Connection" => "target",
        "DNS" | "SSL" | "Meter_Band" => return None,
        _ => "name",
    })
}

/// Kinds of packets that reach the controller and can be metered. Newer releases have more.
///
/// Source: ovn-nb(5), table `Copp`, column `meters`, in the order of `ovn-nbctl`.
pub const METERED: [&str; 17] = [
    "arp",
    "arp-resolve",
    "dhcpv4-opts",
    "dhcpv6-opts",
    "dns",
    "event-elb",
    "icmp4-error",
    "icmp6-error",
    "igmp",
    "nd-na",
    "nd-ns",
    "nd-ns-resolve",
    "nd-ra-opts",
    "tcp-reset",
    "bfd",
    "reject",
    "svc-monitor",
];
