//! All commands, by what they are about.

mod acl;
mod balancer;
mod binding;
mod connection;
mod copp;
mod dhcp;
mod forwarding;
mod general;
mod group;
mod meter;
mod mirror;
mod nat;
mod policy;
mod port;
mod port_settings;
mod qos;
mod route;
mod route_list;
mod router;
mod router_port;
mod switch;
mod vip;
mod words;

use crate::syntax::Syntax;
use std::sync::OnceLock;

/// The groups in the order of the help text.
fn groups() -> [&'static [Syntax]; 21] {
    [
        general::COMMANDS,
        switch::COMMANDS,
        acl::COMMANDS,
        qos::COMMANDS,
        mirror::COMMANDS,
        meter::COMMANDS,
        port::COMMANDS,
        port_settings::COMMANDS,
        forwarding::COMMANDS,
        router::COMMANDS,
        router_port::COMMANDS,
        route::COMMANDS,
        policy::COMMANDS,
        nat::COMMANDS,
        balancer::COMMANDS,
        dhcp::COMMANDS,
        copp::COMMANDS,
        connection::COMMANDS,
        group::COMMANDS,
        binding::COMMANDS,
        crate::generic::COMMANDS,
    ]
}

/// All commands.
pub fn all() -> impl Iterator<Item = &'static Syntax> {
    groups().into_iter().flatten()
}

/// A command by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Syntax> {
    static SORTED: OnceLock<Vec<&'static Syntax>> = OnceLock::new();
    let sorted = SORTED.get_or_init(|| {
        let mut sorted: Vec<_> = all().collect();
        sorted.sort_by_key(|syntax| syntax.name);
        sorted
    });
    let at = sorted.binary_search_by_key(&name, |syntax| syntax.name).ok()?;
    Some(sorted[at])
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_commands_have_one_name() {
        let mut names: Vec<_> = super::all().map(|syntax| syntax.name).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(names.len(), 116);
    }
}
