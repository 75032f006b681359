//! All ports a node wants, looked at before anything is opened, so that one message names every clash.

use crate::exit::Failure;
use crate::ports::{Port, Transport, holder};
use crate::settings::Settings;
use std::io::ErrorKind;
use std::net::SocketAddr;

/// The ports of these settings; port 0 is always free and left out.
pub(crate) fn wanted(settings: &Settings) -> Vec<Port> {
    let tcp = |key: &'static str, addresses: &[SocketAddr]| {
        addresses
            .iter()
            .map(move |&address| Port {
                transport: Transport::Tcp,
                address,
                key,
            })
            .collect::<Vec<_>>()
    };
    let mut ports = settings.services.ports();
    if settings.api.enabled {
        ports.extend(tcp("api.http", &settings.api.http));
        ports.extend(tcp("api.https", &settings.api.https));
        ports.extend(tcp("api.metrics", &settings.api.metrics));
    }
    ports.extend(settings.balancer.fronts.iter().map(|front| Port {
        transport: if front.service.is_tcp() {
            Transport::Tcp
        } else {
            Transport::Udp
        },
        address: front.listen,
        key: "balancer.fronts.listen",
    }));
    ports.retain(|port| port.address.port() != 0);
    ports
}

/// Ports that have been looked at: the second look, with what the cluster's configuration adds, leaves them out.
#[derive(Debug, Default)]
pub(super) struct Wanted(Vec<Port>);

impl Wanted {
    /// Refuses to start when a port that was not looked at before cannot be had.
    pub(super) fn check(&mut self, settings: &Settings) -> Result<(), Failure> {
        let mut ports = wanted(settings);
        ports.retain(|port| !self.0.contains(port));
        check(&ports)?;
        self.0.extend(ports);
        Ok(())
    }
}

/// Refuses to start when a port cannot be had.
fn check(ports: &[Port]) -> Result<(), Failure> {
    let faults: Vec<(String, String)> = ports.iter().filter_map(fault).collect();
    let Some(((what, fix), rest)) = faults.split_first() else {
        return Ok(());
    };
    let details = rest
        .iter()
        .map(|(what, fix)| format!("error: {what}; fix: {fix}"))
        .collect();
    Err(Failure::failed(what, fix).with_details(details))
}

fn fault(port: &Port) -> Option<(String, String)> {
    let cause = port.try_bind().err()?;
    let what = if cause.kind() == ErrorKind::AddrInUse {
        let who = holder(port).unwrap_or_else(|| "another process, of another user".to_owned());
        format!("{port} is in use by {who}")
    } else {
        format!("{port} cannot be bound: {cause}")
    };
    Some((what, port.fix_for(&cause)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn every_clash_is_named_with_its_holder() {
        let (one, two) = (
            TcpListener::bind("127.0.0.1:0").unwrap(),
            TcpListener::bind("127.0.0.1:0").unwrap(),
        );
        let port = |listener: &TcpListener, key| Port {
            transport: Transport::Tcp,
            address: listener.local_addr().unwrap(),
            key,
        };
        let failure = check(&[port(&one, "api.http"), port(&two, "api.metrics")]).unwrap_err();
        assert!(
            failure.what.contains("api.http") && failure.what.contains("(pid "),
            "{}",
            failure.what
        );
        assert!(failure.details[0].contains("api.metrics"));
        assert_eq!(check(&[]), Ok(()));
    }
}
