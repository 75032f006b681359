//! The fuzzer's corpus, replayed by the ordinary tests, and random octets beside it.

use crate::ask::ask_everything;
use proptest::prelude::*;
use std::path::Path;

#[test]
fn the_kept_corpus_is_still_harmless() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/corpus/ovsdb_session");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus is part of the tree") {
        ask_everything(&std::fs::read(entry.unwrap().path()).unwrap());
        seen += 1;
    }
    assert!(seen >= 8, "only {seen} conversations in the corpus");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_a_server_sends_brings_nothing_down(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        ask_everything(&octets);
    }

    #[test]
    fn nor_do_updates_with_holes(
        kind in prop::sample::select(vec!["insert", "modify", "delete", "new", "old", "initial", "x"]),
        column in prop::sample::select(vec!["name", "ports", "tag", "external_ids", "y"]),
        value in prop::sample::select(vec![
            "null", "7", "\"a\"", "[\"set\",[]]", "[\"set\",[1,1]]", "[\"map\",[[\"a\",\"b\"]]]", "[\"uuid\",\"x\"]", "[]", "[\"set\"]", "{}",
        ]),
    ) {
        let row = format!(r#"{{"550e8400-e29b-41d4-a716-446655440000":{{"{kind}":{{"{column}":{value}}}}}}}"#);
        ask_everything(format!(r#"{{"method":"update2","params":["m",{{"Logical_Switch":{row}}}],"id":null}}"#).as_bytes());
    }
}
