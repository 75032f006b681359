//! What the nodes of a cluster know in common beside leases: revisions of the configuration, tokens, accounts.

use super::dial::database;
use super::waits::Waits;
use crate::exit::Failure;
use crate::settings::Settings;
use purlin_accounts::Desk;
use purlin_api::revisions::Revisions;
use purlin_api::tokens::Tokens;
use purlin_config::sections::store::StoreEngine;
use purlin_fabric::invalidate::{Cursor, News};
use purlin_store::Records;
use purlin_store_postgres::{Outbox, Postgres, PostgresRecords};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Connections: people change little.
pub(super) const CONNECTIONS: usize = 1;
/// How often it is looked whether another node has changed something when the database does not say so by itself: a
/// proxy may keep its word from us.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a revision that could not be taken over is tried again, and everything is looked at without a note.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);
/// Notes per look.
const NOTES: usize = 1000;
/// Rows of accounts that are read one by one; of more, all are.
const ROWS: usize = 200;

/// The cluster's records, and the notes about their changes.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    records: PostgresRecords,
    outbox: Outbox,
    bell: watch::Receiver<u64>,
}

impl Book {
    /// Connects to the database of `[store]`. Waits, and says so, when it is not there yet.
    ///
    /// # Errors
    /// When waiting will not help.
    pub(crate) async fn open(settings: &Settings, waits: &Waits) -> Result<Self, Failure> {
        let StoreEngine::Postgres(url) = &settings.store.records else {
            return Err(Failure::failed(
                "store.engine names no database that nodes share",
                "",
            ));
        };
        let database = database(url, CONNECTIONS, &settings.store.pool, waits).await?;
        Ok(Self::on(&database, waits))
    }

    fn on(database: &Postgres, waits: &Waits) -> Self {
        Self {
            records: database.patient_records(waits.teller()),
            outbox: database.outbox(),
            bell: database.bell(),
        }
    }

    pub(crate) fn records(&self) -> Arc<dyn Records> {
        Arc::new(self.records.clone())
    }

    /// From now on nobody waits for records that cannot be read or written.
    pub(crate) fn started(&self) {
        self.records.started();
    }

    /// Takes over what other nodes change, as long as the process lives.
    pub(crate) fn follow(&self, revisions: &Revisions, tokens: &Tokens, accounts: &Desk) {
        let follower = Follower {
            outbox: self.outbox.clone(),
            bell: self.bell.clone(),
            revisions: revisions.clone(),
            tokens: tokens.clone(),
            accounts: accounts.clone(),
        };
        accounts.share();
        tokio::spawn(follower.run());
    }
}

/// The task that looks for changes.
struct Follower {
    outbox: Outbox,
    bell: watch::Receiver<u64>,
    revisions: Revisions,
    tokens: Tokens,
    accounts: Desk,
}

/// What notes are about.
#[derive(Debug, Default)]
struct Changed {
    revisions: bool,
    tokens: bool,
    accounts: Rows,
}

/// Rows of accounts: all of them, or table and key of each.
#[derive(Debug)]
enum Rows {
    All,
    These(Vec<(String, Vec<u8>)>),
}

impl Default for Rows {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Rows {
    fn and(&mut self, table: String, key: Vec<u8>) {
        match self {
            Self::These(rows) if rows.len() < ROWS => rows.push((table, key)),
            _ => *self = Self::All,
        }
    }
}

impl Changed {
    fn all() -> Self {
        Self {
            revisions: true,
            tokens: true,
            accounts: Rows::All,
        }
    }
}

impl Follower {
    async fn run(mut self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        let mut cursor: Option<Cursor> = None;
        let mut looked = Instant::now();
        loop {
            // Whoever was revoked elsewhere is refused here within milliseconds.
            tokio::select! {
                _ = ticks.tick() => {}
                Ok(()) = self.bell.changed() => {}
            }
            let mut changed = self.news(&mut cursor).await;
            if looked.elapsed() >= LOOK_ANYWAY {
                (changed, looked) = (Changed::all(), Instant::now());
            }
            // Who may do what comes first.
            let mut known = match changed.accounts {
                Rows::All => self.accounts.refresh().await.is_ok(),
                Rows::These(rows) => self.accounts.take_over(rows).await.is_ok(),
            };
            if changed.tokens {
                known &= self.tokens.refresh().await.is_ok();
            }
            // What fails is tried again, and told by the node's health.
            if !known {
                cursor = None;
            }
            if changed.revisions {
                let _ = self.revisions.follow().await;
            }
        }
    }

    /// What has changed since the last look; everything when that cannot be told.
    async fn news(&self, cursor: &mut Option<Cursor>) -> Changed {
        let Some(mut from) = *cursor else {
            *cursor = self.outbox.now().await.ok();
            return Changed::all();
        };
        let mut changed = Changed::default();
        // As many as there are: whoever reads less than is written never comes to the end.
        loop {
            match self.outbox.since(from, NOTES).await {
                Ok(News::Notes { notes, then }) => {
                    let last = notes.len() < NOTES;
                    (*cursor, from) = (Some(then), then);
                    for note in notes {
                        changed.revisions |= note.topic == "revisions";
                        changed.tokens |= note.topic == "tokens";
                        if Desk::TABLES.contains(&note.topic.as_str()) {
                            changed.accounts.and(note.topic, note.body);
                        }
                    }
                    if last {
                        return changed;
                    }
                }
                Ok(News::Missed { then }) => {
                    *cursor = Some(then);
                    return Changed::all();
                }
                Err(_) => return changed,
            }
        }
    }
}
