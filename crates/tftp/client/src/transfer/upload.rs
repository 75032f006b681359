//! An upload as a session drives it.

use std::ops::Range;

use purlin_tftp_proto::{ErrorCode, HEADER, Mode, Rollover, Terms, compose};

use super::options::TransferOptions;
use super::session::{Counts, Role, Stop, Turn};
use super::source::Source;
use super::wire::Outbox;
use crate::sender::{Sender, Told};

/// Sends from `source`.
pub(super) struct Upload<'a> {
    source: Source<'a>,
    netascii: bool,
    rollover: Option<Rollover>,
    sender: Option<Sender>,
    block: Vec<u8>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(options: &TransferOptions, source: Source<'a>) -> Self {
        Self {
            source,
            netascii: options.mode == Mode::Netascii,
            rollover: options.rollover,
            sender: None,
            block: Vec::new(),
        }
    }

    fn begin(&mut self, terms: &Terms, out: &Outbox) -> Result<(), Stop> {
        let sender = self
            .sender
            .insert(Sender::new(terms, self.rollover, self.source.size()));
        let window = sender.begin();
        self.send(window, out)
    }

    fn send(&mut self, blocks: Range<u64>, out: &Outbox) -> Result<(), Stop> {
        let Some(sender) = &self.sender else { return Ok(()) };
        for block in blocks {
            let range = sender.range(block);
            self.block.clear();
            self.block.extend(compose::data_header(sender.wire(block)));
            self.block.resize(HEADER + (range.end - range.start) as usize, 0);
            self.source
                .read(range, &mut self.block[HEADER..])
                .map_err(Stop::reading)?;
            out.send(&self.block).map_err(Stop::sending)?;
        }
        Ok(())
    }
}

impl Role for Upload<'_> {
    const WRITES: bool = true;

    /// In netascii the server's file may have another size than the octets on the wire: it is not announced.
    fn size(&self) -> Option<u64> {
        (!self.netascii).then(|| self.source.size())
    }

    fn agreed(&mut self, terms: &Terms, out: &Outbox, counts: &mut Counts) -> Result<(), Stop> {
        if self.sender.is_some() {
            counts.duplicates += 1;
            return Ok(());
        }
        self.begin(terms, out)
    }

    fn data(&mut self, _: u16, _: &[u8], _: &Outbox, _: &mut Counts) -> Result<Turn, Stop> {
        Err(Stop::protocol(
            ErrorCode::Illegal,
            "DATA came where an ACK was due".to_owned(),
        ))
    }

    fn ack(&mut self, wire: u16, out: &Outbox, counts: &mut Counts) -> Result<Turn, Stop> {
        let Some(sender) = &mut self.sender else {
            // ACK 0 instead of an OACK: the server knows no options.
            if wire == 0 {
                self.begin(&Terms::default(), out)?;
                return Ok(Turn::Progress);
            }
            let what = format!("the first ACK has number {wire}, not 0");
            return Err(Stop::protocol(ErrorCode::Illegal, what));
        };
        let sent = sender.again();
        match sender.told(wire) {
            Told::Done => Ok(Turn::Done),
            Told::Nothing => {
                counts.duplicates += 1;
                Ok(Turn::Nothing)
            }
            Told::Send(blocks) => {
                counts.gaps += sent.end.saturating_sub(blocks.start);
                self.send(blocks, out)?;
                Ok(Turn::Progress)
            }
        }
    }

    fn again(&mut self, out: &Outbox, counts: &mut Counts) -> Result<(), Stop> {
        let Some(sender) = &self.sender else { return Ok(()) };
        let blocks = sender.again();
        counts.gaps += blocks.end - blocks.start;
        self.send(blocks, out)
    }

    fn octets(&self) -> u64 {
        self.sender.as_ref().map_or(0, Sender::octets)
    }

    fn blocks(&self) -> u64 {
        self.sender.as_ref().map_or(0, Sender::blocks)
    }
}
