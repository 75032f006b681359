//! What the journal keeps of a transaction.

use purlin_ovn_core::model::{Diff, Kind};
use purlin_ovsdb::{DatabaseSchema, Uuid};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// When the last id was made: milliseconds, then a counter of 12 bits.
static LAST: AtomicU64 = AtomicU64::new(0);
/// How many ids were put before others.
static BEFORE: AtomicU32 = AtomicU32::new(0);
/// The bit of octet 8 that tells an id from those that were put before it.
const MADE_IN_TURN: u8 = 0x20;
/// How far another node's clock may be ahead, in milliseconds.
const AHEAD_MAX: u64 = 3_600_000;

/// Rows and ports that a list names; the entry itself has all of them.
pub(crate) const NAMED: usize = 64;

/// Whose doing it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// It went through Purlin.
    Purlin,
    /// Somebody else wrote to the database.
    Foreign,
    /// Nobody watched: something may have changed, and it is not known what.
    Gap,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It is under way, or its end is not written down yet.
    Open,
    /// The database has confirmed it, or told about it.
    Committed,
    /// The answer was lost; the rows are as it left them.
    Found,
    /// The answer was lost; the rows are as they were before.
    Absent,
    /// The answer was lost, and others have written the same rows since.
    Unclear,
}

/// A row that it touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Touched {
    pub(crate) table: String,
    pub(crate) uuid: String,
    pub(crate) label: String,
    pub(crate) change: String,
}

/// The short form, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) at: String,
    pub(crate) source: Source,
    pub(crate) outcome: Outcome,
    pub(crate) actor: Option<String>,
    /// Whose rows it was about.
    pub(crate) owner: Option<String>,
    /// `X-Request-Id` of the request that it was made for; entries of earlier versions have none.
    #[serde(default)]
    pub(crate) request: Option<String>,
    /// The tenant that it was done for, whose rows alone it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    /// What it was part of, in words: `undo of ...`, `document shop`.
    pub(crate) about: String,
    /// The database's own id of the transaction; clusters have one, single servers none.
    pub(crate) txn: Option<String>,
    pub(crate) undoes: Option<String>,
    /// Several entries that it undid together, the newest first.
    #[serde(default)]
    pub(crate) takes_back: Vec<String>,
    /// Rows that came, changed, went.
    pub(crate) counts: [usize; 3],
    pub(crate) rows: Vec<Touched>,
    /// Rows beyond those.
    pub(crate) more: usize,
    /// Names of switch ports whose traffic it may change; perhaps not all.
    pub(crate) affected: Vec<String>,
    pub(crate) warnings: usize,
}

/// The rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Body {
    /// Of sets and maps the elements that came and went; `null` where it was too large to keep.
    pub(crate) diff: Value,
    pub(crate) warnings: Value,
    pub(crate) affected: Vec<String>,
}

impl Head {
    pub(crate) fn new(at: String, source: Source, diff: &Diff) -> Self {
        let count = |kind| diff.rows.iter().filter(|row| row.kind == kind).count();
        let touched = diff.rows.iter().take(NAMED).map(|row| Touched {
            table: row.table.clone(),
            uuid: row.uuid.to_string(),
            label: row.label.clone(),
            change: row.kind.word().to_owned(),
        });
        Self {
            at,
            source,
            outcome: Outcome::Open,
            actor: None,
            owner: None,
            request: None,
            tenant: None,
            about: String::new(),
            txn: None,
            undoes: None,
            takes_back: Vec::new(),
            counts: [Kind::Added, Kind::Changed, Kind::Removed].map(count),
            rows: touched.collect(),
            more: diff.rows.len().saturating_sub(NAMED),
            affected: Vec::new(),
            warnings: 0,
        }
    }

    /// It takes these entries back.
    pub(super) fn undoing(&mut self, entries: &[Uuid]) {
        match entries {
            [one] => self.undoes = Some(one.to_string()),
            many => self.takes_back = many.iter().map(ToString::to_string).collect(),
        }
    }

    /// The entries that it takes back.
    pub(super) fn undone(&self) -> impl Iterator<Item = Uuid> + '_ {
        let all = self.undoes.iter().chain(&self.takes_back);
        all.filter_map(|id| Uuid::parse(id))
    }

    pub(crate) fn affecting(&mut self, ports: &[String]) {
        self.affected = ports.iter().take(NAMED).cloned().collect();
    }

    /// As lists answer it.
    pub(crate) fn shown(&self, id: Uuid, undone_by: Option<&str>) -> Value {
        let mut shown = json!(self);
        shown["id"] = json!(id.to_string());
        shown["undone_by"] = json!(undone_by);
        shown["counts"] = json!({
            "added": self.counts[0], "changed": self.counts[1], "removed": self.counts[2],
        });
        shown
    }
}

/// The rest, as it is kept.
pub(crate) fn octets(diff: impl Serialize, warnings: &Value, affected: &[String]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Written<'b, D> {
        diff: D,
        warnings: &'b Value,
        affected: &'b [String],
    }
    let body = Written {
        diff,
        warnings,
        affected,
    };
    serde_json::to_vec(&body).expect("an entry has nothing that JSON cannot say")
}

