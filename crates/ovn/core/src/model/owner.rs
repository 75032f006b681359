//! Whose row it is. Several managers work on one northbound database; each must leave alone what is not its own.

use purlin_ovsdb::Datum;
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
    let get = |key: &str| external_ids.get(key).map(String::as_str);
    read(get, external_ids.keys().map(String::as_str))
}

fn read<'a>(get: impl Fn(&str) -> Option<&'a str>, mut keys: impl Iterator<Item = &'a str>) -> Owner {
    if let Some(name) = get(OWNER_KEY) {
        return Owner::Purlin(name.to_owned());
    }
    if get("vendor") == Some("kube-ovn") {
        return Owner::Other("kube-ovn");
    }
    let mark = |key: &str| MARKS.iter().find(|(start, _)| key.starts_with(start));
    match keys.find_map(mark) {
        Some((_, name)) => Owner::Other(name),
        None => Owner::Nobody,
    }
}

impl Owner {
    /// The same, straight from a row's value.
    pub fn of(external_ids: &Datum) -> Self {
        let keys = external_ids.pairs().iter().filter_map(|(key, _)| key.as_str());
        read(|key| external_ids.get_str(key), keys)
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
