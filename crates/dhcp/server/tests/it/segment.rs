//! A local segment: clients without an address, in a network namespace of their own.

use crate::client::Answer;
use crate::server::{Server, run, settings};
use purlin_dhcp_core::settings::{ConflictCheck, Settings};
use purlin_dhcp_proto::{Composer, MessageType, code};
use purlin_netio::netns::Pair;
use purlin_netio::{Outgoing, Poller, Ready, RecvBatch, SendBatch, Trigger, UdpOptions, UdpPort};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Serves 10.77.0.0/24 on `s0`.
fn on_segment(pool: &str) -> Settings {
    let mut settings = settings(1, 1);
    settings.interfaces = vec!["s0".into()];
    settings.listen.clear();
    let subnet = &mut settings.networks[0].subnets[0];
    subnet.network = "10.77.0.0/24".parse().expect("a prefix");
    subnet.pools[0].range = pool.parse().expect("a range");
    settings
}

/// A client's socket on `c0`.
struct Client {
    port: UdpPort,
    mac: [u8; 6],
}

impl Client {
    fn open() -> Self {
        let options = UdpOptions {
            device: Some("c0"),
            broadcast: true,
            packet_info: true,
            ..UdpOptions::default()
        };
        let port = UdpPort::bind("0.0.0.0:68".parse().expect("an address"), &options).expect("a socket");
        let interface = purlin_netio::interface("c0")
            .expect("interfaces can be read")
            .expect("c0 is there");
        Self {
            port,
            mac: interface.mac.expect("a veth has a hardware address"),
        }
    }

    fn discover(&self, broadcast: bool) {
        let to = "255.255.255.255:67".parse().expect("an address");
        self.say(MessageType::Discover, broadcast, &[], to);
    }

    fn say(&self, kind: MessageType, broadcast: bool, options: &[(u8, &[u8])], to: SocketAddrV4) {
        let mut buffer = [0; 1472];
        let mut out = Composer::new(&mut buffer, 1472);
        out.op(1)
            .hardware(1, &self.mac)
            .xid(77)
            .flags(if broadcast { 0x8000 } else { 0 });
        out.message_type(kind);
        for (code, value) in options {
            assert!(out.option(*code, value));
        }
        let length = out.finish().len;
        let message = Outgoing {
            payload: &buffer[..length],
            to,
            from: Ipv4Addr::UNSPECIFIED,
        };
        assert_eq!(SendBatch::new().send(&self.port, [message]).sent, 1);
    }

    /// The answer and where it was sent to.
    fn hear(&self) -> (Answer, Ipv4Addr) {
        let poller = Poller::new().expect("a poller");
        poller
            .add(&self.port, 0, Trigger::Level)
            .expect("a socket can be watched");
        poller
            .wait(&mut Ready::default(), Some(Duration::from_secs(10)))
            .expect("waiting works");
        let mut batch = RecvBatch::new();
        assert_eq!(
            batch.receive(&self.port).expect("a socket can be read"),
            1,
            "an answer within the time allowed"
        );
        let datagram = batch.get(0);
        (
            Answer::read(datagram.payload),
            datagram.target.expect("it was asked for"),
        )
    }
}

/// Starts the service in one namespace and lets a client in the other ask once.
fn ask(name: &str, client_address: &str, settings: Settings, broadcast: bool) -> Option<(Answer, Ipv4Addr)> {
    let pair = Pair::new(name)?;
    pair.client.ip(&format!("addr add {client_address} dev c0"));
    let client = pair.in_client(Client::open);
    let server = pair.in_server(|| run(Server::start_silent(settings)));
    client.discover(broadcast);
    let heard = client.hear();
    run(server.stop());
    Some(heard)
}

#[test]
fn a_client_that_asks_for_broadcast_gets_one_with_the_interface_as_server() {
    let settings = on_segment("10.77.0.100-10.77.0.200");
    let Some((offer, target)) = ask("bcast", "10.99.0.2/24", settings, true) else {
        return;
    };
    assert_eq!(
        (offer.kind, offer.server),
        (MessageType::Offer, Some(Ipv4Addr::new(10, 77, 0, 1)))
    );
    assert_eq!(target, Ipv4Addr::BROADCAST);
}

#[test]
fn a_client_without_address_gets_a_frame_to_its_hardware_address() {
    // The one address of the pool is the client's own already, so that its ordinary socket hears the frame.
    let settings = on_segment("10.77.0.150-10.77.0.150");
    let Some((offer, target)) = ask("raw", "10.77.0.150/24", settings, false) else {
        return;
    };
    assert_eq!(
        (offer.kind, offer.address),
        (MessageType::Offer, Ipv4Addr::new(10, 77, 0, 150))
    );
    assert_eq!(target, offer.address);
}

