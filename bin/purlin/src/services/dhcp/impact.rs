//! What a change of the configuration would do to clients that have leases.

use purlin_dhcp_core::view::SubnetUse;
use serde_json::Value;
use std::collections::BTreeSet;

/// Subnets with leases that would no longer be served.
pub(super) fn lost_subnets(from: &Value, to: &Value, usage: &[SubnetUse]) -> Vec<String> {
    let (before, after) = (subnet_names(from), subnet_names(to));
    let bound = |name: &str| {
        usage
            .iter()
            .find(|used| used.subnet == name)
            .map_or(0, |used| used.bound)
    };
    let gone = before.difference(&after).map(|name| (name, bound(name)));
    gone.filter(|(_, bound)| *bound > 0)
        .map(|(name, bound)| format!("{bound} leases of subnet {name:?} are no longer served"))
        .collect()
}

fn subnet_names(config: &Value) -> BTreeSet<String> {
    let list = |parent: &Value, key: &str| {
        parent
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let dhcp = config.get("dhcp").unwrap_or(&Value::Null);
    let mut subnets = list(dhcp, "subnets");
    subnets.extend(
        list(dhcp, "networks")
            .iter()
            .flat_map(|network| list(network, "subnets")),
    );
    subnets
        .iter()
        .filter_map(|subnet| Some(subnet.get("name")?.as_str()?.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_lost_subnet_is_told_with_its_leases() {
        let used = SubnetUse {
            network: "a".into(),
            subnet: "a".into(),
            size: 10,
            bound: 7,
            offered: 0,
            declined: 0,
            reusable: 0,
            reserved: 0,
            pools: Vec::new(),
        };
        let from = json!({"dhcp": {"networks": [{"name": "n", "subnets": [{"name": "a"}]}]}});
        let told = lost_subnets(&from, &json!({}), std::slice::from_ref(&used));
        assert_eq!(told, ["7 leases of subnet \"a\" are no longer served"]);
        assert!(lost_subnets(&from, &from, &[used]).is_empty());
    }
}
