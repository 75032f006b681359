//! Where a database of OVN is: `tcp:HOST:PORT`, `ssl:HOST:PORT`, `unix:PATH` (ovsdb(7), "Connection Methods").

use purlin_config::TextFault;

pub(super) fn check(text: &str) -> Result<(), TextFault> {
    let wrong = |why: &str| Err(TextFault::from(format!("\"{text}\" {why}")));
    match text.split_once(':') {
        Some(("unix", path)) if !path.is_empty() => Ok(()),
        Some(("tcp" | "ssl", place)) => match place.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0) => {
                Ok(())
            }
            _ => wrong("has no host and port"),
        },
        _ => wrong("is no connection method"),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_three_methods_are_known() {
        for good in [
            "tcp:ovn-nb-1:6641",
            "ssl:[2001:db8::1]:6641",
            "unix:/run/ovn/ovnnb_db.sock",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "ovn-nb-1:6641",
            "tcp:ovn-nb-1",
            "tcp::6641",
            "ssl:host:70000",
            "unix:",
            "udp:a:1",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
