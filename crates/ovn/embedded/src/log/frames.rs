//! Records in their file: a header with length and sum, and the text.

use super::LogError;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::Value;
use std::path::Path;

const MAGIC: &str = "OVSDB JSON ";

/// Writes a record behind what is there.
pub(super) fn frame(out: &mut Vec<u8>, json: &Value) {
    let mut text = json.to_string();
    text.push('\n');
    out.extend_from_slice(format!("{MAGIC}{} {}\n", text.len(), hash(text.as_bytes())).as_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn hash(octets: &[u8]) -> String {
    let digest = digest(&SHA1_FOR_LEGACY_USE_ONLY, octets);
    digest
        .as_ref()
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// The records, and up to where the file is good.
pub(super) fn read(path: &Path, octets: &[u8]) -> Result<(Vec<Value>, u64), LogError> {
    let (mut records, mut at) = (Vec::new(), 0);
    while at < octets.len() {
        match one(&octets[at..]) {
            Some((record, length)) => {
                records.push(record);
                at += length;
            }
            // What follows a damaged record was answered, if it is whole.
            None if follows(&octets[at + 1..]) => {
                return Err(LogError::Damaged {
                    path: path.to_owned(),
                    at: at as u64,
                    what: "a record is damaged, and whole ones follow it".to_owned(),
                });
            }
            None => break,
        }
    }
    Ok((records, at as u64))
}

/// A whole record at the beginning, and its length.
fn one(octets: &[u8]) -> Option<(Value, usize)> {
    let end = octets.iter().take(100).position(|&octet| octet == b'\n')?;
    let header = std::str::from_utf8(&octets[..end]).ok()?.strip_prefix(MAGIC)?;
    let (length, sum) = header.split_once(' ')?;
    let length: usize = length.parse().ok()?;
    let body = octets.get(end + 1..)?.get(..length)?;
    if hash(body) != sum {
        return None;
    }
    Some((serde_json::from_slice(body).ok()?, end + 1 + length))
}

fn follows(octets: &[u8]) -> bool {
    let magic = MAGIC.as_bytes();
    let starts = octets
        .windows(magic.len())
        .enumerate()
        .filter(|(_, window)| *window == magic);
    starts.map(|(at, _)| at).any(|at| one(&octets[at..]).is_some())
}
