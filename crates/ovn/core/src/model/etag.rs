//! A row's ETag: a digest of all that people write in it.

use super::{State, is_volatile};
use purlin_ovsdb::Uuid;

/// The ETag of a row, without quotes. Columns that OVN writes by itself do not count, so that a port that comes up does
/// not fail the next write. The same on every node and in every version: FNV-1a over the columns' JSON.
pub fn etag(state: &State<'_>, table: &str, uuid: Uuid) -> Option<String> {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let mut digest: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut add = |text: &str| {
        for octet in text.bytes().chain([0]) {
            digest = (digest ^ u128::from(octet)).wrapping_mul(PRIME);
        }
    };
    add(table);
    add(&uuid.to_string());
    for (name, value) in state.columns(table, uuid)? {
        if !is_volatile(table, name) {
            add(name);
            add(&value.to_json().to_string());
        }
    }
    Some(format!("{digest:032x}"))
}
