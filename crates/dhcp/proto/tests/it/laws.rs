//! Laws that hold for any octets and any options.

use crate::ask::ask_everything;
use proptest::collection::vec;
use proptest::prelude::*;
use purlin_dhcp_proto::code::CodeSet;
use purlin_dhcp_proto::{Composer, Message};

/// A message whose fixed header is right, so that the options are reached.
fn with_header(options: &[u8], fields: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; 236];
    payload[..3].copy_from_slice(&[1, 1, 6]);
    let len = fields.len().min(192);
    payload[44..44 + len].copy_from_slice(&fields[..len]);
    payload.extend_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    payload.extend_from_slice(options);
    payload
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_octets_are_read_or_refused(payload in vec(any::<u8>(), 0..700)) {
        ask_everything(&payload);
    }

    #[test]
    fn any_octets_as_options_are_read_or_refused(options in vec(any::<u8>(), 0..300), fields in vec(any::<u8>(), 192)) {
        ask_everything(&with_header(&options, &fields));
        let overloaded = [&[52, 1, 3], &options[..]].concat();
        ask_everything(&with_header(&overloaded, &fields));
    }

    #[test]
    fn well_formed_options_are_all_found_in_order(options in vec((1u8..=254, vec(any::<u8>(), 0..20)), 0..40)) {
        let options: Vec<_> = options.into_iter().filter(|(code, _)| *code != 52).collect();
        let mut octets = Vec::new();
        for (code, value) in &options {
            octets.extend([*code, value.len() as u8]);
            octets.extend(value);
        }
        let payload = with_header(&octets, &[]);
        let message = Message::parse(&payload).unwrap();
        let read: Vec<_> = message.options().map(|(code, value)| (code, value.to_vec())).collect();
        prop_assert_eq!(read, options);
    }

    #[test]
    fn what_is_composed_is_read_back_or_missed(
        limit in 0usize..1600,
        overload in any::<bool>(),
        relay in vec(any::<u8>(), 0..300),
        options in vec((1u8..=254, prop_oneof![vec(any::<u8>(), 0..130), vec(any::<u8>(), 200..600)]), 0..12),
    ) {
        let mut buffer = [0xee; 1472];
        let mut composer = Composer::new(&mut buffer, limit);
        composer.op(2);
        if !overload {
            composer.without_overload();
        }
        let echoed = composer.echo_relay_agent(&relay) && !relay.is_empty();
        let mut seen = CodeSet::of(&[52, 82]);
        let mut placed = Vec::new();
        for (code, value) in &options {
            if seen.insert(*code) && composer.option(*code, value) {
                placed.push((*code, value));
            }
        }
        let composed = composer.finish();
        prop_assert!(composed.len <= limit.clamp(300, 1472));
        let message = Message::parse(&buffer[..composed.len]).unwrap();
        let mut joined = [0; 1472];
        for (code, value) in placed {
            prop_assert!(!composed.missed.contains(code));
            prop_assert_eq!(message.concat(code, &mut joined), Some(&value[..]));
        }
        for code in composed.missed.iter() {
            prop_assert!(!message.has(code));
        }
        if echoed {
            prop_assert_eq!(message.concat(82, &mut joined), Some(&relay[..]));
        }
    }

    #[test]
    fn a_block_means_the_same_as_its_options(
        limit in 300usize..700,
        options in vec((1u8..=254, vec(any::<u8>(), 0..60)), 0..12),
    ) {
        let mut seen = CodeSet::of(&[52, 82]);
        let options: Vec<_> = options.into_iter().filter(|(code, _)| seen.insert(*code)).collect();
        let mut block = Vec::new();
        let (mut one, mut all) = ([0; 1472], [0; 1472]);
        let mut composer = Composer::new(&mut one, limit);
        composer.op(2);
        for (code, value) in &options {
            block.extend([*code, value.len() as u8]);
            block.extend(value);
            composer.option(*code, value);
        }
        let by_option = composer.finish();
        let mut composer = Composer::new(&mut all, limit);
        composer.op(2);
        composer.block(&block);
        let by_block = composer.finish();
        prop_assert_eq!(by_option, by_block);
        prop_assert_eq!(&one[..by_option.len], &all[..by_block.len]);
    }
}
