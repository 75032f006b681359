//! Netascii and gzip: the same file in other words.

use crate::support::{octets, pattern, rig, until};
use purlin_tftp_files::{CHUNK, Content, FileError};
use std::io::Read;
use std::sync::{Arc, mpsc};

fn netascii(text: &[u8]) -> Vec<u8> {
    text.iter()
        .flat_map(|octet| match octet {
            b'\n' => vec![b'\r', b'\n'],
            b'\r' => vec![b'\r', 0],
            other => vec![*other],
        })
        .collect()
}

#[test]
fn netascii_is_converted_whole_and_remembered() {
    let rig = rig(|_| {});
    // Line ends at every place around the border of two chunks.
    let mut text = pattern(2 * CHUNK + 7);
    text[CHUNK - 2..CHUNK + 2].copy_from_slice(b"\n\r\n\r");
    rig.write("a", &text);
    let content = rig.open("a", true).unwrap();
    assert_eq!(octets(&content).unwrap(), netascii(&text));
    assert_eq!(content.size(), netascii(&text).len() as u64);
    let ask = crate::support::ask("a");
    assert!(Arc::ptr_eq(
        &content,
        &rig.tree.recall(&ask, true).unwrap().unwrap()
    ));
    assert!(rig.recall("a").is_none(), "the plain file is another question");
    let reads = rig.tree.stats().disk_reads;
    rig.open("a", true).unwrap();
    assert_eq!(rig.tree.stats().disk_reads, reads);
    assert_ne!(content.etag(), rig.get("a").unwrap().etag());
}

#[test]
fn a_changed_file_is_converted_again() {
    let rig = rig(|_| {});
    rig.write("a", "one\n");
    rig.open("a", true).unwrap();
    rig.replace("a", "two\n");
    assert_eq!(octets(&rig.open("a", true).unwrap()).unwrap(), b"two\r\n");
}

#[test]
fn what_is_too_long_for_a_text_is_refused_as_one() {
    let rig = rig(|_| {});
    rig.write("a", "");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(rig.root.join("a"))
        .unwrap();
    file.set_len((64 << 20) + 1).unwrap();
    assert_eq!(rig.open("a", true).err(), Some(FileError::TooBig));
    assert!(rig.open("a", false).is_ok());
}

fn gzip(content: &Arc<Content>) -> Option<Arc<Content>> {
    let (done, waits) = mpsc::channel();
    content.want_gzip(6, Box::new(move |made| done.send(made).unwrap()));
    waits.recv_timeout(crate::support::LONG).expect("an answer")
}

#[test]
fn a_text_is_compressed_once() {
    let rig = rig(|_| {});
    let text = "a line of a boot script\n".repeat(40_000);
    rig.write("a", &text);
    let content = rig.get("a").unwrap();
    assert!(content.gzip().is_none(), "nobody asked yet");
    let packed = gzip(&content).unwrap();
    assert!(packed.size() < content.size() / 10);
    let mut plain = String::new();
    flate2::read::GzDecoder::new(&*octets(&packed).unwrap())
        .read_to_string(&mut plain)
        .unwrap();
    assert_eq!(plain, text);
    assert!(Arc::ptr_eq(&packed, &content.gzip().unwrap().unwrap()));
    assert!(Arc::ptr_eq(&packed, &gzip(&content).unwrap()));
    assert_ne!(packed.etag(), content.etag());
    assert_eq!(packed.modified(), content.modified());
}

#[test]
fn what_compression_does_not_shorten_goes_plain() {
    let rig = rig(|settings| settings.io.read_ahead.0 = 0);
    rig.write("tiny", "short");
    rig.write("packed", pattern(3 * CHUNK));
    for name in ["tiny", "packed"] {
        let content = rig.get(name).unwrap();
        assert!(gzip(&content).is_none(), "{name}");
        assert!(matches!(content.gzip(), Some(None)), "{name} is not tried again");
    }
    assert!(rig.tree.stats().disk_reads <= 3, "the first chunk told");
}

#[test]
fn variants_count_and_can_go() {
    let rig = rig(|settings| settings.cache.size_max = Some(purlin_types::ByteSize(4 * CHUNK as u64)));
    rig.write("a", "line\n".repeat(100_000));
    let content = rig.get("a").unwrap();
    drop(gzip(&content).unwrap());
    let with = rig.tree.stats().octets;
    assert!(with > content.size());
    rig.write("long", pattern(20 * CHUNK));
    octets(&rig.get("long").unwrap()).unwrap();
    assert!(content.gzip().is_none(), "it had to go for others");
    assert!(gzip(&content).is_some(), "and is made again");
}

#[test]
fn a_dropped_cache_makes_its_forms_anew_for_contents_in_use_too() {
    let rig = rig(|_| {});
    rig.write("a", "line\n".repeat(100_000));
    let content = rig.get("a").unwrap();
    let packed = gzip(&content).unwrap();
    rig.tree.drop_all();
    assert!(content.gzip().is_none(), "it was forgotten");
    let again = gzip(&content).unwrap();
    assert!(!Arc::ptr_eq(&packed, &again));
    assert_eq!(
        octets(&packed).unwrap(),
        octets(&again).unwrap(),
        "who has it goes on"
    );
    drop((packed, again, content));
    rig.tree.drop_all();
    // The thread that made the form lets go of it after it has told us.
    until("nothing is counted twice", || rig.tree.stats().octets == 0);
}
