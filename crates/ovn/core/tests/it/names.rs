//! Ports, sets and groups that the tests know.

use purlin_ovn_core::expr::{Formula, Kind, Names, Number, lower, parse};
use std::sync::Arc;

pub(crate) struct Known;

impl Names for Known {
    fn address_set(&self, name: &str) -> Option<Vec<Number>> {
        let members: &[&str] = match name {
            "set1" => &["10.0.0.1", "10.0.0.2", "10.0.0.3"],
            "set2" => &["::1", "::2", "::3"],
            "set3" => &["00:00:00:00:00:01", "00:00:00:00:00:02"],
            "empty" => &[],
            _ => return None,
        };
        Some(
            members
                .iter()
                .map(|member| Number::parse(member).unwrap())
                .collect(),
        )
    }

    fn port_group(&self, name: &str) -> Option<Vec<Arc<str>>> {
        match name {
            "web" => Some(vec!["vm1".into(), "vm2".into()]),
            "none" => Some(Vec::new()),
            _ => None,
        }
    }

    fn has_port(&self, name: &str) -> bool {
        ["vm1", "vm2", "vm3", "lrp0"].contains(&name)
    }

    fn all(&self, kind: Kind) -> Vec<String> {
        let names: &[&str] = match kind {
            Kind::Port => &["vm1", "vm2", "vm3", "lrp0"],
            Kind::AddressSet => &["set1", "set2", "set3", "empty"],
            Kind::PortGroup => &["web", "none"],
        };
        names.iter().map(|&name| name.to_owned()).collect()
    }
}

pub(crate) fn formula(text: &str) -> Formula {
    let parsed = parse(text).unwrap_or_else(|fault| panic!("{fault}"));
    lower(&parsed, &Known).unwrap_or_else(|fault| panic!("{fault}"))
}
