//! A client without an address on a real segment: two namespaces and a veth pair. Needs root.

use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use purlin_dhcp_client::{Patience, Probe, ProbeError, ProbeVerdict, ProbeVia, discover_servers, probe};
use purlin_netio::netns::Namespace;
use purlin_netio::{Outgoing, Poller, Ready, RecvBatch, SendBatch, Trigger, UdpOptions, UdpPort};

use crate::responder::{Leases, Manner, answer};

/// A server's namespace with 10.1.0.254/16 on `s0`, and a client's with `c0` and `down0`.
fn segment(name: &str) -> Option<(Namespace, Namespace)> {
    let server = Namespace::new(&format!("{name}-s"))?;
    let client = Namespace::new(&format!("{name}-c"))?;
    server.join("s0", &client, "c0");
    server.ip("addr add 10.1.0.254/16 dev s0");
    client.ip("link add down0 type veth peer name down1");
    Some((server, client))
}

/// Answers broadcasts with broadcasts until told to stop.
fn serve(port: &UdpPort, stop: &AtomicBool) {
    let poller = Poller::new().expect("descriptors");
    poller.add(port, 0, Trigger::Level).expect("added once");
    let (mut batch, mut sends, mut leases) = (RecvBatch::new(), SendBatch::new(), Leases::default());
    while !stop.load(Ordering::Relaxed) {
        poller
            .wait(&mut Ready::default(), Some(Duration::from_millis(10)))
            .expect("waits");
        for at in 0..batch.receive(port).unwrap_or(0) {
            let mut request = [0; 1500];
            let payload = batch.get(at).payload;
            request[..payload.len()].copy_from_slice(payload);
            let Some(reply) = answer(&request, Manner::Honest, &mut leases) else {
                continue;
            };
            let to = "255.255.255.255:68".parse().expect("an address");
            sends.send(
                port,
                [Outgoing {
                    payload: &reply,
                    to,
                    from: Ipv4Addr::UNSPECIFIED,
                }],
            );
        }
    }
}

/// Runs `work` as the client while a server answers on the other side.
fn with_server(name: &str, work: impl FnOnce() + Send) {
    let Some((server, client)) = segment(name) else {
        return;
    };
    let port = server.run(|| {
        let options = UdpOptions {
            device: Some("s0"),
            broadcast: true,
            ..UdpOptions::default()
        };
        UdpPort::bind("0.0.0.0:67".parse().expect("an address"), &options).expect("free")
    });
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| serve(&port, &stop));
        let asked = catch_unwind(AssertUnwindSafe(|| client.run(work)));
        stop.store(true, Ordering::Relaxed);
        if let Err(panic) = asked {
            resume_unwind(panic);
        }
    });
}

#[test]
fn a_probe_without_an_address_gets_a_lease_by_broadcast() {
    with_server("probe", || {
        let report = probe(&Probe::new(ProbeVia::Interface("c0".into()))).expect("root can");
        assert_eq!(report.verdict, ProbeVerdict::Bound, "{report:?}");
        assert_eq!(report.lease.expect("bound").address, Ipv4Addr::new(10, 1, 0, 1));
    });
}

/// Asks so often within so many milliseconds.
fn asked(times: u32, wait: u64) -> Patience {
    Patience {
        times,
        every: Duration::from_millis(50),
        wait: Duration::from_millis(wait),
    }
}

#[test]
fn servers_that_are_slow_are_asked_again_with_the_same_number() {
    let Some((server, client)) = segment("slow") else {
        return;
    };
    let port = server.run(|| {
        let options = UdpOptions {
            device: Some("s0"),
            ..UdpOptions::default()
        };
        UdpPort::bind("0.0.0.0:67".parse().expect("an address"), &options).expect("a socket")
    });
    let servers = client.run(|| discover_servers("c0", asked(3, 200)).expect("root can"));
    assert_eq!(servers, []);
    let mut batch = RecvBatch::new();
    let heard = batch.receive(&port).expect("a socket can be read");
    let numbers: Vec<&[u8]> = (0..heard).map(|i| &batch.get(i).payload[4..8]).collect();
    assert_eq!(numbers.len(), 3);
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
}

#[test]
fn every_server_on_the_segment_is_found_with_its_offer() {
    with_server("discover", || {
        let servers = discover_servers("c0", asked(1, 300)).expect("root can");
        assert_eq!(servers.len(), 1, "{servers:?}");
        assert_eq!(*servers[0].source.ip(), Ipv4Addr::new(10, 1, 0, 254));
        assert_eq!(servers[0].offered, Ipv4Addr::new(10, 1, 0, 1));
        assert!(
            servers[0]
                .options
                .iter()
                .any(|option| option.name == "routers" && option.text == "10.1.0.254")
        );
    });
}

#[test]
fn an_interface_that_is_down_is_named_with_the_cure() {
    with_server("down", || {
        let error = discover_servers("down0", asked(1, 1)).expect_err("down");
        assert!(
            matches!(error, ProbeError::Down(_)) && error.to_string().contains("ip link set down0 up"),
            "{error}"
        );
    });
}
