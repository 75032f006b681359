//! Reads frames of one file in order, a quarter of a mebibyte at a time.

use std::io;
use std::sync::Arc;

use super::frame::{FrameHeader, HEADER, MAX_PAYLOAD, space};
use super::header::FILE_HEADER;
use crate::medium::FileHandle;

const CHUNK: usize = 256 << 10;

/// What stands at the reader's place.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Frame {
        header: FrameHeader,
        payload: &'a [u8],
    },
    /// Zeros or the end of the file: nothing was written here.
    End,
    /// Something, but no whole frame.
    Bad,
}

/// A forward reader over the frames of a file.
#[derive(Debug)]
pub(crate) struct Reader {
    file: Arc<dyn FileHandle>,
    salt: u32,
    buffer: Vec<u8>,
    /// Bytes of `buffer` that hold the file.
    held: usize,
    /// Where in the file `buffer` starts.
    base: u64,
    /// Place in the file of the next item.
    offset: u64,
}

impl Reader {
    /// Starts at the first frame of a file whose header holds `salt`.
    pub(crate) fn new(file: Arc<dyn FileHandle>, salt: u32) -> Self {
        let start = FILE_HEADER as u64;
        Self {
            file,
            salt,
            buffer: Vec::new(),
            held: 0,
            base: start,
            offset: start,
        }
    }

    /// Place in the file of what `next` looks at.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Goes on at `offset`, ahead of what was read.
    pub(crate) fn skip_to(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// The item here; goes past it when it is a frame.
    pub(crate) fn next(&mut self) -> io::Result<Item<'_>> {
        let Some(header) = self.header()? else {
            return Ok(Item::End);
        };
        if header.length == 0 {
            return Ok(if self.header_is_blank()? {
                Item::End
            } else {
                Item::Bad
            });
        }
        let length = header.length as usize;
        if !self.holds(&header)? {
            return Ok(Item::Bad);
        }
        let start = (self.offset - self.base) as usize + HEADER;
        self.offset += space(length) as u64;
        Ok(Item::Frame {
            header,
            payload: &self.buffer[start..start + length],
        })
    }

    /// Looks for a whole frame from here on whose position passes `wanted`, at any place a frame can stand.
    pub(crate) fn search(
        &mut self,
        wanted: impl Fn(&FrameHeader) -> bool,
    ) -> io::Result<Option<FrameHeader>> {
        while let Some(header) = self.header()? {
            if header.length != 0 && wanted(&header) && self.holds(&header)? {
                return Ok(Some(header));
            }
            self.offset += 8;
        }
        Ok(None)
    }

    fn holds(&mut self, header: &FrameHeader) -> io::Result<bool> {
        let length = header.length as usize;
        if length > MAX_PAYLOAD || !self.fill(HEADER + length)? {
            return Ok(false);
        }
        let start = (self.offset - self.base) as usize + HEADER;
        Ok(header.matches(self.salt, &self.buffer[start..start + length]))
    }

    fn header(&mut self) -> io::Result<Option<FrameHeader>> {
        if !self.fill(HEADER)? {
            return Ok(None);
        }
        let start = (self.offset - self.base) as usize;
        let bytes = self.buffer[start..start + HEADER]
            .try_into()
            .expect("filled above");
        Ok(Some(FrameHeader::decode(bytes)))
    }

    fn header_is_blank(&mut self) -> io::Result<bool> {
        let start = (self.offset - self.base) as usize;
        Ok(self.buffer[start..start + HEADER].iter().all(|byte| *byte == 0))
    }

    /// Has `count` bytes from `offset` on in the buffer; `false` when the file ends before.
    fn fill(&mut self, count: usize) -> io::Result<bool> {
        let start = (self.offset - self.base) as usize;
        if self.held >= start + count {
            return Ok(true);
        }
        let kept = start.min(self.held)..self.held;
        self.held = kept.len();
        self.base = self.offset;
        if self.buffer.len() < count {
            let mut larger = vec![0; count.max(CHUNK)];
            larger[..kept.len()].copy_from_slice(&self.buffer[kept]);
            self.buffer = larger;
        } else {
            self.buffer.copy_within(kept, 0);
        }
        self.held += self
            .file
            .read_at(self.base + self.held as u64, &mut self.buffer[self.held..])?;
        Ok(self.held >= count)
    }
}
