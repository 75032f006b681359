//! Interfaces that are to be served: whether they are there and have what a server needs.

use super::Finding;

const CHECK: &str = "interfaces";

pub(super) fn check<'a>(names: impl Iterator<Item = &'a String>) -> Vec<Finding> {
    names.map(|name| one(name)).collect()
}

fn one(name: &str) -> Finding {
    match purlin_netio::interface(name) {
        Err(cause) => Finding::warn(
            CHECK,
            format!("{name} cannot be looked at: {cause}"),
            "ip address show",
        ),
        Ok(None) => Finding::fail(
            CHECK,
            format!("there is no interface {name}"),
            "ip link; correct dhcp.interfaces",
        ),
        Ok(Some(found)) if found.addresses.is_empty() => Finding::fail(
            CHECK,
            format!("{name} has no IPv4 address to answer from"),
            format!("ip address add ADDRESS/LENGTH dev {name}"),
        ),
        Ok(Some(_)) => Finding::pass(CHECK, format!("{name} is there and has an address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Grade;

    #[test]
    fn an_interface_that_is_not_there_fails() {
        assert_eq!(one("no-such-0").grade, Grade::Fail);
        assert_eq!(one("lo").grade, Grade::Pass);
    }
}
