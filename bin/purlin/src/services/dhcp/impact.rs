//! What a change of the configuration would do to clients that have leases.

use purlin_dhcp_core::Outside;

/// The leases that the change leaves without a place, with what becomes of them. One node of several counts its own.
pub(super) fn told(outside: Outside, shares: bool) -> Vec<String> {
    let of_node = if shares { " of this node" } else { "" };
    let counted = |count: u64| match count {
        1 => format!("1 lease{of_node} lies"),
        count => format!("{count} leases{of_node} lie"),
    };
    let mut told = Vec::new();
    if outside.subnets > 0 {
        let counted = counted(outside.subnets);
        told.push(format!(
            "{counted} outside every subnet then: not extended any more, they go on until they end"
        ));
    }
    if outside.pools > 0 {
        let counted = counted(outside.pools);
        told.push(format!(
            "{counted} in no pool and no reservation then: clients use them until they renew, are refused (PUR-1206) and \
             ask for another address"
        ));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_without_a_place_are_told_with_what_becomes_of_them() {
        let outside = Outside {
            subnets: 1,
            pools: 38_145,
        };
        let told = told(outside, false);
        assert!(
            told[0].starts_with("1 lease lies outside every subnet then"),
            "{told:?}"
        );
        assert!(
            told[1].starts_with("38145 leases lie in no pool and no reservation then"),
            "{told:?}"
        );
        assert!(super::told(outside, true)[1].starts_with("38145 leases of this node lie"));
        assert!(super::told(Outside::default(), false).is_empty());
    }
}
