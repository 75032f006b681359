//! Any octets as the value of an option of any kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use purlin_dhcp_proto::catalog::{OptionKind, encode, render};

fuzz_target!(|input: &[u8]| {
    let Some((&first, octets)) = input.split_first() else {
        return;
    };
    let words: Vec<_> = OptionKind::words().collect();
    let kind = OptionKind::parse(words[usize::from(first) % words.len()]).expect("its own word");
    let text = render(kind, octets);
    assert_eq!(encode(kind, &text).as_deref(), Ok(octets), "{kind}: {text}");
    if let Ok(text) = std::str::from_utf8(octets)
        && let Ok(octets) = encode(kind, text)
    {
        assert_eq!(encode(kind, &render(kind, &octets)), Ok(octets), "{kind}: {text}");
    }
});