impl Body {
    pub(crate) fn octets(&self) -> Vec<u8> {
        octets(&self.diff, &self.warnings, &self.affected)
    }

    pub(crate) fn new(diff: &Diff, schema: &DatabaseSchema, warnings: Value, affected: &[String]) -> Self {
        Self {
            diff: diff.to_json(schema),
            warnings,
            affected: affected.to_vec(),
        }
    }
}

/// A new id. Ids sort as the times at which they were made; two of this process never are the same.
///
/// Source: RFC 9562, section 5.7 (UUID version 7), with the counter of section 6.2, method 1.
pub(crate) fn new_id() -> Result<Uuid, getrandom::Error> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX) << 12;
    let step = |last: u64| Some(now.max(last + 1));
    let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    let count = step(last.unwrap_or_else(|last| last)).unwrap_or(now);
    let mut octets = [0; 16];
    getrandom::fill(&mut octets[8..])?;
    octets[..6].copy_from_slice(&(count >> 12).to_be_bytes()[2..]);
    octets[6] = 0x70 | ((count >> 8) & 0x0f) as u8;
    octets[7] = (count & 0xff) as u8;
    octets[8] = (octets[8] & 0x1f) | 0x80 | MADE_IN_TURN;
    Ok(Uuid::from_bytes(octets))
}

/// A new id right before one of this process: after all that were made before that one, and after those that were put
/// there already.
pub(crate) fn id_before(id: Uuid) -> Result<Uuid, getrandom::Error> {
    let mut octets = *id.as_bytes();
    octets[8] = 0x80;
    octets[9..13].copy_from_slice(&BEFORE.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    getrandom::fill(&mut octets[13..])?;
    Ok(Uuid::from_bytes(octets))
}

/// Another node has made this id: those that are made here from now on are later, whatever its clock says. A clock that
/// is wrong by more than an hour is not believed.
pub(crate) fn observe(id: Uuid) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let made = u64::try_from(made_at(id)).unwrap_or_default();
    if made
        < u64::try_from(since.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_add(AHEAD_MAX)
    {
        let octets = id.as_bytes();
        let counter = u64::from(octets[6] & 0x0f) << 8 | u64::from(octets[7]);
        LAST.fetch_max(made << 12 | counter, Ordering::Relaxed);
    }
}

/// Keys sort the newest first: records are read from the lowest key on.
pub(crate) fn key(id: Uuid) -> Vec<u8> {
    id.as_bytes().iter().map(|octet| !octet).collect()
}

/// The id behind a key.
pub(crate) fn id_of(key: &[u8]) -> Option<Uuid> {
    let octets: [u8; 16] = key.try_into().ok()?;
    Some(Uuid::from_bytes(octets.map(|octet| !octet)))
}

/// Milliseconds since the Unix epoch at which an id was made.
pub(crate) fn made_at(id: Uuid) -> i64 {
    id.as_bytes()[..6]
        .iter()
        .fold(0, |millis, octet| (millis << 8) | i64::from(*octet))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order_and_their_keys_in_the_other() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| new_id().expect("random octets")).collect();
        assert!(
            ids.is_sorted_by(|a, b| a < b),
            "each is later than the one before"
        );
        let keys: Vec<Vec<u8>> = ids.iter().map(|id| key(*id)).collect();
        assert!(keys.is_sorted_by(|a, b| a > b));
        assert_eq!(
            keys.iter().map(|key| id_of(key)).collect::<Vec<_>>(),
            ids.iter().copied().map(Some).collect::<Vec<_>>()
        );
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_millis();
        assert!((now as i64 - made_at(ids[0])).abs() < 60_000);
    }

    #[test]
    fn what_is_put_before_an_id_is_after_all_earlier_ones() {
        for _ in 0..10_000 {
            let [first, last] = [(); 2].map(|()| new_id().expect("random octets"));
            let [one, two] = [(); 2].map(|()| id_before(last).expect("random octets"));
            assert!(
                first < one && one < two && two < last,
                "{first} {one} {two} {last}"
            );
            assert_eq!(made_at(one), made_at(last));
        }
    }

    #[test]
    fn what_is_made_after_another_nodes_entry_is_later_whatever_the_clocks_say() {
        let ahead = |millis: u64| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            let then = now.as_millis() as u64 + millis;
            let mut octets = [0; 16];
            octets[..6].copy_from_slice(&then.to_be_bytes()[2..]);
            octets[6..8].copy_from_slice(&[0x7f, 0xf0]);
            Uuid::from_bytes(octets)
        };
        let theirs = ahead(20_000);
        assert!(new_id().expect("random octets") < theirs);
        observe(theirs);
        assert!(new_id().expect("random octets") > theirs);
        let wrong = ahead(AHEAD_MAX + 60_000);
        observe(wrong);
        assert!(
            new_id().expect("random octets") < wrong,
            "one wrong clock does not move all others"
        );
    }
}
