use super::*;
use crate::{RecvBatch, UdpOptions};
use proptest::prelude::*;
use std::net::{Ipv4Addr, UdpSocket};

const KEY: KeyAt = KeyAt {
    first: 24,
    second: 12,
};

/// What the kernel would do, for the five instructions that are used.
fn run(program: &Program, payload: &[u8]) -> u32 {
    let (mut at, mut a) = (0, 0u32);
    loop {
        let i = program.code[at];
        at += 1;
        match i.code {
            LOAD_WORD => match payload.get(i.k as usize..i.k as usize + 4) {
                Some(word) => a = u32::from_be_bytes(word.try_into().unwrap()),
                None => return 0,
            },
            JUMP => at += i.k as usize,
            JUMP_EQUAL => at += usize::from(if a == i.k { i.jt } else { i.jf }),
            JUMP_AT_LEAST => at += usize::from(if a >= i.k { i.jt } else { i.jf }),
            RETURN => return i.k,
            other => panic!("instruction {other:#x}"),
        }
    }
}

fn payload(giaddr: u32, ciaddr: u32) -> [u8; 28] {
    let mut bytes = [0; 28];
    bytes[12..16].copy_from_slice(&ciaddr.to_be_bytes());
    bytes[24..28].copy_from_slice(&giaddr.to_be_bytes());
    bytes
}

fn range(first: u32, last: u32) -> Ipv4Range {
    Ipv4Range::try_new(first.into(), last.into()).unwrap()
}

fn ranges() -> impl Strategy<Value = Vec<(Ipv4Range, u16)>> {
    proptest::collection::btree_set(any::<u32>(), 0..120).prop_flat_map(|bounds| {
        let bounds: Vec<u32> = bounds.into_iter().collect();
        let ranges: Vec<Ipv4Range> = bounds.chunks_exact(2).map(|b| range(b[0], b[1])).collect();
        proptest::collection::vec(0u16..8, ranges.len())
            .prop_map(move |sockets| ranges.iter().copied().zip(sockets).collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_address_goes_to_the_socket_of_its_range(ranges in ranges(), some in any::<u32>()) {
        let program = Program::compile(KEY, &ranges);
        let edges = ranges.iter().flat_map(|(r, _)| {
            let (a, b) = (u32::from(r.first()), u32::from(r.last()));
            [a, b, a.wrapping_sub(1), b.wrapping_add(1)]
        });
        for address in edges.chain([some, 0, u32::MAX]).filter(|a| *a != 0) {
            let want = ranges.iter().find(|(r, _)| r.contains(address.into())).map_or(0, |(_, s)| u32::from(*s));
            prop_assert_eq!(run(&program, &payload(address, 1)), want);
            prop_assert_eq!(run(&program, &payload(0, address)), want);
        }
    }
}

#[test]
fn touching_ranges_of_one_socket_cost_one_step() {
    let split: Vec<_> = (0..1000).map(|i| (range(i * 256, i * 256 + 255), 1)).collect();
    assert_eq!(segments(&split), [(0, 1), (256_000, 0)]);
}

#[test]
fn too_many_ranges_fall_back_to_the_first_socket() {
    let many: Vec<_> = (1..2000u32).map(|i| (range(i * 256, i * 256 + 100), 1)).collect();
    let program = Program::compile(KEY, &many);
    assert!(!program.is_complete());
    assert_eq!(run(&program, &payload(256, 0)), 0);
    let fewer = Program::compile(KEY, &many[..650]);
    assert!(fewer.is_complete());
    assert_eq!(run(&fewer, &payload(650 * 256, 0)), 1);
}

/// The kernel's data offset (the payload, not the UDP header) and group order, by trying.
#[test]
fn the_kernel_delivers_by_giaddr_then_ciaddr() {
    let shared = UdpOptions {
        reuse_port: true,
        ..UdpOptions::default()
    };
    let first = UdpPort::bind("127.0.0.1:0".parse().unwrap(), &shared).unwrap();
    let address = first.local_address();
    let group = [
        first,
        UdpPort::bind(address, &shared).unwrap(),
        UdpPort::bind(address, &shared).unwrap(),
    ];
    let net = |a: u8| {
        range(
            u32::from(Ipv4Addr::new(10, a, 0, 0)),
            u32::from(Ipv4Addr::new(10, a, 255, 255)),
        )
    };
    Program::compile(KEY, &[(net(1), 1), (net(2), 2)])
        .attach(&group[0])
        .unwrap();

    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = |a: u8| u32::from(Ipv4Addr::new(10, a, 0, 9));
    for bytes in [
        payload(at(1), at(2)),
        payload(at(2), 0),
        payload(0, at(2)),
        payload(at(9), 0),
        payload(0, 0),
    ] {
        client.send_to(&bytes, address).unwrap();
    }
    client.send_to(b"short", address).unwrap();
    let mut batch = RecvBatch::new();
    let counts = group.each_ref().map(|port| batch.receive(port).unwrap());
    assert_eq!(counts, [3, 1, 2]);
}

#[test]
fn a_program_can_be_replaced_while_in_use() {
    let shared = UdpOptions {
        reuse_port: true,
        ..UdpOptions::default()
    };
    let first = UdpPort::bind("127.0.0.1:0".parse().unwrap(), &shared).unwrap();
    let second = UdpPort::bind(first.local_address(), &shared).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut batch = RecvBatch::new();
    for (socket, want) in [(0, [1, 0]), (1, [0, 1])] {
        Program::compile(KEY, &[(range(1, 9), socket)])
            .attach(&second)
            .unwrap();
        client.send_to(&payload(5, 0), first.local_address()).unwrap();
        assert_eq!(
            [batch.receive(&first).unwrap(), batch.receive(&second).unwrap()],
            want
        );
    }
}
