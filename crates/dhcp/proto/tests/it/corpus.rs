//! Replays the corpus of the fuzz target `dhcp4_message`, so that what fuzzing once found stays found.

use crate::ask::ask_everything;
use std::path::Path;

#[test]
fn the_fuzz_corpus_is_read_without_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/dhcp4_message");
    let mut replayed = 0;
    for entry in std::fs::read_dir(&corpus).expect("the corpus is part of the tree") {
        let path = entry.expect("a readable entry").path();
        ask_everything(&std::fs::read(&path).expect("a readable file"));
        replayed += 1;
    }
    assert!(replayed >= 16, "{replayed} files in {}", corpus.display());
}
