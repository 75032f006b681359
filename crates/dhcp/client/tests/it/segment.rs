//! A client without an address on a real segment: two namespaces and a veth pair. Needs root.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use purlin_dhcp_client::{Probe, ProbeError, ProbeVerdict, ProbeVia, discover_servers, probe};
use purlin_netio::{Outgoing, Poller, Ready, RecvBatch, SendBatch, Trigger, UdpOptions, UdpPort};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::responder::{Leases, Manner, answer};

/// Namespaces removed when dropped.
struct Segment {
    server: String,
    client: String,
}

impl Segment {
    fn new(name: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            assert!(
                std::env::var_os("CI").is_none_or(|value| value != "true"),
                "network namespaces need root"
            );
            eprintln!("skipped: network namespaces need root");
            return None;
        }
        let base = format!("dhcp-client-{name}-{}", std::process::id());
        let segment = Self {
            server: format!("{base}-s"),
            client: format!("{base}-c"),
        };
        let (s, c) = (&segment.server, &segment.client);
        for line in [
            format!("netns add {s}"),
            format!("netns add {c}"),
            format!("-n {s} link add s0 type veth peer name c0 netns {c}"),
            format!("-n {s} addr add 10.1.0.254/16 dev s0"),
            format!("-n {s} link set s0 up"),
            format!("-n {c} link set c0 up"),
            format!("-n {c} link add down0 type veth peer name down1"),
        ] {
            let status = Command::new("ip")
                .args(line.split(' '))
                .status()
                .expect("iproute2 is installed");
            assert!(status.success(), "ip {line}");
        }
        await_link(s, "s0");
        await_link(c, "c0");
        Some(segment)
    }
}

/// Waits until the kernel has noticed that an end is up: what is sent before that is dropped without a word.
fn await_link(namespace: &str, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let shown = Command::new("ip")
            .args(["-n", namespace, "-br", "link", "show", name])
            .output()
            .expect("iproute2 is installed");
        if String::from_utf8_lossy(&shown.stdout).contains(" UP ") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{name} in {namespace} does not come up"
        );
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        for name in [&self.server, &self.client] {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

fn enter(namespace: &str) {
    let file = File::open(format!("/run/netns/{namespace}")).expect("just made");
    move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("root");
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
fn with_server(name: &str, work: impl FnOnce() + Send + 'static) {
    let Some(segment) = Segment::new(name) else { return };
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    let (server, client) = (segment.server.clone(), segment.client.clone());
    let (ready, wait) = std::sync::mpsc::channel();
    let serving = thread::spawn(move || {
        enter(&server);
        let options = UdpOptions {
            device: Some("s0"),
            broadcast: true,
            ..UdpOptions::default()
        };
        let port = UdpPort::bind("0.0.0.0:67".parse().expect("an address"), &options).expect("free");
        ready.send(()).expect("waited for");
        serve(&port, &seen);
    });
    wait.recv().expect("bound");
    let asking = thread::spawn(move || {
        enter(&client);
        work();
    });
    let asked = asking.join();
    stop.store(true, Ordering::Relaxed);
    serving.join().expect("no panic");
    if let Err(panic) = asked {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn a_probe_without_an_address_gets_a_lease_by_broadcast() {
    with_server("probe", || {
        let report = probe(&Probe::new(ProbeVia::Interface("c0".into()))).expect("root can");
        assert_eq!(report.verdict, ProbeVerdict::Bound, "{report:?}");
        assert_eq!(report.lease.expect("bound").address, Ipv4Addr::new(10, 1, 0, 1));
    });
}

#[test]
fn every_server_on_the_segment_is_found_with_its_offer() {
    with_server("discover", || {
        let servers = discover_servers("c0", Duration::from_millis(300)).expect("root can");
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
        let error = discover_servers("down0", Duration::from_millis(1)).expect_err("down");
        assert!(
            matches!(error, ProbeError::Down(_)) && error.to_string().contains("ip link set down0 up"),
            "{error}"
        );
    });
}
