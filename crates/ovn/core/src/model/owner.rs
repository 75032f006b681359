//! Whose row it is. Several managers work on one northbound database; each must leave alone what is not its own.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Key in `external_ids` under which Purlin writes whose row it is.
pub const OWNER_KEY: &str = "purlin-owner";

/// Key in `external_ids` for the name of rows whose table has none: DHCP options, DNS.
pub const NAME_KEY: &str = "purlin-name";

/// Who a row belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "name")]
pub enum Owner {
    /// Made through Purlin, for this owner.
    Purlin(String),
    /// Made by another manager, by the mark that it leaves.
    Other(&'static str),
    /// No mark: made by hand, or by a manager that leaves none.
    Nobody,
}

/// Starts of keys, and who writes them.
const MARKS: &[(&str, &str)] = &[
    ("neutron:", "neutron"),
    ("k8s.ovn.org/", "ovn-kubernetes"),
    ("ovn-kubernetes", "ovn-kubernetes"),
    ("incus", "incus"),
    ("lxd", "lxd"),
    ("oVirt", "ovirt"),
    ("ovirt", "ovirt"),
    ("kube-ovn", "kube-ovn"),
];

/// Reads the marks in `external_ids`.
pub fn owner(external_ids: &BTreeMap<String, String>) -> Owner {
    if let Some(name) = external_ids.get(OWNER_KEY) {
        return Owner::Purlin(name.clone());
    }
    if external_ids
        .get("vendor")
        .is_some_and(|vendor| vendor == "kube-ovn")
    {
        return Owner::Other("kube-ovn");
    }
    let mark = |key: &String| MARKS.iter().find(|(start, _)| key.starts_with(start));
    match external_ids.keys().find_map(mark) {
        Some((_, name)) => Owner::Other(name),
        None => Owner::Nobody,
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purlin(name) => f.write_str(name),
            Self::Other(name) => f.write_str(name),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}
