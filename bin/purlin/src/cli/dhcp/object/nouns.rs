//! What tells the four nouns apart: where they live in the API, and their columns.

use crate::client::encode;
use crate::output::{Column, Kind, Show};

/// One noun: where it lives in the API and how it is shown.
#[derive(Debug)]
pub(in crate::cli::dhcp) struct Noun {
    pub(super) singular: &'static str,
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    /// Keys whose values are lists, so that `a,b` on the command line becomes one.
    pub(super) lists: &'static [&'static str],
}

pub(in crate::cli::dhcp) const SUBNETS: Noun = Noun {
    singular: "subnet",
    path: "/api/v1/dhcp/subnets",
    kind: Kind {
        plural: "subnets",
        name: "name",
        columns: &[
            Column::new("NAME", "name", Show::Text),
            Column::new("NETWORK", "network", Show::Text),
            Column::new("SIZE", "utilization.size", Show::Number),
            Column::new("BOUND", "utilization.bound", Show::Number),
            Column::new("USED", "utilization.ratio", Show::Percent),
            Column::new("POOLS", "pools", Show::Text),
            Column::wide("OFFERED", "utilization.offered", Show::Number),
            Column::wide("DECLINED", "utilization.declined", Show::Number),
            Column::wide("REUSABLE", "utilization.reusable", Show::Number),
            Column::wide("RESERVED", "utilization.reserved", Show::Number),
            Column::wide("LEASE TIME", "lease_time", Show::Text),
        ],
    },
    lists: &[
        "pools",
        "dns_servers",
        "ntp_servers",
        "relays",
        "interfaces",
        "classes",
        "gateway_list",
    ],
};

pub(in crate::cli::dhcp) const POOLS: Noun = Noun {
    singular: "pool",
    path: "/api/v1/dhcp/pools",
    kind: Kind {
        plural: "pools",
        name: "id",
        columns: &[
            Column::new("ID", "id", Show::Text),
            Column::new("RANGE", "range", Show::Text),
            Column::new("SUBNET", "subnet", Show::Text),
            Column::new("SIZE", "size", Show::Number),
            Column::new("BOUND", "utilization.bound", Show::Number),
            Column::new("USED", "utilization.ratio", Show::Percent),
            Column::wide("OFFERED", "utilization.offered", Show::Number),
            Column::wide("DECLINED", "utilization.declined", Show::Number),
            Column::wide("REUSABLE", "utilization.reusable", Show::Number),
            Column::wide("CLASSES", "classes", Show::Text),
        ],
    },
    lists: &["classes"],
};

pub(in crate::cli::dhcp) const RESERVATIONS: Noun = Noun {
    singular: "reservation",
    path: "/api/v1/dhcp/reservations",
    kind: Kind {
        plural: "reservations",
        name: "id",
        columns: &[
            Column::new("ID", "id", Show::Text),
            Column::new("MAC", "mac", Show::Text),
            Column::new("ADDRESS", "address", Show::Text),
            Column::new("HOSTNAME", "hostname", Show::Text),
            Column::new("SUBNET", "subnet", Show::Text),
            Column::wide("CLIENT ID", "client_id", Show::Text),
            Column::wide("CIRCUIT ID", "circuit_id", Show::Text),
            Column::wide("REMOTE ID", "remote_id", Show::Text),
            Column::wide("UUID", "uuid", Show::Text),
            Column::wide("FLEX ID", "flex_id", Show::Text),
            Column::wide("CLASSES", "classes", Show::Text),
        ],
    },
    lists: &["classes"],
};

pub(in crate::cli::dhcp) const CLASSES: Noun = Noun {
    singular: "class",
    path: "/api/v1/dhcp/classes",
    kind: Kind {
        plural: "classes",
        name: "name",
        columns: &[
            Column::new("NAME", "name", Show::Text),
            Column::new("TEST", "test", Show::Text),
            Column::wide("DROP", "drop", Show::Text),
        ],
    },
    lists: &[],
};

impl Noun {
    pub(super) fn one(&self, name: &str) -> String {
        format!("{}/{}", self.path, encode(name))
    }
}
