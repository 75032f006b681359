//! What loss costs: simulated time for 4 MiB in windows of 16, against the same link without loss.

use super::air::Link;
use super::client::Reader;
use super::{patient, run};
use crate::rig::{pattern, request};
use purlin_tftp_proto::Mode;

/// Milliseconds for the whole file; the round trip is 2 ms.
fn millis(loss: u32, options: &str, seed: u64) -> u64 {
    let content = pattern(4 << 20);
    let mut rig = patient();
    rig.file("image", &content);
    let request = request(false, "image", Mode::Octet, options);
    let mut reader = Reader::new(&request, true);
    let link = Link {
        loss,
        copies: 0,
        delay: 1,
        jitter: 0,
    };
    let start = rig.now.boot;
    run(&mut rig, &mut reader, &request, link, seed);
    assert!(reader.content == content);
    rig.now.boot.millis_since(start)
}

#[test]
fn loss_costs_round_trips_and_not_seconds() {
    for options in ["blksize=1468 windowsize=16", "blksize=1468 windowsize=1"] {
        let average = |loss| {
            (1..=5)
                .map(|seed| millis(loss, options, seed * 7919))
                .sum::<u64>()
                / 5
        };
        let clean = average(0);
        let (one, five) = (average(10), average(50));
        assert!(
            2 * one <= 3 * clean,
            "{options}: {one} ms with 1 % lost, {clean} without"
        );
        assert!(
            five <= 4 * clean,
            "{options}: {five} ms with 5 % lost, {clean} without"
        );
    }
}
