//! The fuzzer's corpus, replayed by the ordinary tests.

use crate::ask::ask_everything;
use std::path::Path;

#[test]
fn the_kept_corpus_is_still_harmless() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/tftp_packet");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is part of the tree") {
        let datagram = std::fs::read(entry.expect("a readable folder").path()).expect("a readable file");
        ask_everything(&datagram);
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} packets in the corpus");
}
