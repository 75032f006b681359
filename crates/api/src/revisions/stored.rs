//! Revisions as they lie in the store.
//!
//! ```text
//!   revisions         number ─► who, when, why            (the newest 10,000)
//!   revision_configs  number ─► the whole configuration   (the newest 200)
//!   revision_file     "file" ─► what the configuration file said when it was last read
//!
//!   among several nodes, where only what they share is recorded:
//!   revision_digests  digest ─► number of the newest revision that said this
//!   revision_files    node   ─► digest of what that node's file said when it was last read
//! ```

use purlin_store::{Batch, Expectation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::ledger::{Ledger, key_number, number_key};
use crate::problem::Problem;

const METAS: &str = "revisions";
const CONFIGS: &str = "revision_configs";
const FILE: &str = "revision_file";
const FILE_KEY: &[u8] = b"file";
const DIGESTS: &str = "revision_digests";
const FILES: &str = "revision_files";

const METAS_MAX: u64 = 10_000;
const CONFIGS_MAX: u64 = 200;

/// How a revision came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Read from the configuration file, at start or on SIGHUP.
    File,
    Api,
    Rollback,
}

impl Origin {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
            Self::Rollback => "rollback",
        }
    }
}

/// A revision without its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// From 1.
    pub number: u64,
    /// 0 for the first.
    pub parent: u64,
    /// Name of a token, or of whoever else made it.
    pub author: String,
    pub origin: Origin,
    pub message: String,
    /// RFC 3339.
    pub at: String,
}

/// The tables of revisions.
#[derive(Debug)]
pub(super) struct Shelf(Ledger);

impl Shelf {
    pub(super) fn new(ledger: Ledger) -> Self {
        Self(ledger)
    }

    pub(super) async fn newest(&self) -> Result<Option<Meta>, Problem> {
        let rows = self.0.last(METAS, 1).await?;
        rows.first().map(|(_, row)| read(row)).transpose()
    }

    pub(super) async fn meta(&self, number: u64) -> Result<Option<Meta>, Problem> {
        self.0
            .get(METAS, number_key(number))
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    pub(super) async fn config(&self, number: u64) -> Result<Option<Value>, Problem> {
        self.0
            .get(CONFIGS, number_key(number))
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// Revisions below `end`, newest first.
    pub(super) async fn below(&self, end: u64, limit: usize) -> Result<Vec<Meta>, Problem> {
        // Numbers have no gaps, so the page's first key is known.
        let floor = end.saturating_sub(limit as u64 + 1);
        let rows = self.0.scan(METAS, number_key(floor), limit).await?;
        let mut metas = rows
            .iter()
            .map(|(_, row)| read::<Meta>(row))
            .collect::<Result<Vec<_>, _>>()?;
        metas.retain(|meta| meta.number < end);
        metas.reverse();
        Ok(metas)
    }

    /// Writes one revision with its configuration, and drops what is too old.
    pub(super) async fn add(&self, meta: &Meta, config: &Value, digest: Option<&str>) -> Result<(), Problem> {
        let key = number_key(meta.number);
        let mut batch = Batch::default()
            .expect(METAS, key.clone(), Expectation::Absent)
            .put(METAS, key.clone(), row(meta))
            .put(CONFIGS, key, row(config));
        match digest {
            Some(digest) => batch = batch.put(DIGESTS, digest, number_key(meta.number)),
            None if meta.origin == Origin::File => batch = batch.put(FILE, FILE_KEY, row(config)),
            None => {}
        }
        if let Some(old) = meta.number.checked_sub(METAS_MAX) {
            batch = batch.delete(METAS, number_key(old));
        }
        if let Some(old) = meta.number.checked_sub(CONFIGS_MAX) {
            batch = batch.delete(CONFIGS, number_key(old));
        }
        self.0.commit(batch).await
    }

    /// Writes revisions as they were made elsewhere, oldest first, each with its configuration, where that is still kept,
    /// and its digest.
    pub(super) async fn copy(
        &self,
        revisions: &[(Meta, Option<Value>, Option<String>)],
    ) -> Result<(), Problem> {
        let mut batch = Batch::default();
        for (meta, config, digest) in revisions {
            let key = number_key(meta.number);
            batch = batch.put(METAS, key.clone(), row(meta));
            if let Some(config) = config {
                batch = batch.put(CONFIGS, key.clone(), row(config));
            }
            if let Some(digest) = digest {
                batch = batch.put(DIGESTS, digest.as_str(), key);
            }
        }
        self.0.commit(batch).await
    }

    /// What the configuration file said when it was last taken over.
    pub(super) async fn file(&self) -> Result<Option<Value>, Problem> {
        self.0
            .get(FILE, FILE_KEY.to_vec())
            .await?
            .map(|row| read(&row))
            .transpose()
    }

    /// The newest revision that said what has this digest.
    pub(super) async fn of_digest(&self, digest: &str) -> Result<Option<u64>, Problem> {
        let found = self.0.get(DIGESTS, digest.as_bytes().to_vec()).await?;
        Ok(found.as_deref().and_then(key_number))
    }

    /// The digest of what a node's file said when it was last read.
    pub(super) async fn file_of(&self, node: &str) -> Result<Option<String>, Problem> {
        let found = self.0.get(FILES, node.as_bytes().to_vec()).await?;
        Ok(found.map(|digest| String::from_utf8_lossy(&digest).into_owned()))
    }

    pub(super) async fn set_file_of(&self, node: &str, digest: &str) -> Result<(), Problem> {
        self.0.commit(Batch::default().put(FILES, node, digest)).await
    }

    pub(super) async fn set_file(&self, config: &Value) -> Result<(), Problem> {
        self.0
            .commit(Batch::default().put(FILE, FILE_KEY, row(config)))
            .await
    }
}

fn read<T: DeserializeOwned>(row: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(row).map_err(|cause| Problem::broken(format!("a revision is damaged: {cause}")))
}

fn row(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("revisions have nothing that JSON cannot say")
}
