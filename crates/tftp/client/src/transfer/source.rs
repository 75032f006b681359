//! Where uploaded octets come from.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use purlin_tftp_proto::Mode;
use purlin_tftp_proto::netascii::Encoder;

/// Octets as they go over the wire, readable at any place: a window may have to be sent again.
#[derive(Debug)]
pub(super) enum Source<'a> {
    Octets(Cow<'a, [u8]>),
    File { file: File, size: u64 },
}

impl<'a> Source<'a> {
    pub(super) fn octets(octets: &'a [u8], mode: Mode) -> Self {
        Self::Octets(match mode {
            Mode::Netascii => Cow::Owned(encode(octets)),
            _ => Cow::Borrowed(octets),
        })
    }

    /// Opens a regular file. Text is converted in memory; anything else is read as it is sent.
    pub(super) fn file(path: &Path, mode: Mode) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no regular file",
            ));
        }
        if mode == Mode::Netascii {
            return Ok(Self::Octets(Cow::Owned(encode(&std::fs::read(path)?))));
        }
        Ok(Self::File {
            file,
            size: metadata.len(),
        })
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Octets(octets) => octets.len() as u64,
            Self::File { size, .. } => *size,
        }
    }

    /// Reads a range below `size` into as many octets of `out`.
    pub(super) fn read(&self, range: Range<u64>, out: &mut [u8]) -> io::Result<()> {
        match self {
            Self::Octets(octets) => {
                out.copy_from_slice(&octets[range.start as usize..range.end as usize]);
                Ok(())
            }
            Self::File { file, .. } => file.read_exact_at(out, range.start),
        }
    }
}

fn encode(text: &[u8]) -> Vec<u8> {
    let mut out = vec![0; Encoder::encoded_len(text)];
    let (_, written) = Encoder::default().encode(text, &mut out);
    out.truncate(written);
    out
}
