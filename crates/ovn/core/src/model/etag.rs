//! A row's ETag: a digest of all that people write in it.

use super::{State, is_volatile};
use purlin_ovsdb::Uuid;
use std::io;

/// FNV-1a of 128 bits over what is written into it.
struct Digest(u128);

impl Digest {
    fn add(&mut self, octets: &[u8]) {
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        for octet in octets {
            self.0 = (self.0 ^ u128::from(*octet)).wrapping_mul(PRIME);
        }
    }

    fn text(&mut self, text: &str) {
        self.add(text.as_bytes());
        self.add(&[0]);
    }
}

impl io::Write for Digest {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.add(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The ETag of a row, without quotes. Columns that OVN writes by itself do not count, so that a port that comes up does
/// not fail the next write. The same on every node and in every version: FNV-1a over the columns' JSON.
pub fn etag(state: &State<'_>, table: &str, uuid: Uuid) -> Option<String> {
    let mut digest = Digest(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    digest.text(table);
    digest.text(&uuid.to_string());
    for (name, value) in state.columns(table, uuid)? {
        if !is_volatile(table, name) {
            digest.text(name);
            serde_json::to_writer(&mut digest, value).expect("a digest takes everything");
            digest.add(&[0]);
        }
    }
    Some(format!("{:032x}", digest.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{layout, nb_schema};
    use purlin_ovsdb::cache::Database;
    use purlin_ovsdb::{Datum, Row};
    use std::sync::Arc;

    #[test]
    fn it_is_the_same_in_every_version() {
        let mut base = Database::empty(Arc::new(layout(nb_schema())));
        let uuid = Uuid::from_bytes([7; 16]);
        let row = Row::new()
            .with("name", "web-1")
            .with("addresses", Datum::set(["dynamic", "unknown"]))
            .with("options", Datum::map([("mtu", "1400")]))
            .with("tag", 7);
        base.set("Logical_Switch_Port", uuid, Some(&row));
        let state = State::new(nb_schema(), &base);
        let etag = etag(&state, "Logical_Switch_Port", uuid);
        assert_eq!(etag.as_deref(), Some("80547c0f8d6f3052147f69eb656701dd"));
    }
}
