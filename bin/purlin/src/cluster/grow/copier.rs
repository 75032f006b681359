//! Rows on their way into the database: only what has changed since it was last written.

use super::claims::Claims;
use crate::exit::chain;
use purlin_dhcp_core::rows::shown::STATE_OCTET;
use purlin_dhcp_core::rows::{LEASES, WINDOWS, ended, freed, last_seen};
use purlin_dhcp_server::SharedRow;
use purlin_store::{FenceFault, FencedRow};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// Rows per transaction.
const BATCH: usize = 1000;
/// Rows per question.
const PAGE: usize = 5000;
/// Before a store that did not answer is asked again, and how often.
const PAUSE: Duration = Duration::from_millis(500);
const TRIES: u32 = 20;

/// What a row said when it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Written {
    digest: u64,
    version: u32,
}

/// Writes rows, and knows what it has written.
#[derive(Debug)]
pub(super) struct Copier {
    claims: Claims,
    leases: HashMap<u64, Written>,
    windows: HashSet<u64>,
}

impl Copier {
    /// Nothing is in the database but what an earlier try has left: those rows say nothing any more.
    pub(super) async fn begin(claims: Claims) -> Result<Self, String> {
        let mut copier = Self {
            claims,
            leases: HashMap::new(),
            windows: HashSet::new(),
        };
        let mut after = None;
        loop {
            let page = copier.claims.rows().page(LEASES, after, PAGE).await;
            let page = page.map_err(|fault| chain(&fault))?;
            after = page.last().map(|stored| stored.row.key);
            let full = page.len() == PAGE;
            let freed: Vec<FencedRow> = page
                .into_iter()
                .map(|stored| free_row(stored.row.key, stored.row.version))
                .collect();
            copier.write(LEASES, &freed, false).await?;
            copier
                .leases
                .extend(freed.iter().map(|row| (row.key, Written::of(row))));
            if !full {
                return Ok(copier);
            }
        }
    }

    /// Rows of leases that are in the database.
    pub(super) fn rows(&self) -> u64 {
        self.leases.len() as u64
    }

    /// Writes what has changed; how many. What cannot stand beside another row yet waits for the next pass.
    pub(super) async fn put(&mut self, rows: &[SharedRow]) -> Result<u64, String> {
        self.put_changed(rows, false).await
    }

    /// Writes the rest: these rows are all there is, and the whole truth. Gives them as they are in the database.
    pub(super) async fn put_last(&mut self, rows: Vec<SharedRow>) -> Result<Vec<SharedRow>, String> {
        let rows = one_per_client(rows);
        let there: HashSet<u64> = rows
            .iter()
            .filter(|row| row.table == LEASES)
            .map(|row| row.row.key)
            .collect();
        let gone: Vec<SharedRow> = self
            .leases
            .iter()
            .filter(|(key, _)| !there.contains(key))
            .map(|(&key, written)| SharedRow {
                table: LEASES,
                row: free_row(key, written.version),
            })
            .collect();
        self.put_changed(&gone, true).await?;
        self.put_changed(&rows, true).await?;
        Ok(rows)
    }

    /// Under which rows are written.
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    async fn put_changed(&mut self, rows: &[SharedRow], last: bool) -> Result<u64, String> {
        let of = |table| {
            rows.iter()
                .filter(move |row| row.table == table)
                .map(|row| &row.row)
        };
        let windows = of(WINDOWS).filter(|row| !self.windows.contains(&row.key));
        let windows: Vec<FencedRow> = windows.cloned().collect();
        for batch in windows.chunks(BATCH) {
            self.write(WINDOWS, batch, last).await?;
            self.windows.extend(batch.iter().map(|row| row.key));
        }
        let mut leases: Vec<FencedRow> = of(LEASES).filter(|row| self.is_news(row)).cloned().collect();
        // Rows that claim nothing come first, so that what they give up is free for the others.
        leases.sort_by_key(|row| (row.unique.is_some(), row.key));
        let mut written = 0;
        for batch in leases.chunks(BATCH) {
            let left_out = self.write(LEASES, batch, last).await?;
            let done = batch.iter().filter(|row| !left_out.contains(&row.key));
            let done: Vec<(u64, Written)> = done.map(|row| (row.key, Written::of(row))).collect();
            written += done.len() as u64;
            self.leases.extend(done);
        }
        Ok(written)
    }

