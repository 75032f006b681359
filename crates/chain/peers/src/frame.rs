//! What goes through TLS: frames.
//!
//! ```text
//!   0        1                                  5
//!   +--------+--------+--------+--------+--------+---- ... ----+
//!   |  kind  |      length of the rest (u32 BE)  |   the rest  |
//!   +--------+--------+--------+--------+--------+---- ... ----+
//!
//!   1 hello    who somebody is; first from each side, the dialler's before the other's
//!   2 welcome  the hello was good (nothing follows); the dialler's before the other's
//!   3 farewell why it ends, for people; the last frame, in place of any other
//!   4 ping     u64, any
//!   5 pong     the u64 of the ping
//!   6 whole    a message of 1 to 65,536 octets
//!   7 begin    u32 BE: the length of a longer message, which follows in parts
//!   8 part     some of it; frames of other kinds may stand between its parts
//! ```
//!
//! No frame is longer than 64 KiB, so that nothing has to wait for long behind another, and nobody makes this node
//! reserve memory for what he does not send.

use crate::settings::PIECE;
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Octets of the longest hello.
pub(crate) const HELLO_MAX: usize = 1024;
/// Octets of the longest reason.
pub(crate) const WHY_MAX: usize = 256;
const HEAD: usize = 5;

/// One frame; see the module for its octets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Hello(Bytes),
    Welcome,
    Farewell(String),
    Ping(u64),
    Pong(u64),
    Whole(Bytes),
    Begin(u32),
    Part(Bytes),
}

/// What came is no frame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("it closed the connection without a word")]
    Closed,
    #[error("{}", crate::words::io(.0))]
    Io(io::Error),
    #[error("it sent a frame of unknown kind {0}")]
    Kind(u8),
    #[error("it sent a frame of kind {kind} with {length} octets")]
    Length { kind: u8, length: u32 },
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Io(error),
        }
    }
}

impl Frame {
    fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => 1,
            Self::Welcome => 2,
            Self::Farewell(_) => 3,
            Self::Ping(_) => 4,
            Self::Pong(_) => 5,
            Self::Whole(_) => 6,
            Self::Begin(_) => 7,
            Self::Part(_) => 8,
        }
    }

    fn rest(&self) -> Bytes {
        match self {
            Self::Welcome => Bytes::new(),
            Self::Farewell(why) => Bytes::from(tidy(why.as_bytes(), WHY_MAX)),
            Self::Ping(number) | Self::Pong(number) => Bytes::copy_from_slice(&number.to_be_bytes()),
            Self::Begin(length) => Bytes::copy_from_slice(&length.to_be_bytes()),
            Self::Hello(octets) | Self::Whole(octets) | Self::Part(octets) => octets.clone(),
        }
    }

    /// Octets on the wire, before TLS.
    pub(crate) fn octets(&self) -> u64 {
        (HEAD + self.rest().len()) as u64
    }

    pub(crate) async fn write(&self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        let rest = self.rest();
        let mut octets = BytesMut::with_capacity(HEAD + rest.len());
        octets.extend_from_slice(&[self.kind()]);
        octets.extend_from_slice(&(rest.len() as u32).to_be_bytes());
        octets.extend_from_slice(&rest);
        to.write_all(&octets).await?;
        to.flush().await
    }

    /// Reads one frame. Its length is judged before any memory is taken for it.
    pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Self, FrameError> {
        let kind = from.read_u8().await?;
        let length = from.read_u32().await?;
        if !allowed(kind)?.contains(&(length as usize)) {
            return Err(FrameError::Length { kind, length });
        }
        let mut rest = BytesMut::zeroed(length as usize);
        from.read_exact(&mut rest).await?;
        Ok(Self::compose(kind, rest.freeze()))
    }

    /// `rest` has a length that the kind allows.
    fn compose(kind: u8, rest: Bytes) -> Self {
        let number = || rest.iter().fold(0_u64, |sum, octet| sum << 8 | u64::from(*octet));
        match kind {
            1 => Self::Hello(rest),
            2 => Self::Welcome,
            3 => Self::Farewell(tidy(&rest, WHY_MAX)),
            4 => Self::Ping(number()),
            5 => Self::Pong(number()),
            6 => Self::Whole(rest),
            7 => Self::Begin(number() as u32),
            _ => Self::Part(rest),
        }
    }
}

fn allowed(kind: u8) -> Result<std::ops::RangeInclusive<usize>, FrameError> {
    match kind {
        1 => Ok(1..=HELLO_MAX),
        2 => Ok(0..=0),
        3 => Ok(0..=WHY_MAX),
        4 | 5 => Ok(8..=8),
        6 | 8 => Ok(1..=PIECE),
        7 => Ok(4..=4),
        other => Err(FrameError::Kind(other)),
    }
}

/// What others say ends in logs: only printable ASCII, and not much of it.
pub(crate) fn tidy(text: &[u8], most: usize) -> String {
    let shown = |octet: &u8| match octet {
        0x20..=0x7e => char::from(*octet),
        _ => '?',
    };
    text.iter().take(most).map(shown).collect()
}

/// Puts long messages together again, one at a time.
#[derive(Debug)]
pub(crate) struct Joiner {
    most: usize,
    wanted: usize,
    so_far: BytesMut,
}

impl Joiner {
    /// Messages have at most `most` octets.
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            wanted: 0,
            so_far: BytesMut::new(),
        }
    }

    /// A long message begins.
    pub(crate) fn begin(&mut self, length: u32) -> Result<(), String> {
        let length = length as usize;
        if self.wanted > 0 {
            return Err("it began a message within another".to_owned());
        }
        if length <= PIECE || length > self.most {
            let most = self.most;
            return Err(format!(
                "it began a message of {length} octets (at most {most} are taken)"
            ));
        }
        self.wanted = length;
        Ok(())
    }

    /// Takes a part; gives the message that it completes. Memory grows with what really came.
    pub(crate) fn part(&mut self, octets: &Bytes) -> Result<Option<Bytes>, String> {
        if self.so_far.len() + octets.len() > self.wanted {
            return Err("it sent more of a message than it had told".to_owned());
        }
        self.so_far.extend_from_slice(octets);
        if self.so_far.len() < self.wanted {
            return Ok(None);
        }
        self.wanted = 0;
        Ok(Some(std::mem::take(&mut self.so_far).freeze()))
    }
}

#[cfg(test)]
mod tests;
