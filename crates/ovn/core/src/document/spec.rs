//! Which rows a document can speak of, and how they are found again.

/// A kind of row.
#[derive(Debug)]
pub(super) struct Spec {
    /// Key in the document, and column in the parent.
    pub key: &'static str,
    pub table: &'static str,
    pub identity: Identity,
    pub children: &'static [&'static Self],
    /// Columns whose rows are named, and the kind that they are of.
    pub references: &'static [(&'static str, Target)],
}

/// By what a row is found again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// The column `name`.
    Name,
    /// The table has no name: it is kept in `external_ids`.
    Kept,
    /// These columns together; what is left out counts as empty.
    Columns(&'static [&'static str]),
}

/// A kind of row that is named from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    pub table: &'static str,
    pub kept: bool,
}

const fn named(table: &'static str) -> Target {
    Target { table, kept: false }
}

const fn kept(table: &'static str) -> Target {
    Target { table, kept: true }
}

const RULE: Identity = Identity::Columns(&["direction", "priority", "match"]);

const fn leaf(key: &'static str, table: &'static str, identity: Identity) -> Spec {
    Spec {
        key,
        table,
        identity,
        children: &[],
        references: &[],
    }
}

static SWITCH_PORT: Spec = Spec {
    references: &[
        ("dhcpv4_options", kept("DHCP_Options")),
        ("dhcpv6_options", kept("DHCP_Options")),
        ("mirror_rules", named("Mirror")),
        ("ha_chassis_group", named("HA_Chassis_Group")),
    ],
    ..leaf("ports", "Logical_Switch_Port", Identity::Name)
};
static ACL: Spec = leaf("acls", "ACL", RULE);
static QOS: Spec = leaf("qos_rules", "QoS", RULE);
static FORWARDING: Spec = leaf(
    "forwarding_groups",
    "Forwarding_Group",
    Identity::Columns(&["name"]),
);
static GATEWAY_CHASSIS: Spec = leaf("gateway_chassis", "Gateway_Chassis", Identity::Columns(&["name"]));
static ROUTER_PORT: Spec = Spec {
    children: &[&GATEWAY_CHASSIS],
    references: &[("ha_chassis_group", named("HA_Chassis_Group"))],
    ..leaf("ports", "Logical_Router_Port", Identity::Name)
};
static ROUTE: Spec = leaf(
    "static_routes",
    "Logical_Router_Static_Route",
    Identity::Columns(&["route_table", "ip_prefix", "nexthop", "output_port", "policy"]),
);
static POLICY: Spec = leaf(
    "policies",
    "Logical_Router_Policy",
    Identity::Columns(&["priority", "match"]),
);
static NAT: Spec = Spec {
    references: &[
        ("gateway_port", named("Logical_Router_Port")),
        ("allowed_ext_ips", named("Address_Set")),
        ("exempted_ext_ips", named("Address_Set")),
    ],
    ..leaf(
        "nat",
        "NAT",
        Identity::Columns(&["type", "external_ip", "logical_ip", "external_port_range"]),
    )
};
static HEALTH_CHECK: Spec = leaf(
    "health_check",
    "Load_Balancer_Health_Check",
    Identity::Columns(&["vip"]),
);

/// The kinds at the top of a document.
pub(super) static TOP: &[Spec] = &[
    Spec {
        children: &[&SWITCH_PORT, &ACL, &QOS, &FORWARDING],
        references: &[
            ("load_balancer", named("Load_Balancer")),
            ("load_balancer_group", named("Load_Balancer_Group")),
            ("dns_records", kept("DNS")),
            ("copp", named("Copp")),
        ],
        ..leaf("switches", "Logical_Switch", Identity::Name)
    },
    Spec {
        children: &[&ROUTER_PORT, &ROUTE, &POLICY, &NAT],
        references: &[
            ("load_balancer", named("Load_Balancer")),
            ("load_balancer_group", named("Load_Balancer_Group")),
            ("copp", named("Copp")),
        ],
        ..leaf("routers", "Logical_Router", Identity::Name)
    },
    Spec {
        children: &[&ACL],
        references: &[("ports", named("Logical_Switch_Port"))],
        ..leaf("port_groups", "Port_Group", Identity::Name)
    },
    leaf("address_sets", "Address_Set", Identity::Name),
    Spec {
        children: &[&HEALTH_CHECK],
        ..leaf("load_balancers", "Load_Balancer", Identity::Name)
    },
    leaf("dhcp_options", "DHCP_Options", Identity::Kept),
    leaf("dns", "DNS", Identity::Kept),
];

impl Spec {
    pub(super) fn child(&self, key: &str) -> Option<&'static Self> {
        self.children.iter().find(|child| child.key == key).copied()
    }

    pub(super) fn reference(&self, column: &str) -> Option<Target> {
        let found = self.references.iter().find(|(name, _)| *name == column);
        found.map(|(_, target)| *target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{nb_schema, target};

    fn check(spec: &Spec, parent: Option<&str>) {
        let schema = nb_schema();
        let table = schema.table(spec.table).unwrap();
        assert_eq!(table.root, parent.is_none(), "{}", spec.table);
        if let Some(parent) = parent {
            let column = schema.table(parent).unwrap().column(spec.key).unwrap();
            assert_eq!(target(&column.kind), Some((spec.table, true)));
        }
        for (column, to) in spec.references {
            let column = table.column(column).unwrap();
            assert_eq!(target(&column.kind).unwrap().0, to.table);
        }
        if let Identity::Columns(columns) = spec.identity {
            assert!(
                columns.iter().all(|column| table.column(column).is_some()),
                "{}",
                spec.table
            );
        }
        spec.children
            .iter()
            .for_each(|child| check(child, Some(spec.table)));
    }

    #[test]
    fn every_kind_is_as_the_schema_has_it() {
        TOP.iter().for_each(|spec| check(spec, None));
    }
}