    /// A free address that was never written says nothing.
    fn is_news(&self, row: &FencedRow) -> bool {
        match self.leases.get(&row.key) {
            Some(written) => written.digest != Written::of(row).digest,
            None => row.body.get(STATE_OCTET) != Some(&0),
        }
    }

    /// Writes a batch; the keys of rows that were left out, because another row has what they claim.
    async fn write(&self, table: &str, rows: &[FencedRow], last: bool) -> Result<HashSet<u64>, String> {
        let mut left_out = HashSet::new();
        let mut batch: Vec<FencedRow> = rows.to_vec();
        let mut tries = 0;
        while !batch.is_empty() {
            match self.claims.write(table, &batch).await {
                Ok(()) => break,
                Err(FenceFault::Taken(rivals)) if !last => {
                    left_out.extend(rivals.iter().map(|rival| rival.key));
                    batch.retain(|row| !left_out.contains(&row.key));
                }
                Err(FenceFault::Unknown(_)) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(fault) => return Err(chain(&fault)),
            }
        }
        Ok(left_out)
    }
}

impl Written {
    fn of(row: &FencedRow) -> Self {
        let mut hasher = DefaultHasher::new();
        (&row.body, &row.unique).hash(&mut hasher);
        Self {
            digest: hasher.finish(),
            version: row.version,
        }
    }
}

/// The address is nobody's.
fn free_row(key: u64, version: u32) -> FencedRow {
    let version = version.saturating_add(1);
    let address = u32::try_from(key).unwrap_or(0);
    FencedRow {
        key,
        slot: purlin_types::Slot::of_address(address.into()),
        version,
        unique: None,
        body: freed(address, version),
    }
}

/// Of several bound leases of one client in one network only the newest claims the client; the others have ended, and
/// their addresses rest as long as was promised.
fn one_per_client(mut rows: Vec<SharedRow>) -> Vec<SharedRow> {
    let mut newest: HashMap<Vec<u8>, (u32, u64)> = HashMap::new();
    for row in &rows {
        if let Some(unique) = &row.row.unique {
            let seen = (last_seen(&row.row.body), row.row.key);
            let known = newest.entry(unique.clone()).or_insert(seen);
            *known = seen.max(*known);
        }
    }
    for row in &mut rows {
        let older = row
            .row
            .unique
            .as_ref()
            .is_some_and(|unique| newest[unique].1 != row.row.key);
        if older {
            row.row.body = ended(&row.row.body);
            row.row.unique = None;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_types::Slot;

    fn row(key: u64, unique: Option<&[u8]>, body: Vec<u8>) -> SharedRow {
        SharedRow {
            table: LEASES,
            row: FencedRow {
                key,
                slot: Slot::of_address(std::net::Ipv4Addr::from(key as u32)),
                version: 1,
                unique: unique.map(<[u8]>::to_vec),
                body,
            },
        }
    }

    #[test]
    fn of_two_leases_of_a_client_the_newer_claims_it() {
        // Bound, and seen then: as docs/formats/dhcp-records.md has it.
        let bound = |address: u32, seen: u32| {
            let mut body = freed(address, 1);
            body[STATE_OCTET] = 2;
            body[21..25].copy_from_slice(&seen.to_le_bytes());
            assert_eq!(last_seen(&body), seen);
            body
        };
        let rows = one_per_client(vec![
            row(1, Some(b"a"), bound(1, 50)),
            row(2, Some(b"a"), bound(2, 40)),
            row(3, Some(b"b"), bound(3, 10)),
        ]);
        let claims: Vec<bool> = rows.iter().map(|row| row.row.unique.is_some()).collect();
        assert_eq!(claims, [true, false, true]);
        assert_eq!(rows[0].row.body, bound(1, 50));
        assert_ne!(rows[1].row.body, bound(2, 40));
    }
}
