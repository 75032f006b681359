//! Ports: whether they can be bound, and who has them when not.

use super::Finding;
use crate::ports::{Port, holder};

const CHECK: &str = "ports";

pub(super) fn check(ports: &[Port]) -> Vec<Finding> {
    ports.iter().map(one).collect()
}

fn one(port: &Port) -> Finding {
    match port.try_bind() {
        Ok(()) => Finding::pass(CHECK, format!("{port} is free")),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => {
            let who = holder(port).map_or_else(String::new, |holder| format!(" by {holder}"));
            Finding::fail(
                CHECK,
                format!("{port} is in use{who}"),
                "stop that process or choose another port",
            )
        }
        Err(cause) => Finding::fail(
            CHECK,
            format!("{port} cannot be bound: {cause}"),
            port.fix_for(&cause),
        ),
    }
}
