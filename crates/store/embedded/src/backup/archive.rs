//! The archive file: writing items, reading them back in order.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{BackupError, failed};
use crate::journal::{FILE_HEADER, FileHeader, FileKind, Item, MAX_PAYLOAD, Reader, encode};
use crate::medium::{FileHandle, Medium};

const PIECE: usize = 1 << 20;

/// What an item is; the value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A journal's name; its frames follow.
    Journal = 1,
    Frame = 2,
    /// A row of the records.
    Row = 3,
    /// The number of items before this one; the last item.
    End = 4,
    /// When the backup was begun; the first item.
    Taken = 5,
}

impl Kind {
    fn of(value: u64) -> Option<Self> {
        [Self::Journal, Self::Frame, Self::Row, Self::End, Self::Taken]
            .into_iter()
            .find(|kind| *kind as u64 == value)
    }
}

/// A row of a table: `table length u16 | key length u32 | table | key | value`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) table: &'a str,
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Row<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(6 + self.table.len() + self.key.len() + self.value.len());
        bytes.extend_from_slice(&(self.table.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&(self.key.len() as u32).to_le_bytes());
        bytes.extend_from_slice(self.table.as_bytes());
        bytes.extend_from_slice(self.key);
        bytes.extend_from_slice(self.value);
        bytes
    }

    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (table_length, rest) = bytes.split_first_chunk::<2>()?;
        let (key_length, rest) = rest.split_first_chunk::<4>()?;
        let (table, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*table_length)))?;
        let (key, value) = rest.split_at_checked(u32::from_le_bytes(*key_length) as usize)?;
        Some(Self {
            table: str::from_utf8(table).ok()?,
            key,
            value,
        })
    }
}

/// An archive being written. An error is kept until `finish`, so that a replay need not be broken off.
pub(super) struct Archive {
    medium: Arc<dyn Medium>,
    path: PathBuf,
    unfinished: PathBuf,
    file: Arc<dyn FileHandle>,
    salt: u32,
    items: u64,
    written: u64,
    buffer: Vec<u8>,
    error: Option<io::Error>,
}

impl Archive {
    pub(super) fn create(medium: Arc<dyn Medium>, path: &Path) -> Result<Self, BackupError> {
        let header = FileHeader::new(FileKind::Archive, 0, 0, "").map_err(failed("preparing", path))?;
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".partial");
        let unfinished = PathBuf::from(unfinished);
        let file = medium
            .create(&unfinished)
            .map_err(failed("creating", &unfinished))?;
        let buffer = header.encode().to_vec();
        let path = path.to_owned();
        Ok(Self {
            medium,
            path,
            unfinished,
            file,
            salt: header.salt,
            items: 0,
            written: 0,
            buffer,
            error: None,
        })
    }

    /// Adds an item; `true` when that brought a piece to the disk.
    pub(super) fn add(&mut self, kind: Kind, payload: &[u8]) -> bool {
        if payload.len() > MAX_PAYLOAD {
            self.error.get_or_insert(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a row is above 16 MiB",
            ));
            return false;
        }
        self.items += 1;
        encode(&mut self.buffer, self.salt, self.items, kind as u64, payload);
        let full = self.buffer.len() >= PIECE;
        if full {
            self.write_out();
        }
        full
    }

    pub(super) fn bytes(&self) -> u64 {
        self.written
    }

    fn write_out(&mut self) {
        if self.error.is_none() {
            self.error = self.file.write_at(self.written, &self.buffer).err();
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
    }

    /// Syncs the file and gives it its name; gives its length.
    pub(super) fn finish(mut self) -> Result<u64, BackupError> {
        let items = self.items;
        self.add(Kind::End, &items.to_le_bytes());
        self.write_out();
        let outcome = self
            .error
            .take()
            .map_or(Ok(()), Err)
            .and_then(|()| self.install());
        if outcome.is_err() {
            let _ = self.medium.remove(&self.unfinished);
        }
        outcome.map_err(failed("writing", &self.path))?;
        Ok(self.written)
    }

    fn install(&self) -> io::Result<()> {
        self.file.sync()?;
        self.medium.rename(&self.unfinished, &self.path)?;
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        self.medium.sync_dir(parent.unwrap_or(Path::new(".")))
    }
}

/// Called with what an item is, its payload and its place in the file.
type EachItem<'a> = &'a mut dyn FnMut(Kind, &[u8], u64) -> Result<(), BackupError>;

/// Hands every item to `each`, from the first to the end item; the archive is whole when this succeeds.
pub(super) fn read(medium: &dyn Medium, path: &Path, each: EachItem<'_>) -> Result<u64, BackupError> {
    let damaged = |offset, what| BackupError::Damaged {
        path: path.display().to_string(),
        offset,
        what,
    };
    let file = medium.open_read(path).map_err(failed("opening", path))?;
    let header = FileHeader::read(file.as_ref()).map_err(failed("reading", path))?;
    let header = header.map_err(|what| damaged(0, what))?;
    if header.kind != FileKind::Archive {
        return Err(damaged(0, "this is no backup"));
    }
    let mut reader = Reader::new(file, header.salt);
    let mut items = 0_u64;
    loop {
        let offset = reader.offset();
        debug_assert!(offset >= FILE_HEADER as u64, "items come after the header");
        let Item::Frame { header, payload } = reader.next().map_err(failed("reading", path))? else {
            return Err(damaged(offset, "the backup is not whole"));
        };
        let Some(kind) = Kind::of(header.synced).filter(|_| header.position == items + 1) else {
            return Err(damaged(offset, "an item is out of order"));
        };
        if kind == Kind::End {
            let whole = payload == items.to_le_bytes();
            return if whole {
                Ok(reader.offset())
            } else {
                Err(damaged(offset, "items are missing"))
            };
        }
        items += 1;
        each(kind, payload, offset)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back_and_a_short_one_is_refused() {
        let row = Row {
            table: "tokens",
            key: b"k",
            value: b"",
        };
        let bytes = row.encode();
        assert_eq!(Row::decode(&bytes), Some(row));
        for length in 0..bytes.len() {
            assert_eq!(Row::decode(&bytes[..length]), None);
        }
    }
}
