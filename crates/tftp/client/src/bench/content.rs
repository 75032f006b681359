//! Files whose every octet is known: a local copy, or a pattern made from the name.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use crate::faults::mix;

/// A remote file and what it must contain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    name: String,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    Pattern { size: u64 },
    Octets(Arc<[u8]>),
}

impl FileSpec {
    /// A file of `size` octets as [`make_files`] writes it: 64-bit words that follow from the name and their place, so
    /// that a block in the wrong place or of another file is noticed.
    #[must_use]
    pub fn pattern(name: &str, size: u64) -> Self {
        Self {
            name: name.to_owned(),
            content: Content::Pattern { size },
        }
    }

    /// A file with this content.
    #[must_use]
    pub fn octets(name: &str, octets: Vec<u8>) -> Self {
        Self {
            name: name.to_owned(),
            content: Content::Octets(octets.into()),
        }
    }

    /// The remote file `name`, of which `path` is a copy.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub fn copy_of(name: &str, path: &Path) -> io::Result<Self> {
        Ok(Self::octets(name, fs::read(path)?))
    }

    /// The usual set: 1 KiB, 64 KiB, 1 MiB and 32 MiB as `purlin-bench-1k.bin` and so on.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        [
            ("1k", 1 << 10),
            ("64k", 64 << 10),
            ("1m", 1 << 20),
            ("32m", 32 << 20),
        ]
        .into_iter()
        .map(|(label, size)| Self::pattern(&format!("purlin-bench-{label}.bin"), size))
        .collect()
    }

    /// The name in requests.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Octets.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.content {
            Content::Pattern { size } => *size,
            Content::Octets(octets) => octets.len() as u64,
        }
    }

    /// The whole content in memory.
    pub(crate) fn load(&self) -> Arc<[u8]> {
        match &self.content {
            Content::Octets(octets) => Arc::clone(octets),
            Content::Pattern { size } => {
                let mut octets = Vec::with_capacity(*size as usize + 8);
                let seed = seed_of(&self.name);
                for word in 0..size.div_ceil(8) {
                    octets.extend_from_slice(&pattern(seed, word));
                }
                octets.truncate(*size as usize);
                octets.into()
            }
        }
    }
}

/// Writes the files into a directory.
///
/// # Errors
/// When a file cannot be written.
pub fn make_files(dir: &Path, files: &[FileSpec]) -> io::Result<()> {
    for file in files {
        let path = dir.join(file.name.trim_start_matches('/'));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut out = io::BufWriter::new(fs::File::create(&path)?);
        out.write_all(&file.load())?;
        out.flush()?;
    }
    Ok(())
}

fn pattern(seed: u64, word: u64) -> [u8; 8] {
    mix(seed ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes()
}

/// FNV-1a of the name.
fn seed_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_files_are_what_is_expected() {
        let dir = tempfile::tempdir().unwrap();
        let files = [FileSpec::pattern("a", 1001), FileSpec::pattern("sub/b", 0)];
        make_files(dir.path(), &files).unwrap();
        for file in &files {
            let written = fs::read(dir.path().join(file.name())).unwrap();
            assert_eq!(written[..], file.load()[..]);
            assert_eq!(written.len() as u64, file.size());
        }
    }

    #[test]
    fn no_two_places_and_no_two_files_look_alike() {
        let (a, b) = (
            FileSpec::pattern("a", 80_000).load(),
            FileSpec::pattern("b", 80_000).load(),
        );
        assert_ne!(a[..8], b[..8]);
        let mut words: Vec<&[u8]> = a.chunks(8).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 10_000);
    }
}
