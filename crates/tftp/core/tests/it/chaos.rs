//! Any packets and completions in any order: nothing panics, nothing stays, every request has one end.

use crate::rig::{Rig, peer, request};
use proptest::prelude::*;
use purlin_tftp_core::{FileError, RecordQuery, Slot, Told};
use purlin_tftp_proto::{Mode, compose};

#[derive(Debug, Clone)]
enum Event {
    Ask {
        write: bool,
        name: usize,
        netascii: bool,
        options: usize,
    },
    Ack(u16),
    Data(u16, usize),
    Error(u8),
    Noise(Vec<u8>),
    Pass(u64),
    Held(bool),
    Cold(bool),
    Complete {
        what: u8,
        back: usize,
        good: bool,
    },
}

const NAMES: [&str; 5] = ["file", "even", "empty", "missing", "up"];
const OPTIONS: [&str; 6] = [
    "",
    "tsize=0",
    "blksize=64 windowsize=5",
    "windowsize=3 timeout=1",
    "blksize=7",
    "blksize=8 rollover=1 tsize=300",
];

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (any::<bool>(), 0..NAMES.len(), any::<bool>(), 0..OPTIONS.len())
            .prop_map(|(write, name, netascii, options)| Event::Ask { write, name, netascii, options }),
        8 => prop_oneof![0u16..30, any::<u16>()].prop_map(Event::Ack),
        4 => (prop_oneof![0u16..8, any::<u16>()], 0usize..600).prop_map(|(block, len)| Event::Data(block, len)),
        1 => any::<u8>().prop_map(Event::Error),
        1 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Event::Noise),
        4 => prop_oneof![0u64..10, 10u64..3000, 3000u64..40_000].prop_map(Event::Pass),
        1 => any::<bool>().prop_map(Event::Held),
        1 => any::<bool>().prop_map(Event::Cold),
        4 => (0u8..5, 0usize..4, any::<bool>()).prop_map(|(what, back, good)| Event::Complete { what, back, good }),
    ]
}

fn complete(rig: &mut Rig, slot: Slot, what: u8, good: bool) {
    rig.last_slot = Some(slot);
    let result = if good { Ok(()) } else { Err(FileError::Io) };
    let file = rig.files["file"].clone();
    rig.complete(|engine, now, slot, effects| match what {
        0 => engine.opened(now, slot, result.map(|()| file), effects),
        1 => engine.created(now, slot, result, effects),
        2 => engine.stored(now, slot, result.map(|()| 1 << 30), effects),
        3 => engine.committed(now, slot, result, effects),
        _ => engine.available(now, slot, result, effects),
    });
}

fn apply(rig: &mut Rig, event: Event, slots: &mut Vec<Slot>) {
    match event {
        Event::Ask {
            write,
            name,
            netascii,
            options,
        } => {
            let mode = if netascii { Mode::Netascii } else { Mode::Octet };
            rig.hear(&request(write, NAMES[name], mode, OPTIONS[options]));
            slots.extend(rig.last_slot);
        }
        Event::Ack(block) => drop(rig.hear(&compose::ack(block))),
        Event::Data(block, len) => drop(rig.data(block, &vec![b'\r'; len])),
        Event::Error(code) => drop(rig.error(code)),
        Event::Noise(octets) => drop(rig.hear(&octets)),
        Event::Pass(millis) => drop(rig.after(millis)),
        Event::Held(held) => rig.held = held,
        Event::Cold(cold) => rig.cold = cold,
        Event::Complete { what, back, good } => {
            if let Some(slot) = slots.iter().rev().nth(back) {
                complete(rig, *slot, what, good);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_stays_and_every_request_has_one_end(events in proptest::collection::vec((0u8..3, event()), 1..80)) {
        let mut rig = Rig::with(|settings| {
            settings.limits.per_ip = 3;
            settings.limits.total = 3;
            settings.decisions = 256;
        });
        let mut slots = Vec::new();
        for (port, event) in events {
            rig.client(10, 2000 + u16::from(port));
            apply(&mut rig, event, &mut slots);
            prop_assert!(rig.engine.transfers() <= 3 && rig.admission.open() as usize <= rig.engine.transfers());
        }
        rig.after(200_000);
        prop_assert_eq!((rig.engine.transfers(), rig.admission.open(), rig.engine.deadline()), (0, 0, None));
        let all = RecordQuery { limit: 1000, ..RecordQuery::default() };
        let outside = |told: &&Told| told.record.stray.is_some() || told.slug == "malformed";
        let outside = rig.engine.find_records(&all).iter().filter(outside).count() as u64;
        let records = rig.engine.records().next_seq();
        prop_assert_eq!(records - outside, rig.engine.counters().requests - rig.count("repeated_request"));
        for port in 0..3 {
            let from = peer(10, 2000 + port);
            let fresh = rig.hear_from(from, &request(false, "short", Mode::Octet, ""));
            prop_assert!(!fresh.contains("too many"), "{fresh}");
        }
    }
}
