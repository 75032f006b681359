//! Where the keys of accounts lie: `DATA/chain/keys`, a file each, named as geth names them.
//!
//! ```text
//!   UTC--2026-01-31T12-00-00.000000000Z--f39fd6e51aad88f6f4ce6ab8827279cfffb92266
//! ```

use crate::exit::{Exit, Failure};
use crate::log;
use jiff::Timestamp;
use purlin_chain_client::Keystore;
use purlin_chain_proto::Address;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A directory of keystore files.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

/// A key under its password.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) address: Address,
    pub(crate) path: PathBuf,
    pub(crate) keystore: Keystore,
}

impl Folder {
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("chain").join("keys"))
    }

    /// Writes a new file and says where it is.
    pub(crate) fn add(&self, address: Address, text: &str) -> Result<PathBuf, Failure> {
        crate::up::prepare_data_dir(&self.0)?;
        let now = Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S%.9fZ");
        let path = self.0.join(format!("UTC--{now}--{}", digits(address)));
        write_secret(&path, text)?;
        Ok(path)
    }

    /// All keys that say whose they are, the oldest first. What is no keystore is passed over, and said.
    pub(crate) fn all(&self) -> Result<Vec<Held>, Failure> {
        let entries = match fs::read_dir(&self.0) {
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|cause| unreadable(&self.0, &cause))?,
        };
        let mut paths = Vec::new();
        for entry in entries {
            paths.push(entry?.path());
        }
        paths.sort();
        Ok(paths.into_iter().filter_map(held).collect())
    }

    /// # Errors
    /// [`Exit::NotFound`] when the key of this account is not here.
    pub(crate) fn find(&self, address: Address) -> Result<Held, Failure> {
        let found = self.all()?.into_iter().find(|held| held.address == address);
        found.ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                format!("the key of {address} is not in {}", self.0.display()),
                "purlin chain account list, or name the node's --data-dir",
            )
        })
    }

    /// # Errors
    /// [`Exit::Conflict`] when the key of this account is here already.
    pub(crate) fn refuse_second(&self, address: Address) -> Result<(), Failure> {
        match self.all()?.into_iter().find(|held| held.address == address) {
            None => Ok(()),
            Some(held) => Err(Failure::new(
                Exit::Conflict,
                format!("the key of {address} is here already: {}", held.path.display()),
                "move that file away, to have the key under another password",
            )),
        }
    }
}

fn held(path: PathBuf) -> Option<Held> {
    let text = fs::read_to_string(&path).ok();
    let keystore = text.and_then(|text| Keystore::read(&text).ok());
    let named = keystore.and_then(|keystore| {
        let address = keystore.address().or_else(|| named(&path))?;
        Some((address, keystore))
    });
    let Some((address, keystore)) = named else {
        log::warn(&format!("{} is no key of an account", path.display()));
        return None;
    };
    Some(Held {
        address,
        path,
        keystore,
    })
}

/// The address at the end of a file's name, for files that do not say whose they are.
fn named(path: &Path) -> Option<Address> {
    path.file_name()?.to_str()?.rsplit("--").next()?.parse().ok()
}

/// An address as it stands in names of files.
fn digits(address: Address) -> String {
    format!("{address:x}").trim_start_matches("0x").to_owned()
}

/// Writes a file that its owner alone may read, and that was not there before.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<(), Failure> {
    write_new(path, text, 0o600)
}

/// Writes a file that was not there before.
pub(crate) fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(|cause| match cause.kind() {
        ErrorKind::AlreadyExists => Failure::new(
            Exit::Conflict,
            format!("{} is there already", path.display()),
            "name another file; none is overwritten",
        ),
        _ => Failure::failed(
            format!("cannot write {}: {cause}", path.display()),
            "check the path and its permissions",
        ),
    })?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

fn unreadable(path: &Path, cause: &std::io::Error) -> Failure {
    let what = format!("cannot read {}: {cause}", path.display());
    Failure::failed(what, "check the path and its permissions")
}

#[cfg(test)]
mod tests {
    use super::*;
    use purlin_chain_client::{Kdf, Key, KeystoreFormat};
    use std::os::unix::fs::PermissionsExt;

    fn sealed(key: &Key, format: KeystoreFormat) -> String {
        let kdf = Kdf::Pbkdf2 { rounds: 1 };
        Keystore::seal(key, b"p", kdf, format).unwrap().text()
    }

    #[test]
    fn keys_are_found_by_their_account_and_readable_by_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::of(dir.path());
        assert!(folder.all().unwrap().is_empty());
        let keys = [Key::random().unwrap(), Key::random().unwrap()];
        for (key, format) in keys.iter().zip([KeystoreFormat::Web3, KeystoreFormat::Eip2335]) {
            folder.refuse_second(key.address()).unwrap();
            let path = folder.add(key.address(), &sealed(key, format)).unwrap();
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(
                name.starts_with("UTC--2") && name.ends_with(&digits(key.address())),
                "{name}"
            );
            assert_eq!(named(&path), Some(key.address()));
        }
        fs::write(folder.0.join("notes.txt"), "not a key").unwrap();
        assert_eq!(folder.all().unwrap().len(), 2);
        let held = folder.find(keys[1].address()).unwrap();
        assert_eq!(held.keystore.open(b"p").unwrap(), keys[1]);
        assert_eq!(
            folder.refuse_second(keys[0].address()).unwrap_err().exit,
            Exit::Conflict
        );
        assert_eq!(folder.find(Address::ZERO).unwrap_err().exit, Exit::NotFound);
    }

    #[test]
    fn no_file_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_secret(&path, "1").unwrap();
        assert_eq!(write_secret(&path, "2").unwrap_err().exit, Exit::Conflict);
        assert_eq!(fs::read_to_string(&path).unwrap(), "1");
    }
}
