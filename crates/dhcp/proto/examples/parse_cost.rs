//! What reading and writing one message costs: nanoseconds per call, best of several rounds.
//!
//! `cargo run --release -p purlin-dhcp-proto --example parse_cost`

use purlin_dhcp_proto::{Composer, Message, MessageType, code};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

const CALLS: u32 = 20_000;
const ROUNDS: u32 = 400;

fn main() {
    let discover = relayed_discover();
    let laptop = laptop_request();
    println!(
        "discover {} octets, laptop request {} octets",
        discover.len(),
        laptop.len()
    );
    measure("parse relayed discover", || {
        Message::parse(black_box(&discover)).is_ok()
    });
    measure("parse laptop request", || {
        Message::parse(black_box(&laptop)).is_ok()
    });
    measure("parse and ask 20 options", || questions(black_box(&laptop)));
    let request = Message::parse(&discover).expect("composed above");
    let block = block();
    let mut buffer = [0; 1472];
    measure("compose offer from a block", || {
        offer(&mut buffer, black_box(&request), black_box(&block)) > 0
    });
    measure("compose offer by option", || {
        offer_by_option(&mut buffer, black_box(&request)) > 0
    });
}

fn measure(what: &str, mut call: impl FnMut() -> bool) {
    let best = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..CALLS {
                assert!(black_box(call()));
            }
            start.elapsed()
        })
        .min()
        .expect("ROUNDS is above 0");
    println!("{what:28} {:7.1} ns", best.as_nanos() as f64 / f64::from(CALLS));
}

/// As perfdhcp sends it: type, parameter list, client id, option 82, padded to 300 octets.
fn relayed_discover() -> Vec<u8> {
    let mut buffer = [0; 576];
    let mut composer = Composer::new(&mut buffer, 548);
    composer
        .op(1)
        .hardware(1, &[2, 0, 0, 1, 2, 3])
        .hops(1)
        .xid(7)
        .giaddr(Ipv4Addr::new(10, 0, 0, 1));
    composer.echo_relay_agent(&[1, 6, b'p', b'o', b'r', b't', b'-', b'1', 2, 4, 1, 2, 3, 4]);
    composer.message_type(MessageType::Discover);
    composer.option(code::PARAMETER_REQUESTS, &[1, 28, 2, 3, 15, 6, 12]);
    composer.option(code::CLIENT_ID, &[1, 2, 0, 0, 1, 2, 3]);
    let len = composer.finish().len;
    buffer[..len].to_vec()
}

/// As a Windows or Linux laptop sends it: ten options.
fn laptop_request() -> Vec<u8> {
    let mut buffer = [0; 576];
    let mut composer = Composer::new(&mut buffer, 548);
    composer.op(1).hardware(1, &[2, 0, 0, 1, 2, 3]).xid(7);
    composer.message_type(MessageType::Request);
    composer.option(code::CLIENT_ID, &[1, 2, 0, 0, 1, 2, 3]);
    composer.option_ip(code::REQUESTED_ADDRESS, Ipv4Addr::new(10, 0, 0, 9));
    composer.option_ip(code::SERVER_ID, Ipv4Addr::new(10, 0, 0, 1));
    composer.option(code::HOST_NAME, b"laptop-17");
    composer.option(code::CLIENT_FQDN, b"\0\0\0laptop-17.example.com");
    composer.option(code::VENDOR_CLASS, b"MSFT 5.0");
    composer.option(
        code::PARAMETER_REQUESTS,
        &[1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252],
    );
    composer.option_u16(code::MAX_MESSAGE_SIZE, 1500);
    composer.option_u32(code::LEASE_TIME, 3600);
    let len = composer.finish().len;
    buffer[..len].to_vec()
}

/// What a server asks of a request: most of it is absent.
fn questions(payload: &[u8]) -> bool {
    let Ok(message) = Message::parse(payload) else {
        return false;
    };
    let relay = message.relay_agent().is_some();
    black_box((
        relay,
        message.message_type(),
        message.requested_address(),
        message.server_id(),
        message.client_id(),
    ));
    black_box((
        message.host_name(),
        message.vendor_class(),
        message.max_message_size(),
        message.lease_time(),
    ));
    black_box((
        message.uuid(),
        message.subnet_selection(),
        message.rapid_commit(),
        message.client_fqdn(),
    ));
    black_box((
        message.user_classes(),
        message.architectures().next(),
        message.auto_configure(),
        message.is_bootp(),
    ));
    black_box((
        message.requests(code::V6_ONLY_PREFERRED),
        message.parameter_requests().len(),
        message.mac(),
    ));
    black_box((
        message.file(),
        message.broadcast(),
        message.giaddr(),
        message.vendor_information().is_some(),
    ));
    true
}

fn block() -> Vec<u8> {
    let mut block = vec![
        1, 4, 255, 255, 0, 0, 3, 4, 10, 0, 0, 1, 6, 8, 10, 0, 0, 1, 10, 0, 0, 2, 15, 11,
    ];
    block.extend_from_slice(b"example.com");
    block.extend_from_slice(&[28, 4, 10, 0, 255, 255]);
    block
}

fn offer(buffer: &mut [u8], request: &Message<'_>, block: &[u8]) -> usize {
    let mut composer = Composer::reply(buffer, 548, request);
    composer.yiaddr(Ipv4Addr::new(10, 0, 0, 9));
    composer.echo_relay_agent_of(request);
    composer.message_type(MessageType::Offer);
    composer.option_ip(code::SERVER_ID, Ipv4Addr::new(10, 0, 0, 1));
    composer.option_u32(code::LEASE_TIME, 3600);
    composer.block(block);
    composer.option(code::CLIENT_ID, request.client_id().unwrap_or_default());
    composer.finish().len
}

fn offer_by_option(buffer: &mut [u8], request: &Message<'_>) -> usize {
    let mut composer = Composer::reply(buffer, 548, request);
    composer.yiaddr(Ipv4Addr::new(10, 0, 0, 9));
    composer.message_type(MessageType::Offer);
    composer.option_ip(code::SERVER_ID, Ipv4Addr::new(10, 0, 0, 1));
    composer.option_u32(code::LEASE_TIME, 3600);
    composer.option_u32(code::RENEWAL_TIME, 1800);
    composer.option_u32(code::REBINDING_TIME, 3150);
    composer.option_ip(code::SUBNET_MASK, Ipv4Addr::new(255, 255, 0, 0));
    composer.option_ip(code::ROUTERS, Ipv4Addr::new(10, 0, 0, 1));
    composer.option(code::DNS_SERVERS, &[10, 0, 0, 1, 10, 0, 0, 2]);
    composer.option(code::DOMAIN_NAME, b"example.com");
    composer.option_ip(code::BROADCAST_ADDRESS, Ipv4Addr::new(10, 0, 255, 255));
    composer.finish().len
}
