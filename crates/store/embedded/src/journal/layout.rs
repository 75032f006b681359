//! Names of files in a journal's folder.

use std::io;
use std::path::{Path, PathBuf};

/// Held while the journal is open.
pub(crate) const LOCK: &str = "lock";

/// A file under construction; of no worth after a crash.
pub(crate) const UNFINISHED: &str = ".tmp";

/// Folders of journals being removed start with this.
pub(crate) const REMOVING: &str = ".removing-";

const SEGMENT: &str = ".log";
const CHECKPOINT: &str = ".checkpoint";

pub(crate) fn segment(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:010}{SEGMENT}"))
}

pub(crate) fn checkpoint(dir: &Path, generation: u64) -> PathBuf {
    dir.join(format!("{generation:010}{CHECKPOINT}"))
}

/// The name a file has until it is complete.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// Numbers of the segments and generations of the checkpoints among `names`, ascending.
pub(crate) fn sort(names: &[String]) -> (Vec<u64>, Vec<u64>) {
    let of = |suffix: &str| {
        let mut numbers: Vec<u64> = names
            .iter()
            .filter_map(|name| name.strip_suffix(suffix)?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    };
    (of(SEGMENT), of(CHECKPOINT))
}

/// Refuses a name that could leave the folder or not fit a file header.
pub(crate) fn valid_name(name: &str) -> io::Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.bytes().all(allowed) {
        let what = "a journal's name is 1 to 64 letters, digits, '-', '_' or '.', not starting with '.'";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    Ok(())
}
