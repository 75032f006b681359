//! Sender and receiver against each other over a line that loses, doubles and reorders; time is a count of rounds.

use std::collections::VecDeque;

use proptest::prelude::*;
use purlin_tftp_proto::{Rollover, Terms};

use crate::faults::{Dice, Fate, Faults};
use crate::receiver::{Heard, Receiver};
use crate::sender::{Sender, Told};

/// One direction: what is on its way, in order of arrival.
struct Line<T> {
    faults: Faults,
    under_way: VecDeque<T>,
    sent: u64,
}

impl<T: Copy> Line<T> {
    fn new(faults: Faults) -> Self {
        Self {
            faults,
            under_way: VecDeque::new(),
            sent: 0,
        }
    }

    fn send(&mut self, what: T, dice: &mut Dice) {
        self.sent += 1;
        match dice.fate(&self.faults) {
            Fate::Lost => {}
            Fate::Twice => self.under_way.extend([what, what]),
            Fate::Late => self.under_way.push_front(what),
            Fate::Arrives | Fate::Corrupt => self.under_way.push_back(what),
        }
    }
}

struct Outcome {
    data_sent: u64,
    offsets: Vec<u64>,
}

/// Runs a transfer of `blocks` full blocks and an empty one to its end; silence of both sides makes one of them, in turn,
/// say again what it said last.
fn transfer(terms: &Terms, rollover: Option<Rollover>, blocks: u64, faults: Faults, seed: u64) -> Outcome {
    let dice = &mut Dice::new(seed);
    let size = blocks * u64::from(terms.blksize);
    let (mut sender, mut receiver) = (Sender::new(terms, rollover, size), Receiver::new(terms, None));
    let (mut data, mut acks) = (Line::new(faults), Line::new(faults));
    let mut offsets = Vec::new();
    sender.begin().for_each(|block| data.send(block, dice));
    for round in 0_u64.. {
        assert!(round < blocks * 200 + 10_000, "it never ends");
        while let Some(block) = data.under_way.pop_front() {
            let range = sender.range(block);
            let length = (range.end - range.start) as usize;
            let ack = match receiver.heard(sender.wire(block), length) {
                Heard::Wanted { offset, ack, .. } => {
                    assert_eq!(offset, range.start, "a block in the wrong place");
                    offsets.push(offset);
                    ack
                }
                Heard::Gap { ack } | Heard::Repeat { ack } => ack,
                Heard::TooLong => panic!("no block is too long"),
            };
            ack.into_iter().for_each(|ack| acks.send(ack, dice));
        }
        let mut quiet = true;
        while let Some(ack) = acks.under_way.pop_front() {
            match sender.told(ack) {
                Told::Done => {
                    return Outcome {
                        data_sent: data.sent,
                        offsets,
                    };
                }
                Told::Send(window) => {
                    quiet = false;
                    window.for_each(|block| data.send(block, dice));
                }
                Told::Nothing => {}
            }
        }
        if quiet && round % 2 == 0 {
            sender.again().for_each(|block| data.send(block, dice));
        } else if quiet {
            acks.send(receiver.again(), dice);
        }
    }
    unreachable!("the loop returns or panics");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_block_arrives_once_and_in_place(
        windowsize in 1_u16..40,
        blocks in 0_u64..300,
        loss in 0.0..0.2,
        duplicate in 0.0..0.2,
        reorder in 0.0..0.2,
        seed: u64,
    ) {
        let terms = Terms { windowsize, ..Terms::default() };
        let faults = Faults { loss, duplicate, reorder, corrupt: 0.0 };
        let outcome = transfer(&terms, None, blocks, faults, seed);
        let expected: Vec<u64> = (0..=blocks).map(|block| block * 512).collect();
        prop_assert_eq!(outcome.offsets, expected);
    }

    #[test]
    fn duplicates_alone_never_cost_a_block_more(windowsize in 1_u16..40, seed: u64) {
        let terms = Terms { windowsize, ..Terms::default() };
        let faults = Faults { duplicate: 0.3, ..Faults::NONE };
        let outcome = transfer(&terms, None, 300, faults, seed);
        prop_assert_eq!(outcome.data_sent, 301);
    }
}

#[test]
fn long_transfers_cross_either_rollover() {
    for (rollover, windowsize) in [(Rollover::Zero, 1), (Rollover::Zero, 16), (Rollover::One, 1)] {
        let terms = Terms {
            blksize: 8,
            windowsize,
            rollover,
            tsize: None,
        };
        let outcome = transfer(&terms, Some(rollover), 140_000, Faults::NONE, 1);
        assert_eq!(
            outcome.data_sent, 140_001,
            "{rollover:?} in windows of {windowsize}"
        );
    }
}