#[test]
fn an_address_that_answers_arp_is_not_offered() {
    let mut settings = on_segment("10.77.0.150-10.77.0.151");
    settings.conflict_check = ConflictCheck::Arp;
    let Some((offer, _)) = ask("arp", "10.77.0.150/24", settings, true) else {
        return;
    };
    assert_eq!(
        (offer.kind, offer.address),
        (MessageType::Offer, Ipv4Addr::new(10, 77, 0, 151))
    );
}

#[test]
fn an_address_that_answers_ping_is_not_offered() {
    let mut settings = on_segment("10.77.0.150-10.77.0.151");
    settings.conflict_check = ConflictCheck::Ping;
    let Some((offer, _)) = ask("ping", "10.77.0.150/24", settings, true) else {
        return;
    };
    assert_eq!(
        (offer.kind, offer.address),
        (MessageType::Offer, Ipv4Addr::new(10, 77, 0, 151))
    );
}

#[test]
fn beside_another_server_a_boot_client_is_told_its_file_at_both_ports() {
    let Some(pair) = Pair::new("proxy") else { return };
    pair.client.ip("addr add 10.77.0.2/24 dev c0");
    let client = pair.in_client(Client::open);
    let mut settings = on_segment("10.77.0.100-10.77.0.200");
    settings.networks.clear();
    settings.proxy = true;
    settings.scope.boot_file = Some("x64.efi".into());
    let server = pair.in_server(|| run(Server::start_silent(settings)));
    let options: [(u8, &[u8]); 2] = [
        (code::VENDOR_CLASS, b"PXEClient:Arch:00007:UNDI:003016"),
        (code::CLIENT_ARCH, &[0, 7]),
    ];
    let everybody = "255.255.255.255:67".parse().expect("an address");
    client.say(MessageType::Discover, false, &options, everybody);
    let (offer, target) = client.hear();
    assert_eq!(
        (offer.kind, offer.address, target),
        (MessageType::Offer, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST)
    );
    let again = SocketAddrV4::new(offer.server.expect("an offer names its server"), 4011);
    client.say(MessageType::Request, false, &options, again);
    let (ack, target) = client.hear();
    assert_eq!(ack.kind, MessageType::Ack);
    assert_eq!(target, Ipv4Addr::new(10, 77, 0, 2));
    let facts = run(server.handle.facts(target)).expect("it asked from there");
    assert_eq!(facts.architecture.as_deref(), Some("uefi-x64"));
    run(server.stop());
}

/// As [`on_segment`], and at 10.77.0.1 with this port.
fn listening_beside(port: u16, threads: u16) -> Settings {
    let mut settings = on_segment("10.77.0.100-10.77.0.200");
    settings.threads = Some(threads);
    settings.listen = vec![SocketAddrV4::new(Ipv4Addr::new(10, 77, 0, 1), port)];
    settings
}

#[test]
fn a_listen_address_goes_and_comes_back_beside_a_segment() {
    for threads in [1, 2] {
        let Some(pair) = Pair::new("back") else { return };
        pair.client.ip("addr add 10.77.0.2/24 dev c0");
        let client = pair.in_client(Client::open);
        pair.in_server(|| {
            run(async {
                let server = Server::start_silent(listening_beside(67, threads)).await;
                for port in [6767, 67] {
                    let applied = server.handle.apply(listening_beside(port, threads)).await;
                    applied.unwrap_or_else(|fault| panic!("with {threads} threads at {port}: {fault}"));
                    assert_eq!(server.handle.status().await.listen[0].port(), port);
                }
                client.discover(true);
                assert_eq!(
                    client.hear().0.kind,
                    MessageType::Offer,
                    "a broadcast reaches the segment"
                );
                let options: [(u8, &[u8]); 0] = [];
                let to = "10.77.0.1:67".parse().expect("an address");
                client.say(MessageType::Discover, true, &options, to);
                assert_eq!(client.hear().0.kind, MessageType::Offer, "an address is heard");
                server.stop().await;
            });
        });
    }
}

#[test]
fn an_address_of_another_process_is_not_joined_beside_a_segment() {
    let Some(pair) = Pair::new("foreign") else { return };
    pair.in_server(|| {
        run(async {
            let server = Server::start_silent(on_segment("10.77.0.100-10.77.0.200")).await;
            // Not told of the segment, so it is what another server's socket at this port would be.
            let at = "10.77.0.1:6767".parse().expect("an address");
            let _foreign = UdpPort::bind(at, &UdpOptions::default()).expect("a free address");
            let refused = server.handle.apply(listening_beside(6767, 1)).await;
            let fault = refused.expect_err("the address is another's").to_string();
            assert!(fault.contains("10.77.0.1:6767"), "{fault}");
            server.stop().await;
        });
    });
}
