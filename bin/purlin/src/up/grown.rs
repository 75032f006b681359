//! `grown.toml` in the data directory: this node was alone and is one of several since. What it says is laid over the
//! node's configuration file, which still is that of a node alone, until that names the shared store itself.
//!
//! The file is the point of no return of `purlin cluster grow`: before it is there, the node's own store is the truth,
//! and afterwards the database is.

use crate::exit::{Failure, chain};
use crate::settings::Settings;
use purlin_config::sections::store::StoreEngine;
use serde_json::Value;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const NAME: &str = "grown.toml";

const HEAD: &str = "# Written by `purlin cluster grow`: this node is one of several, and what stands here holds over its configuration\n\
    # file. It holds the cluster's secret. When the configuration file names the shared store itself, it counts alone.\n\n";

/// What the node was given when it grew.
///
/// # Errors
/// When the file is there and cannot be read: the node must not serve from its own store.
pub(crate) fn read(data_dir: &Path) -> Result<Option<Value>, Failure> {
    let path = data_dir.join(NAME);
    let unreadable = |cause: &dyn std::error::Error| {
        Failure::failed(
            format!("cannot read {}: {}", path.display(), chain(cause)),
            "mend it; it must not be removed: this node's leases are in the cluster's database",
        )
    };
    match fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text)
            .map(Some)
            .map_err(|cause| unreadable(&cause)),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        // Nobody can tell whether the file is there at all.
        Err(cause) if fs::symlink_metadata(&path).is_err() => Err(Failure::failed(
            format!("cannot open the data directory {}: {cause}", data_dir.display()),
            "start as its owner, or name another one with --data-dir",
        )),
        Err(cause) => Err(unreadable(&cause)),
    }
}

/// Whether this node's leases have been moved into a database.
pub(crate) fn is_there(data_dir: &Path) -> bool {
    data_dir.join(NAME).exists()
}

/// Writes it for good: it is there wholly, and on the disk, or not at all.
///
/// # Errors
/// When it could not be written; then it is not there.
pub(crate) fn write(data_dir: &Path, overlay: &Value) -> Result<(), Failure> {
    let (path, fresh) = (data_dir.join(NAME), data_dir.join("grown.toml.new"));
    let text = toml::to_string(overlay).map_err(|cause| Failure::failed(cause.to_string(), ""))?;
    let written = (|| {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(HEAD.as_bytes())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &path)?;
        fs::File::open(data_dir)?.sync_all()
    })();
    written.map_err(|cause: std::io::Error| {
        Failure::failed(
            format!("cannot write {}: {cause}", path.display()),
            "check the disk",
        )
    })
}

/// The configuration as it holds: `file` with what this node was given, unless `file` names a shared store itself.
///
/// # Errors
/// See [`read`].
pub(crate) fn laid(mut config: Value, settings: &Settings, data_dir: &Path) -> Result<Value, Failure> {
    if settings.store.records == StoreEngine::Embedded
        && let Some(overlay) = read(data_dir)?
    {
        lay(&mut config, &overlay);
    }
    Ok(config)
}

/// Lays one document over another, key by key.
pub(crate) fn lay(config: &mut Value, overlay: &Value) {
    match (config, overlay) {
        (Value::Object(config), Value::Object(overlay)) => {
            for (key, value) in overlay {
                lay(config.entry(key).or_insert(Value::Null), value);
            }
        }
        (config, overlay) => config.clone_from(overlay),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_was_given_comes_back_and_is_for_the_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        let overlay = json!({ "store": { "engine": "postgres", "url": "postgresql://x/y" }, "cluster": { "enabled": true, "peer_port": 7 } });
        write(folder.path(), &overlay).unwrap();
        assert_eq!(read(folder.path()).unwrap(), Some(overlay));
        let mode = fs::metadata(folder.path().join(NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_keeps_the_node_from_serving_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "[store").unwrap();
        assert!(read(folder.path()).is_err());
    }

    #[test]
    fn a_data_directory_that_cannot_be_opened_is_told_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("no-directory");
        fs::write(&file, "").unwrap();
        let told = read(&file).unwrap_err().to_string();
        assert!(
            told.contains("cannot open the data directory") && told.contains("--data-dir"),
            "{told}"
        );
        assert!(!told.contains(NAME), "{told}");
    }

    #[test]
    fn keys_lie_over_keys_and_others_stay() {
        let mut config = json!({ "cluster": { "zone": "a", "enabled": false }, "node": { "id": "n" } });
        lay(
            &mut config,
            &json!({ "cluster": { "enabled": true }, "store": { "engine": "postgres" } }),
        );
        let expected = json!({ "cluster": { "zone": "a", "enabled": true }, "node": { "id": "n" }, "store": { "engine": "postgres" } });
        assert_eq!(config, expected);
    }
}
