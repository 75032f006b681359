//! What the nodes of a cluster know in common beside leases: revisions of the configuration, tokens, accounts.

use super::dial::{database, tell_waiting};
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

/// Connections: people change little.
pub(super) const CONNECTIONS: usize = 1;
/// How often it is looked whether another node has changed something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a revision that could not be taken over is tried again, and everything is looked at without a note.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);
/// Notes per look.
const NOTES: usize = 1000;

/// The cluster's records, and the notes about their changes.
#[derive(Debug, Clone)]
pub(crate) struct Book {
    records: PostgresRecords,
    outbox: Outbox,
}

impl Book {
    /// Connects to the database of `[store]`. Waits, and says so, when it is not there yet.
    ///
    /// # Errors
    /// When waiting will not help.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let StoreEngine::Postgres(url) = &settings.store.records else {
            return Err(Failure::failed(
                "store.engine names no database that nodes share",
                "",
            ));
        };
        Ok(Self::on(&database(url, CONNECTIONS, &settings.store.pool).await?))
    }

    pub(crate) fn on(database: &Postgres) -> Self {
        Self {
            records: database.patient_records(tell_waiting),
            outbox: database.outbox(),
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
            revisions: revisions.clone(),
            tokens: tokens.clone(),
            accounts: accounts.clone(),
        };
        tokio::spawn(follower.run());
    }
}

/// The task that looks for changes.
struct Follower {
    outbox: Outbox,
    revisions: Revisions,
    tokens: Tokens,
    accounts: Desk,
}

/// What notes are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Changed {
    revisions: bool,
    tokens: bool,
    accounts: bool,
}

impl Changed {
    const ALL: Self = Self {
        revisions: true,
        tokens: true,
        accounts: true,
    };
}

impl Follower {
    async fn run(self) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        let mut cursor: Option<Cursor> = None;
        let mut looked = Instant::now();
        loop {
            ticks.tick().await;
            let mut changed = self.news(&mut cursor).await;
            if looked.elapsed() >= LOOK_ANYWAY {
                (changed, looked) = (Changed::ALL, Instant::now());
            }
            // What fails is tried again, and told by the node's health.
            if changed.revisions {
                let _ = self.revisions.follow().await;
            }
            if changed.tokens {
                let _ = self.tokens.refresh().await;
            }
            if changed.accounts {
                let _ = self.accounts.refresh().await;
            }
        }
    }

    /// What has changed since the last look; everything when that cannot be told.
    async fn news(&self, cursor: &mut Option<Cursor>) -> Changed {
        let Some(from) = *cursor else {
            *cursor = self.outbox.now().await.ok();
            return Changed::ALL;
        };
        let mut changed = Changed::default();
        match self.outbox.since(from, NOTES).await {
            Ok(News::Notes { notes, then }) => {
                *cursor = Some(then);
                for note in notes {
                    changed.revisions |= note.topic == "revisions";
                    changed.tokens |= note.topic == "tokens";
                    changed.accounts |= Desk::TABLES.contains(&note.topic.as_str());
                }
            }
            Ok(News::Missed { then }) => {
                *cursor = Some(then);
                changed = Changed::ALL;
            }
            Err(_) => {}
        }
        changed
    }
}
