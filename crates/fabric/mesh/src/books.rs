//! What the cluster's store keeps of the mesh, in records that every node reads.
//!
//! ```text
//!   mesh.authority    1            certificate, sealed key
//!   mesh.certificate  NODE/SERIAL  when it ends, who issued it
//!   mesh.revoked      NODE/SERIAL  when it would have ended: until then it is refused
//!   mesh.token        ID           hash of the secret, for whom, until when, used by whom
//! ```

use crate::authority::{Authority, Issued};
use crate::mesh::MeshError;
use crate::peer::Serial;
use crate::seal::{self, Sealed};
use purlin_store::{Batch, Expectation, RecordError, Records, Row};
use purlin_types::{NodeId, WallTime};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;

const AUTHORITY: &str = "mesh.authority";
const CERTIFICATE: &str = "mesh.certificate";
const REVOKED: &str = "mesh.revoked";
pub(crate) const TOKEN: &str = "mesh.token";

/// The only row of `mesh.authority`.
const FIRST: &[u8] = b"1";
/// Rows read at once.
const PAGE: usize = 1000;

/// The records, from async code: every call runs on a blocking thread.
#[derive(Debug, Clone)]
pub(crate) struct Books(Arc<dyn Records>);

#[derive(Serialize, Deserialize)]
struct StoredAuthority {
    certificate: String,
    key: Sealed,
}

/// A row of `mesh.certificate` and of `mesh.revoked`; times are seconds since the Unix epoch.
#[derive(Debug, Serialize, Deserialize)]
struct StoredCertificate {
    until: u64,
    /// When it was issued or revoked.
    at: u64,
    /// The node that did it.
    by: String,
}

impl Books {
    pub(crate) fn new(records: Arc<dyn Records>) -> Self {
        Self(records)
    }

    /// Runs one piece of blocking work with the records.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Records) -> Result<T, MeshError> + Send + 'static,
    ) -> Result<T, MeshError> {
        let records = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(records.as_ref())).await;
        done.unwrap_or(Err(MeshError::Died))
    }

    /// The cluster's authority, and whether it was made just now because there was none. Of several nodes that make one
    /// at once, the first wins.
    pub(crate) async fn authority(
        &self,
        secret: Vec<u8>,
        now: WallTime,
    ) -> Result<(Authority, bool), MeshError> {
        self.with(move |records| {
            if let Some(row) = records.get(AUTHORITY, FIRST)? {
                return Ok((opened(&row, &secret)?, false));
            }
            let (authority, key) = Authority::make(now)?;
            let stored = StoredAuthority {
                key: seal::seal(&secret, authority.pem().as_bytes(), key.as_bytes()),
                certificate: authority.pem().to_owned(),
            };
            let batch = Batch::default()
                .expect(AUTHORITY, FIRST, Expectation::Absent)
                .put(AUTHORITY, FIRST, json(&stored));
            match records.commit(batch) {
                Ok(()) => Ok((authority, true)),
                Err(RecordError::Conflict { .. }) => {
                    let row = records
                        .get(AUTHORITY, FIRST)?
                        .ok_or(MeshError::Damaged(AUTHORITY))?;
                    Ok((opened(&row, &secret)?, false))
                }
                Err(other) => Err(other.into()),
            }
        })
        .await
    }

    /// Notes that a certificate was issued, so that it can be revoked.
    pub(crate) async fn issued(
        &self,
        id: &NodeId,
        issued: &Issued,
        by: &NodeId,
        now: WallTime,
    ) -> Result<(), MeshError> {
        let batch = note_issued(Batch::default(), id, issued, by, now);
        self.with(move |records| Ok(records.commit(batch)?)).await
    }

    /// The serials of all certificates that are refused although they have not ended.
    pub(crate) async fn revoked(&self) -> Result<HashSet<Serial>, MeshError> {
        self.with(|records| {
            let rows = all(records, REVOKED, b"")?;
            let serial = |(key, _): &Row| {
                let key = String::from_utf8_lossy(key);
                key.rsplit_once('/').map(|(_, serial)| Serial::read(serial))
            };
            Ok(rows.iter().filter_map(serial).collect())
        })
        .await
    }

    /// Revokes every certificate of a node that has not ended; how many.
    pub(crate) async fn revoke(&self, id: &NodeId, by: &NodeId, now: WallTime) -> Result<usize, MeshError> {
        let (prefix, by, now) = (format!("{id}/"), by.to_string(), now.0 / 1000);
        self.with(move |records| {
            let rows = all(records, CERTIFICATE, prefix.as_bytes())?;
            let mut batch = Batch::default();
            for (key, value) in rows {
                let found: StoredCertificate = read(&value, CERTIFICATE)?;
                batch = batch.delete(CERTIFICATE, key.clone());
                if found.until >= now {
                    let row = StoredCertificate {
                        until: found.until,
                        at: now,
                        by: by.clone(),
                    };
                    batch = batch.put(REVOKED, key, json(&row));
                }
            }
            let count = batch.put.len();
            if !batch.delete.is_empty() {
                records.commit(batch)?;
            }
            Ok(count)
        })
        .await
    }

    /// Forgets certificates that have ended: nobody believes them any more.
    pub(crate) async fn forget_ended(&self, now: WallTime) -> Result<(), MeshError> {
        let now = now.0 / 1000;
        self.with(move |records| {
            let mut batch = Batch::default();
            for table in [CERTIFICATE, REVOKED] {
                for (key, value) in all(records, table, b"")? {
                    if read::<StoredCertificate>(&value, table)?.until < now {
                        batch = batch.delete(table, key);
                    }
                }
            }
            if !batch.delete.is_empty() {
                records.commit(batch)?;
            }
            Ok(())
        })
        .await
    }
}

/// Adds to a batch that a certificate was issued.
pub(crate) fn note_issued(batch: Batch, id: &NodeId, issued: &Issued, by: &NodeId, now: WallTime) -> Batch {
    let row = StoredCertificate {
        until: issued.validity.not_after,
        at: now.0 / 1000,
        by: by.to_string(),
    };
    batch.put(
        CERTIFICATE,
        format!("{id}/{}", issued.serial).into_bytes(),
        json(&row),
    )
}

/// All rows of a table whose keys begin with `prefix`.
pub(crate) fn all(records: &dyn Records, table: &str, prefix: &[u8]) -> Result<Vec<Row>, MeshError> {
    let (mut found, mut after) = (Vec::new(), prefix.to_vec());
    loop {
        let page = records.scan(table, &after, PAGE)?;
        let full = page.len() == PAGE;
        let Some((last, _)) = page.last() else {
            return Ok(found);
        };
        after.clone_from(last);
        let before = found.len();
        let size = page.len();
        found.extend(page.into_iter().filter(|(key, _)| key.starts_with(prefix)));
        if !full || found.len() - before < size {
            return Ok(found);
        }
    }
}

pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts and numbers are JSON")
}

pub(crate) fn read<T: for<'a> Deserialize<'a>>(row: &[u8], table: &'static str) -> Result<T, MeshError> {
    serde_json::from_slice(row).map_err(|_| MeshError::Damaged(table))
}

fn opened(row: &[u8], secret: &[u8]) -> Result<Authority, MeshError> {
    let stored: StoredAuthority = read(row, AUTHORITY)?;
    let key = seal::open(secret, stored.certificate.as_bytes(), &stored.key);
    let key = key.and_then(|octets| String::from_utf8(octets).ok());
    let key = key.ok_or(MeshError::OtherSecret)?;
    Ok(Authority::load(&stored.certificate, &key)?)
}
