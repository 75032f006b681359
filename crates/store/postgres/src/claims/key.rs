//! Claim keys as text: `slot/0017`, `leader`, `lock/NAME`.

use purlin_fabric::port::ClaimKey;
use purlin_types::Slot;

/// Slots are padded, so that the order of texts is that of slots.
pub(crate) fn text(key: &ClaimKey) -> String {
    match key {
        ClaimKey::Slot(slot) => format!("slot/{:04}", slot.index()),
        ClaimKey::Leader => "leader".to_owned(),
        ClaimKey::Lock(name) => format!("lock/{name}"),
    }
}

/// `None` for what [`text`] does not write.
pub(crate) fn parse(text: &str) -> Option<ClaimKey> {
    if text == "leader" {
        return Some(ClaimKey::Leader);
    }
    match text.split_once('/')? {
        ("slot", index) => index.parse().ok().and_then(Slot::new).map(ClaimKey::Slot),
        ("lock", name) => Some(ClaimKey::Lock(name.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_back_from_their_texts() {
        let slot = |n| ClaimKey::Slot(Slot::new(n).expect("in range"));
        for key in [
            slot(0),
            slot(4095),
            ClaimKey::Leader,
            ClaimKey::Lock("a/b".into()),
        ] {
            assert_eq!(parse(&text(&key)), Some(key));
        }
        assert_eq!(text(&slot(7)), "slot/0007");
        assert_eq!((parse("slot/4096"), parse("else")), (None, None));
    }
}
