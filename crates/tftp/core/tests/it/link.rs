//! Any file over any link: packets are lost, copied and reordered, and the file arrives whole all the same, for a
//! bounded number of packets.

mod air;
mod client;
mod speed;

use crate::rig::{Rig, pattern, peer, request};
use air::{Air, Link};
use client::{Client, Reader, Writer};
use proptest::prelude::*;
use purlin_tftp_core::Peer;
use purlin_tftp_proto::{Mode, Packet};
use purlin_types::BootTime;
use std::time::Duration;

/// Runs one transfer to its end; returns how many packets the client sent.
fn run(rig: &mut Rig, client: &mut dyn Client, request: &[u8], link: Link, seed: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    let from: Peer = peer(10, 2000);
    let mut air = Air::new(link, seed);
    let start = rig.now.boot.0;
    let (mut patience, mut packets) = (start + SECOND, 1);
    air.send(start, true, request);
    loop {
        let arrival = air.under_way.keys().next().map(|key| key.0);
        let timer = rig.engine.deadline().map(|due| due.0);
        let wait = (!client.is_done()).then_some(patience);
        let Some(next) = [arrival, timer, wait].into_iter().flatten().min() else {
            break;
        };
        let now = next.max(rig.now.boot.0);
        assert!(now - start < 1000 * SECOND, "the transfer never ends");
        rig.now.boot = BootTime(now);
        let mut said = Vec::new();
        if arrival == Some(next) {
            let (_, (to_server, packet)) = air.under_way.pop_first().expect("it was just seen");
            if to_server {
                rig.hear_from(from, &packet);
            } else {
                said = client.hear(&Packet::parse(&packet).expect("the engine sends packets"));
                patience = now + SECOND;
            }
        } else if timer == Some(next) {
            rig.tick();
        } else {
            said = client.repeat();
            patience = now + SECOND;
        }
        for packet in said {
            packets += 1;
            air.send(now, true, &packet);
        }
        for (_, packet) in std::mem::take(&mut rig.sent) {
            air.send(now, false, &packet);
        }
    }
    packets
}

fn options() -> impl Strategy<Value = (u16, u16, bool)> {
    (
        prop_oneof![Just(512u16), 8u16..64, 64u16..1500],
        prop_oneof![Just(1u16), 2u16..8, 8u16..40],
        any::<bool>(),
    )
}

fn link() -> impl Strategy<Value = Link> {
    let loss = prop_oneof![Just(0u32), 1u32..50, 50u32..150];
    let copies = prop_oneof![Just(0u32), 0u32..300];
    let jitter = prop_oneof![Just(0u64), 0u64..25];
    (loss, copies, 1u64..30, jitter).prop_map(|(loss, copies, delay, jitter)| Link {
        loss,
        copies,
        delay,
        jitter,
    })
}

fn wishes(blksize: u16, windowsize: u16, one: bool) -> String {
    match (blksize, windowsize) {
        (512, 1) => String::new(),
        _ => format!(
            "blksize={blksize} windowsize={windowsize} rollover={}",
            u8::from(one)
        ),
    }
}

/// A server that does not give up while the client does not.
fn patient() -> Rig {
    Rig::with(|settings| {
        settings.timing.attempts = 40;
        settings.timing.dally = Duration::from_secs(20);
    })
}

/// How many blocks a transfer may cost at most. A packet that is lost or overtaken may cost a window, because the client
/// throws away what comes behind it (RFC 7440, section 4), and a probe; nothing else costs anything.
fn bound(blocks: u64, windowsize: u16, link: Link) -> u64 {
    let window = u64::from(windowsize) + 2;
    let overtaken = if link.jitter > 0 { 1000 } else { link.copies.into() };
    let hit = (2 * u64::from(link.loss) + overtaken).min(1000);
    blocks + (blocks * window * hit).div_ceil(1000) + if hit > 0 { 40 * window } else { 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn a_read_arrives_whole((blksize, windowsize, one) in options(), link in link(), size in 0usize..30_000, seed in any::<u64>()) {
        let content = pattern(size.min(usize::from(blksize) * 400));
        let options = wishes(blksize, windowsize, one);
        let mut rig = patient();
        rig.file("image", &content);
        let request = request(false, "image", Mode::Octet, &options);
        let mut reader = Reader::new(&request, !options.is_empty());
        run(&mut rig, &mut reader, &request, link, seed);
        prop_assert!(reader.content == content, "{} of {} octets", reader.content.len(), content.len());
        prop_assert_eq!(rig.engine.transfers(), 0);
        let blocks = content.len() as u64 / u64::from(blksize) + 1;
        let sent = rig.engine.counters().blocks_sent;
        prop_assert!(sent <= bound(blocks, windowsize, link), "{sent} blocks for {blocks}, {:?}", bound(blocks, windowsize, link));
    }

    #[test]
    fn an_upload_arrives_whole((blksize, windowsize, one) in options(), link in link(), size in 0usize..30_000, seed in any::<u64>()) {
        let content = pattern(size.min(usize::from(blksize) * 400));
        let options = wishes(blksize, windowsize, one);
        let mut rig = patient();
        let request = request(true, "image", Mode::Octet, &options);
        let mut writer = Writer::new(&request, !options.is_empty(), &content);
        run(&mut rig, &mut writer, &request, link, seed);
        prop_assert!(rig.uploaded.get("image") == Some(&content));
        prop_assert_eq!(rig.engine.transfers(), 0);
    }

    /// Copies of blocks and acknowledgements set off no chain of copies in windows either: each costs its own window and
    /// the one after at most.
    #[test]
    fn copies_cost_what_they_are((blksize, windowsize, one) in options(), copies in 0u32..60, delay in 1u64..20, seed in any::<u64>()) {
        let content = pattern(usize::from(blksize) * 400);
        let options = format!("blksize={blksize} windowsize={windowsize} rollover={}", u8::from(one));
        let mut rig = patient();
        rig.file("image", &content);
        let request = request(false, "image", Mode::Octet, &options);
        let mut reader = Reader::new(&request, true);
        run(&mut rig, &mut reader, &request, Link { loss: 0, copies, delay, jitter: 0 }, seed);
        prop_assert!(reader.content == content);
        let windows = u64::from(copies) * 2 * 401 / 1000 + 8;
        let again = rig.engine.counters().blocks_again;
        prop_assert!(again <= windows * 2 * u64::from(windowsize), "{again} again");
    }

    /// The Sorcerer's Apprentice stays away: however often packets are copied, no block goes out for a copy.
    #[test]
    fn copies_do_not_multiply((blksize, _, one) in options(), copies in 0u32..1000, seed in any::<u64>()) {
        let content = pattern(usize::from(blksize) * 200);
        let options = format!("blksize={blksize} rollover={}", u8::from(one));
        let mut rig = patient();
        rig.file("image", &content);
        let request = request(false, "image", Mode::Octet, &options);
        let mut reader = Reader::new(&request, true);
        let link = Link { loss: 0, copies, delay: 2, jitter: 0 };
        run(&mut rig, &mut reader, &request, link, seed);
        prop_assert_eq!(rig.engine.counters().blocks_sent, 201);
        prop_assert_eq!(rig.engine.counters().blocks_again, 0);
    }
}
