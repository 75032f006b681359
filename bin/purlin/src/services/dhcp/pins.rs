//! What of the addresses that others have told for machines does not hold.

use purlin_dhcp_core::Plan;
use purlin_telemetry::health::{Bears, Check};

/// Whether machines get the addresses that others have told for them; nothing when there are none.
pub(super) fn check(plan: &Plan) -> Option<Check> {
    const NAME: &str = "dhcp.pins";
    let (all, conflicts) = (plan.pins().len(), plan.pin_conflicts());
    let check = match conflicts {
        [] if all == 0 => return None,
        [] => Check::pass(
            NAME,
            Bears::Advice,
            format!("{all} addresses are kept for their machines"),
        ),
        [first, ..] => Check::warn(
            NAME,
            Bears::Advice,
            format!(
                "{} of {all} addresses are not kept as they are meant: {first}",
                conflicts.len()
            ),
            format!("{}; all of them: purlin dhcp pin list", first.fix()),
        ),
    };
    Some(check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_config::{Document, Faults, Input};
    use purlin_dhcp_core::pin::Pin;
    use purlin_dhcp_core::reader;

    #[test]
    fn an_address_that_is_not_kept_as_it_is_meant_is_told() {
        let mut faults = Faults::new();
        let demo = [Input::builtin("demo.toml", reader::demo())];
        let settings = reader::read(&Document::parse(demo, &mut faults), &mut faults);
        let plan = Plan::compile(&settings.expect("the demo has no faults"), None);
        assert!(check(&plan).is_none(), "nothing is pinned");
        let pin = |address: &str| Pin {
            mac: "02:00:00:00:00:77".parse().expect("a MAC"),
            address: address.parse().expect("an address"),
            within: "10.67.0.1".parse().expect("an address"),
            by: "port web-1 of switch web".to_owned(),
        };
        let found = check(&plan.pinned([pin("10.67.1.7")].into())).expect("a check");
        assert_eq!(found.state.as_str(), "pass");
        let found = check(&plan.pinned([pin("192.0.2.7")].into())).expect("a check");
        assert_eq!(found.state.as_str(), "warn");
        assert!(
            found.says.contains("192.0.2.7 for 02:00:00:00:00:77"),
            "{}",
            found.says
        );
    }
}
