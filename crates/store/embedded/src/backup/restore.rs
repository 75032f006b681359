//! Verifying an archive and turning it into a data folder again.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use purlin_store::{Batch, Journal, JournalEngine, Records};

use super::archive::{self, Kind, Row};
use super::{BackupError, Progress, Summary, failed};
use crate::embedded::{Embedded, LOCK, Options, RESTORING};
use crate::medium::{Medium, RealFiles};
use crate::restored::Restored;

/// Rows are committed together until they are so many bytes.
const BATCH: usize = 1 << 20;

/// Reads the whole archive and checks every byte of it.
///
/// # Errors
/// [`BackupError::Damaged`] when it is no archive or not whole.
pub fn verify(archive: &Path, progress: Progress<'_>) -> Result<Summary, BackupError> {
    verify_on(&RealFiles, archive, progress)
}

/// As [`verify`], on any medium.
///
/// # Errors
/// As [`verify`].
pub fn verify_on(
    medium: &dyn Medium,
    archive: &Path,
    progress: Progress<'_>,
) -> Result<Summary, BackupError> {
    let total = length(medium, archive)?;
    let mut summary = Summary::default();
    summary.bytes = archive::read(medium, archive, &mut |kind, payload, offset| {
        progress(offset, total);
        let sound = match kind {
            Kind::Journal => str::from_utf8(payload)
                .map(|name| summary.journals.push((name.to_owned(), 0)))
                .is_ok(),
            Kind::Frame => summary
                .journals
                .last_mut()
                .map(|(_, frames)| *frames += 1)
                .is_some(),
            Kind::Row => Row::decode(payload).map(|_| summary.rows += 1).is_some(),
            Kind::Taken => payload
                .try_into()
                .map(|bytes| summary.taken = u64::from_le_bytes(bytes))
                .is_ok(),
            Kind::End => true,
        };
        let path = archive.display().to_string();
        let damage = BackupError::Damaged {
            path,
            offset,
            what: "an item cannot be read",
        };
        if sound { Ok(()) } else { Err(damage) }
    })?;
    progress(total, total);
    Ok(summary)
}

/// Makes a store of the archive in `dir`, which must be empty or absent. The archive is verified first, and a
/// folder in which this did not come to its end is refused by [`Embedded::open`]. The folder says for ever that it was
/// restored ([`Embedded::restored`]); `hold` goes with that.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(
    archive: &Path,
    dir: &Path,
    hold: Option<Duration>,
    progress: Progress<'_>,
) -> Result<Summary, BackupError> {
    let medium: Arc<dyn Medium> = Arc::new(RealFiles);
    restore_on(&medium, archive, dir, hold, progress)
}

/// As [`restore`], on any medium.
///
/// # Errors
/// See [`BackupError`].
pub fn restore_on(
    medium: &Arc<dyn Medium>,
    archive: &Path,
    dir: &Path,
    hold: Option<Duration>,
    progress: Progress<'_>,
) -> Result<Summary, BackupError> {
    // Verifying is half of the reading.
    let summary = verify_on(medium.as_ref(), archive, &mut |done, total| {
        progress(done / 2, total);
    })?;
    let store = begin(medium.clone(), dir)?;
    let mut target = Target {
        store,
        journal: None,
        rows: Batch::default(),
        pending: 0,
    };
    archive::read(medium.as_ref(), archive, &mut |kind, payload, offset| {
        progress((summary.bytes + offset) / 2, summary.bytes);
        target.take(kind, payload)
    })?;
    target.finish()?;
    // Before the folder can be opened, or a crash would lose that what it holds is old.
    Restored::new(summary.taken, hold)
        .and_then(|restored| restored.write(medium.as_ref(), dir))
        .map_err(failed("noting the restore in", dir))?;
    medium
        .remove(&dir.join(RESTORING))
        .map_err(failed("removing the restore mark in", dir))?;
    medium.sync_dir(dir).map_err(failed("syncing", dir))?;
    progress(summary.bytes, summary.bytes);
    Ok(summary)
}

/// Marks the empty folder as unfinished and opens a store in it.
fn begin(medium: Arc<dyn Medium>, dir: &Path) -> Result<Embedded, BackupError> {
    medium.create_dir(dir).map_err(failed("creating", dir))?;
    let names = medium.list(dir).map_err(failed("listing", dir))?;
    // A file system of its own has that folder from the start.
    if names.iter().any(|name| name != "lost+found") {
        return Err(BackupError::NotEmpty {
            path: dir.display().to_string(),
        });
    }
    medium
        .create(&dir.join(RESTORING))
        .map_err(failed("marking", dir))?;
    medium.sync_dir(dir).map_err(failed("syncing", dir))?;
    let lock = medium.lock(&dir.join(LOCK)).map_err(failed("locking", dir))?;
    let lock = lock.ok_or_else(|| BackupError::NotEmpty {
        path: dir.display().to_string(),
    })?;
    Ok(Embedded::assemble(medium, dir, Options::default(), lock)?)
}

struct Target {
    store: Embedded,
    journal: Option<Box<dyn Journal>>,
    rows: Batch,
    pending: usize,
}

impl Target {
    fn take(&mut self, kind: Kind, payload: &[u8]) -> Result<(), BackupError> {
        match kind {
            Kind::Journal => self.change_journal(Some(str::from_utf8(payload).expect("verified before"))),
            Kind::Frame => {
                let journal = self.journal.as_mut().expect("verified before");
                journal.append(payload).map(drop).map_err(BackupError::Append)
            }
            Kind::Row => {
                let row = Row::decode(payload).expect("verified before");
                self.rows
                    .put
                    .push((row.table.to_owned(), row.key.to_vec(), row.value.to_vec()));
                self.pending += payload.len();
                if self.pending >= BATCH {
                    self.commit()
                } else {
                    Ok(())
                }
            }
            Kind::Taken | Kind::End => Ok(()),
        }
    }

    fn change_journal(&mut self, name: Option<&str>) -> Result<(), BackupError> {
        if let Some(mut journal) = self.journal.take() {
            journal.flush().map_err(BackupError::Append)?;
        }
        if let Some(name) = name {
            let journal = self
                .store
                .journals
                .open(name, Arc::new(|| {}), &mut |_: &[u8]| {})?;
            self.journal = Some(journal);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), BackupError> {
        self.pending = 0;
        Ok(self.store.records.commit(std::mem::take(&mut self.rows))?)
    }

    fn finish(mut self) -> Result<(), BackupError> {
        self.change_journal(None)?;
        self.commit()
    }
}

fn length(medium: &dyn Medium, path: &Path) -> Result<u64, BackupError> {
    let file = medium.open_read(path).map_err(failed("opening", path))?;
    file.length().map_err(failed("reading", path))
}
