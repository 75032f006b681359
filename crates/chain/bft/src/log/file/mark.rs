//! The height at which a key signed last, in a small file beside the key: what outlives the node's directory.
//!
//! The log of votes lies in that directory, and is only as new as it is. Where a node begins with the same key in another one (from
//! a snapshot, a backup, or from nothing), the log knows nothing of what the key has signed since, and the node would sign again at
//! heights where it may have signed something else. The mark tells it from which height on it cannot contradict itself.
//!
//! ```text
//!   validator.key
//!   validator.key.5f1a9c02.signed    "00000000000000001234\n", for the chain whose first block's hash begins so
//! ```
//!
//! It is written before the first words of a height leave the node, without waiting for the disk: a process that is killed loses
//! nothing of it, and what a power cut takes of it, the synced log has, as long as the directory is there.

use crate::log::LogFault;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A mark in its file, which is locked: the same key at two nodes of one machine is refused.
#[derive(Debug)]
pub struct Mark {
    file: File,
    path: PathBuf,
    height: u64,
}

impl Mark {
    /// Opens the mark at `path`, or makes one that says that nothing was signed.
    ///
    /// # Errors
    /// The disk, another node that has it open, or a file that holds no height.
    pub fn open(path: &Path) -> Result<Self, LogFault> {
        let fault = |doing| {
            move |source| LogFault::Mark {
                doing,
                path: path.to_owned(),
                source,
            }
        };
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let mut file = file.open(path).map_err(fault("opening"))?;
        file.try_lock()
            .map_err(io::Error::from)
            .map_err(fault("locking (a key is for one node)"))?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(fault("reading"))?;
        let height = match text.trim() {
            "" => 0,
            digits => digits
                .parse()
                .map_err(io::Error::other)
                .map_err(fault("reading a height from"))?,
        };
        Ok(Self {
            file,
            path: path.to_owned(),
            height,
        })
    }

    /// The last height at which the key may have signed; 0 when it has not.
    pub(super) const fn height(&self) -> u64 {
        self.height
    }

    /// The key signs at this height.
    pub(super) fn raise(&mut self, height: u64) -> Result<(), LogFault> {
        if height <= self.height {
            return Ok(());
        }
        // Always as long as before, so that it is written over in one piece.
        let text = format!("{height:020}\n");
        self.file
            .write_all_at(text.as_bytes(), 0)
            .map_err(|source| LogFault::Mark {
                doing: "writing",
                path: self.path.clone(),
                source,
            })?;
        self.height = height;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_only_rises_and_is_there_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key.signed");
        let mut mark = Mark::open(&path).expect("made");
        assert_eq!(mark.height(), 0);
        mark.raise(1_000).expect("written");
        mark.raise(999).expect("nothing to write");
        drop(mark);
        let mut mark = Mark::open(&path).expect("opened");
        assert_eq!(mark.height(), 1_000);
        mark.raise(u64::MAX).expect("written");
        drop(mark);
        assert_eq!(Mark::open(&path).expect("opened").height(), u64::MAX);
    }

    #[test]
    fn a_second_node_and_a_file_without_a_height_are_refused_by_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key.signed");
        let first = Mark::open(&path).expect("made");
        let says = Mark::open(&path).expect_err("a second").to_string();
        assert!(
            says.contains("a key is for one node") && says.contains("key.signed"),
            "{says}"
        );
        drop(first);
        std::fs::write(&path, "many\n").expect("written");
        let says = Mark::open(&path).expect_err("no height").to_string();
        assert!(says.starts_with("reading a height from"), "{says}");
    }
}
