//! Backups taken over the API: one file on the node's disk, for its owner only.

use crate::cli::backup_json;
use crate::exit::chain;
use purlin_api::Problem;
use purlin_store_embedded::Embedded;
use serde_json::{Value, json};
use std::error::Error;
use std::fs::Permissions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where backups go when nobody says otherwise, below the data directory.
const FOLDER: &str = "backups";

/// Where a backup would be written.
///
/// # Errors
/// When something of that name is there already.
pub(super) fn target(to: Option<String>, data_dir: &Path) -> Result<PathBuf, Problem> {
    let name = format!(
        "purlin-{}.backup",
        jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ")
    );
    let path = match to.map(PathBuf::from) {
        None => data_dir.join(FOLDER).join(name),
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(file) => file,
    };
    if path.exists() {
        return Err(Problem::already_there("backup", &path.display().to_string()));
    }
    Ok(path)
}

/// Writes the backup while everything runs on.
///
/// # Errors
/// When the file cannot be written; no part of it is left under its name.
pub(super) async fn write(store: Arc<Embedded>, path: PathBuf) -> Result<Value, Problem> {
    let written = tokio::task::spawn_blocking(move || {
        if let Some(folder) = path.parent() {
            super::data_dir::prepare(folder).map_err(|failure| Problem::broken(failure.what))?;
        }
        let began = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
        let summary = store
            .backup(&path, began, &mut |_, _| ())
            .map_err(|cause| refused(&cause))?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))
            .map_err(|cause| Problem::broken(format!("{} is readable by others: {cause}", path.display())))?;
        let mut told = backup_json(&summary);
        told["path"] = json!(path);
        told["at"] = json!(jiff::Timestamp::now().to_string());
        Ok(told)
    });
    written
        .await
        .map_err(|_| Problem::broken("writing the backup panicked"))?
}

/// What the client is told: where the disk is full, nothing is broken.
fn refused(cause: &(dyn Error + 'static)) -> Problem {
    let (mut full, mut next) = (false, Some(cause));
    while let Some(cause) = next {
        let kind = cause.downcast_ref::<io::Error>().map(io::Error::kind);
        full |= matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded));
        next = cause.source();
    }
    if full {
        Problem::full(chain(cause))
    } else {
        Problem::broken(chain(cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_store_embedded::BackupError;

    #[test]
    fn a_full_disk_is_told_as_one() {
        let failed = |kind: ErrorKind| {
            refused(&BackupError::Io {
                what: "writing",
                path: "x".into(),
                source: kind.into(),
            })
        };
        let code = |problem: Problem| problem.reason().code.to_string();
        assert_eq!(code(failed(ErrorKind::StorageFull)), "PUR-9507");
        assert_eq!(code(failed(ErrorKind::PermissionDenied)), "PUR-9500");
    }

    #[test]
    fn a_backup_never_overwrites_and_a_directory_is_a_place_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = target(None, dir.path()).unwrap();
        assert!(chosen.starts_with(dir.path().join(FOLDER)));
        let inside = target(Some(dir.path().display().to_string()), dir.path()).unwrap();
        assert_eq!(inside.parent(), Some(dir.path()));
        let taken = dir.path().join("there");
        std::fs::write(&taken, "").unwrap();
        assert!(target(Some(taken.display().to_string()), dir.path()).is_err());
    }
}
