//! The fuzzer's corpus, replayed by the ordinary tests, and the same with octets that are wrong.

use crate::ask::ask_everything;
use crate::random::Random;
use purlin_chain_bft::Message;
use std::collections::BTreeSet;
use std::path::Path;

/// Of each kept message, so many with something wrong.
const WRONG: u64 = 200;

fn kept() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/chain_message");
    let entries = std::fs::read_dir(folder).expect("the corpus is part of the tree");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    let read = |path| std::fs::read(path).expect("a readable file");
    paths.into_iter().map(read).collect()
}

#[test]
fn the_kept_corpus_is_still_harmless_and_has_every_kind_of_message() {
    let kept = kept();
    kept.iter().for_each(|octets| ask_everything(octets));
    let good = kept.iter().filter(|octets| Message::decode(octets).is_ok());
    let kinds: BTreeSet<u8> = good.map(|octets| octets[0]).collect();
    assert_eq!(kinds, (1..=8).collect());
}

#[test]
fn a_message_with_wrong_octets_brings_nothing_down() {
    let mut random = Random::new(1);
    for octets in kept().iter().filter(|octets| !octets.is_empty()) {
        let len = octets.len() as u64;
        for _ in 0..WRONG {
            let mut wrong = octets.clone();
            let at = random.below(len) as usize;
            match random.below(4) {
                0 => wrong[at] ^= 1 << random.below(8),
                1 => wrong.truncate(at),
                2 => wrong.insert(at, random.below(256) as u8),
                // What lengths are made of.
                _ => wrong[at] = [0x00, 0x7f, 0x80, 0xb8, 0xbf, 0xc0, 0xf8, 0xff][random.below(8) as usize],
            }
            ask_everything(&wrong);
        }
    }
}
