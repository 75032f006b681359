//! Where one JSON object ends and the next begins.
//!
//! Messages follow each other without a separator. Counting brackets outside of strings finds the end; each octet is
//! looked at once, however small the pieces are in which it comes.

use super::Violation;
use bytes::{Bytes, BytesMut};

/// What a peer may ask of our memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one message. A database of a million ports comes as about 220 MB.
    pub message_max: usize,
    /// Objects and arrays within each other; real messages have about 12.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_max: 512 << 20,
            depth_max: 64,
        }
    }
}

/// Messages of more octets than this do not share their memory with those that follow.
const LARGE: usize = 1 << 20;

/// Cuts a stream of octets into JSON objects.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    limits: Limits,
    scanned: usize,
    depth: usize,
    text: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Outside,
    Inside,
    Escaped,
}

impl Framer {
    /// Nothing received yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            buffer: BytesMut::new(),
            limits,
            scanned: 0,
            depth: 0,
            text: Text::Outside,
        }
    }

    /// Where received octets go.
    pub const fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Takes longer or shorter messages from the next octet on.
    pub const fn allow(&mut self, message_max: usize) {
        self.limits.message_max = message_max;
    }

    /// The next whole object, brackets balanced; whether it is JSON inside is not looked at.
    ///
    /// # Errors
    ///
    /// Something else than an object, or one beyond the limits.
    pub fn take_frame(&mut self) -> Result<Option<Bytes>, Violation> {
        if self.depth == 0 {
            self.skip_space()?;
        }
        while self.scanned < self.buffer.len() {
            if self.text != Text::Outside {
                self.scan_text();
                continue;
            }
            let octet = self.buffer[self.scanned];
            self.scanned += 1;
            match octet {
                b'"' => self.text = Text::Inside,
                b'{' | b'[' => self.deeper()?,
                b'}' | b']' => self.depth -= 1,
                _ => {}
            }
            if self.depth == 0 {
                let frame = self.buffer.split_to(self.scanned).freeze();
                self.scanned = 0;
                if frame.len() > LARGE {
                    // Else the memory of the largest message would stay with the connection for ever.
                    self.buffer = BytesMut::from(&self.buffer[..]);
                }
                return self.within(frame.len()).map(|()| Some(frame));
            }
        }
        self.within(self.scanned).map(|()| None)
    }

    fn within(&self, length: usize) -> Result<(), Violation> {
        if length > self.limits.message_max {
            return Err(Violation::TooLong(self.limits.message_max));
        }
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), Violation> {
        self.depth += 1;
        if self.depth > self.limits.depth_max {
            return Err(Violation::TooDeep(self.limits.depth_max));
        }
        Ok(())
    }

    fn skip_space(&mut self) -> Result<(), Violation> {
        let space = |octet: &&u8| matches!(octet, b' ' | b'\t' | b'\r' | b'\n');
        let spaces = self.buffer.iter().take_while(space).count();
        let _ = self.buffer.split_to(spaces);
        self.scanned = 0;
        match self.buffer.first() {
            None | Some(b'{') => Ok(()),
            Some(other) => Err(Violation::Garbage(*other)),
        }
    }

    /// Goes to the end of a text, or as far as there is some.
    fn scan_text(&mut self) {
        if self.text == Text::Escaped {
            self.scanned += 1;
            self.text = Text::Inside;
        }
        let rest = &self.buffer[self.scanned..];
        let (here, text) = match memchr::memchr2(b'"', b'\\', rest) {
            Some(at) if rest[at] == b'"' => (at + 1, Text::Outside),
            Some(at) => (at + 1, Text::Escaped),
            None => (rest.len(), Text::Inside),
        };
        self.scanned += here;
        self.text = text;
    }
}
