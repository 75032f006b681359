//! What holds for any input.

use crate::ask::ask_everything;
use proptest::prelude::*;
use purlin_tftp_proto::{Options, Rollover, Wishes};

fn packet_like() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("blksize".to_owned()),
        Just("tsize".to_owned()),
        Just("windowsize".to_owned()),
        Just("timeout".to_owned()),
        Just("octet".to_owned()),
        Just("netascii".to_owned()),
        "[0-9]{1,6}",
        "[a-z./\\\\]{0,9}",
    ];
    (0u8..8, proptest::collection::vec(word, 0..12)).prop_map(|(opcode, words)| {
        let mut octets = vec![0, opcode];
        for word in words {
            octets.extend_from_slice(word.as_bytes());
            octets.push(0);
        }
        octets
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_octets_make_a_reader_fall(octets in proptest::collection::vec(any::<u8>(), 0..600), opcode in 0u8..8) {
        ask_everything(&octets);
        ask_everything(&[&[0, opcode][..], &octets].concat());
    }

    #[test]
    fn what_looks_like_a_packet_reads_back_the_same(octets in packet_like(), cut in 0usize..80) {
        ask_everything(&octets);
        ask_everything(&octets[..octets.len().min(cut)]);
    }

    #[test]
    fn wishes_are_never_outside_their_range(octets in packet_like()) {
        if let Ok(wishes) = Wishes::of(Options::new(&octets)) {
            prop_assert!(wishes.blksize.is_none_or(|b| (8..=65_464).contains(&b)));
            prop_assert!(wishes.windowsize != Some(0) && wishes.timeout != Some(0));
        }
    }

    #[test]
    fn a_wire_number_leads_back_to_its_block(from in 0u64..1 << 45, ahead in 0u16..65_534) {
        for rollover in [Rollover::Zero, Rollover::One] {
            let wire = rollover.wire(from + u64::from(ahead));
            prop_assert_eq!(rollover.ahead(from, wire), Some(ahead));
        }
    }
}
