//! Columns that name rows of another table by text: the database keeps no reference there, and notices nothing.

/// One of them.
#[derive(Debug)]
pub(crate) struct Naming {
    /// Table and column in which the name stands: as one text, as an element of a set, or as a value of a map.
    pub(crate) table: &'static str,
    pub(crate) column: &'static str,
    /// The key of the map, where it stands under one; several may then stand with commas between them.
    pub(crate) key: Option<&'static str>,
    /// The table whose rows are named.
    pub(crate) to: &'static str,
}

const fn text(table: &'static str, column: &'static str, to: &'static str) -> Naming {
    Naming {
        table,
        column,
        key: None,
        to,
    }
}

const fn option(table: &'static str, key: &'static str, to: &'static str) -> Naming {
    Naming {
        table,
        column: "options",
        key: Some(key),
        to,
    }
}

/// All of them but matches and the mappings of load balancers, which have a language of their own.
///
/// Source: ovn-nb(5).
pub(crate) const NAMING: &[Naming] = &[
    text("ACL", "meter", "Meter"),
    text("BFD", "logical_port", "Logical_Router_Port"),
    text("Copp", "meters", "Meter"),
    text("Forwarding_Group", "child_port", "Logical_Switch_Port"),
    option(
        "Logical_Router_Port",
        "routing-protocol-redirect",
        "Logical_Switch_Port",
    ),
    text("Logical_Router_Port", "peer", "Logical_Router_Port"),
    text(
        "Logical_Router_Static_Route",
        "output_port",
        "Logical_Router_Port",
    ),
    option("Logical_Switch_Port", "router-port", "Logical_Router_Port"),
    option("Logical_Switch_Port", "virtual-parents", "Logical_Switch_Port"),
    text("Logical_Switch_Port", "parent_name", "Logical_Switch_Port"),
    text("NAT", "logical_port", "Logical_Switch_Port"),
    text("Static_MAC_Binding", "logical_port", "Logical_Router_Port"),
];
