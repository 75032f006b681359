//! Pins in the records: a row for each, and a number that grows with every change.
//!
//! ```text
//!   dhcp_pins         <who says so> 0 <position, 4 octets>   {"mac", "address", "within"}
//!   dhcp_pins_state   "number"                               changes so far, 8 octets
//! ```

use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_dhcp_core::pin::Pin;
use purlin_store::{Batch, Expectation};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const TABLE: &str = "dhcp_pins";
const STATE: &str = "dhcp_pins_state";
const NUMBER: &[u8] = b"number";
/// Rows in one read, and in one write.
const PIECE: usize = 500;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the records said when they were last read or written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    number: Option<u64>,
    rows: Rows,
}

impl Kept {
    pub(super) async fn read(ledger: &Ledger) -> Result<Self, Problem> {
        // The number first: what is written meanwhile is read again.
        let number = number(ledger).await?;
        let mut rows = Rows::new();
        let mut after = Vec::new();
        loop {
            let piece = ledger.scan(TABLE, after.clone(), PIECE).await?;
            let last = piece.len() < PIECE;
            rows.extend(piece);
            match rows.last_key_value() {
                Some((key, _)) if !last => after.clone_from(key),
                _ => return Ok(Self { number, rows }),
            }
        }
    }

    /// Whether nothing was ever written.
    pub(super) fn is_new(&self) -> bool {
        self.number.is_none()
    }

    /// In the order in which they were.
    pub(crate) fn pins(&self) -> Arc<[Pin]> {
        self.rows
            .iter()
            .filter_map(|(key, value)| pin_of(key, value))
            .collect()
    }

    /// Reads what others have written since; whether they have.
    pub(super) async fn refresh(&mut self, ledger: &Ledger) -> Result<bool, Problem> {
        if number(ledger).await? == self.number {
            return Ok(false);
        }
        *self = Self::read(ledger).await?;
        Ok(true)
    }

    /// Writes what differs, what comes before what goes. Somebody else who writes meanwhile makes it fail: what is there is
    /// read then, for the next time.
    pub(super) async fn write(&mut self, ledger: &Ledger, pins: &[Pin]) -> Result<(), Problem> {
        let wanted = rows_of(pins);
        let put = wanted
            .iter()
            .filter(|(key, value)| self.rows.get(*key) != Some(*value));
        let put = put.map(|(key, value)| (key.clone(), Some(value.clone())));
        let gone = self.rows.keys().filter(|key| !wanted.contains_key(*key));
        let changes: Vec<(Vec<u8>, Option<Vec<u8>>)> =
            put.chain(gone.map(|key| (key.clone(), None))).collect();
        for piece in changes.chunks(PIECE) {
            if let Err(problem) = self.commit(ledger, piece).await {
                *self = Self::read(ledger).await?;
                return Err(problem);
            }
        }
        Ok(())
    }

    async fn commit(&mut self, ledger: &Ledger, piece: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), Problem> {
        let before = match self.number {
            Some(number) => Expectation::Value(number.to_be_bytes().to_vec()),
            None => Expectation::Absent,
        };
        let next = self.number.unwrap_or(0) + 1;
        let mut batch =
            Batch::default()
                .quietly()
                .expect(STATE, NUMBER, before)
                .put(STATE, NUMBER, next.to_be_bytes());
        for (key, value) in piece {
            batch = match value {
                Some(value) => batch.put(TABLE, key.clone(), value.clone()),
                None => batch.delete(TABLE, key.clone()),
            };
        }
        ledger.commit(batch).await?;
        self.number = Some(next);
        for (key, value) in piece {
            match value {
                Some(value) => self.rows.insert(key.clone(), value.clone()),
                None => self.rows.remove(key),
            };
        }
        Ok(())
    }
}

async fn number(ledger: &Ledger) -> Result<Option<u64>, Problem> {
    let found = ledger.get(STATE, NUMBER.to_vec()).await?;
    Ok(found.and_then(|octets| octets.try_into().ok().map(u64::from_be_bytes)))
}

/// Pins that are sorted by who says so, as rows that are read back in this order.
fn rows_of(pins: &[Pin]) -> Rows {
    let mut rows = Rows::new();
    let (mut by, mut at) = (None, 0u32);
    for pin in pins {
        at = if by == Some(&pin.by) { at + 1 } else { 0 };
        by = Some(&pin.by);
        let key = [pin.by.as_bytes(), &[0], &at.to_be_bytes()].concat();
        let value = json!({ "mac": pin.mac.to_string(), "address": pin.address, "within": pin.within });
        rows.insert(key, value.to_string().into_bytes());
    }
    rows
}

fn pin_of(key: &[u8], value: &[u8]) -> Option<Pin> {
    let by = key.get(..key.len().checked_sub(5)?)?;
    let value: Value = serde_json::from_slice(value).ok()?;
    Some(Pin {
        mac: value["mac"].as_str()?.parse().ok()?,
        address: value["address"].as_str()?.parse().ok()?,
        within: value["within"].as_str()?.parse().ok()?,
        by: String::from_utf8(by.to_vec()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_store_embedded::{Embedded, Options};
    use tempfile::TempDir;

    fn pin(n: u8, address: &str, by: &str) -> Pin {
        Pin {
            mac: purlin_types::Mac([2, 0, 0, 0, 0, n]),
            address: address.parse().expect("an address"),
            within: "10.0.0.2".parse().expect("an address"),
            by: by.to_owned(),
        }
    }

    fn ledger() -> (TempDir, Embedded, Ledger) {
        let directory = TempDir::new().expect("there is room for an empty directory");
        let store = Embedded::open(directory.path(), Options::default()).expect("a store");
        let ledger = Ledger::new(store.records());
        (directory, store, ledger)
    }

    #[tokio::test]
    async fn what_is_kept_is_read_back_in_its_order_and_follows_what_changes() {
        let (_directory, _store, ledger) = ledger();
        let mut kept = Kept::read(&ledger).await.expect("records");
        assert!(kept.is_new() && kept.pins().is_empty());
        let first = [
            pin(1, "10.0.0.12", "port a of switch web"),
            pin(1, "10.0.0.11", "port a of switch web"),
            pin(2, "10.0.0.9", "port b of switch web"),
        ];
        kept.write(&ledger, &first).await.expect("written");
        let mut other = Kept::read(&ledger).await.expect("records");
        assert_eq!(*other.pins(), first);
        assert!(!other.refresh(&ledger).await.expect("records"), "nothing new");

        let second = [pin(2, "10.0.0.10", "port b of switch web")];
        kept.write(&ledger, &second).await.expect("written");
        assert!(other.refresh(&ledger).await.expect("records"));
        assert_eq!(*other.pins(), second);
        // Who writes what it has not read is refused, and knows better then.
        kept.write(&ledger, &first).await.expect("written");
        other
            .write(&ledger, &[])
            .await
            .expect_err("somebody else has written");
        assert_eq!(*other.pins(), first);
        other.write(&ledger, &[]).await.expect("written");
        assert!(Kept::read(&ledger).await.expect("records").pins().is_empty());
    }

    #[tokio::test]
    async fn thousands_are_kept_in_pieces() {
        let (_directory, _store, ledger) = ledger();
        let one = |n: u32| {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string();
            pin(1, &address, &format!("port {n:05} of switch web"))
        };
        let all: Vec<Pin> = (0..2 * PIECE as u32 + 1).map(one).collect();
        let mut kept = Kept::default();
        kept.write(&ledger, &all).await.expect("written");
        assert_eq!(*Kept::read(&ledger).await.expect("records").pins(), *all);
    }
}
