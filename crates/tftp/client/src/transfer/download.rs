//! A download as a session drives it.

use std::io::Write;

use purlin_tftp_proto::netascii::Decoder;
use purlin_tftp_proto::{ErrorCode, Mode, Rollover, Terms, compose};

use super::options::TransferOptions;
use super::session::{Counts, Role, Stop, Turn};
use super::wire::Outbox;
use crate::receiver::{Heard, Receiver};

/// Receives into `target`.
pub(super) struct Download<'a> {
    target: &'a mut dyn Write,
    decoder: Option<Decoder>,
    text: Vec<u8>,
    rollover: Option<Rollover>,
    receiver: Option<Receiver>,
    octets: u64,
}

impl<'a> Download<'a> {
    pub(super) fn new(options: &TransferOptions, target: &'a mut dyn Write) -> Self {
        Self {
            target,
            decoder: (options.mode == Mode::Netascii).then(Decoder::default),
            text: Vec::new(),
            rollover: options.rollover,
            receiver: None,
            octets: 0,
        }
    }

    fn store(&mut self, payload: &[u8], last: bool) -> Result<(), Stop> {
        let octets = match &mut self.decoder {
            None => payload,
            Some(decoder) => {
                self.text.clear();
                decoder.decode(payload, |octet| self.text.push(octet));
                if last {
                    self.text.extend(decoder.finish());
                }
                &self.text
            }
        };
        self.target.write_all(octets).map_err(Stop::writing)?;
        self.octets += payload.len() as u64;
        if last {
            self.target.flush().map_err(Stop::writing)
        } else {
            Ok(())
        }
    }
}

impl Role for Download<'_> {
    const WRITES: bool = false;

    fn size(&self) -> Option<u64> {
        None
    }

    fn agreed(&mut self, terms: &Terms, out: &Outbox, counts: &mut Counts) -> Result<(), Stop> {
        match &mut self.receiver {
            None => self.receiver = Some(Receiver::new(terms, self.rollover)),
            // A repeated OACK: our ACK 0 was lost, unless blocks have come since.
            Some(receiver) if receiver.blocks() == 0 => counts.duplicates += 1,
            Some(_) => return Ok(()),
        }
        out.send(&compose::ack(0)).map_err(Stop::sending)
    }

    fn data(&mut self, wire: u16, payload: &[u8], out: &Outbox, counts: &mut Counts) -> Result<Turn, Stop> {
        let rollover = self.rollover;
        let receiver = self
            .receiver
            .get_or_insert_with(|| Receiver::new(&Terms::default(), rollover));
        let heard = receiver.heard(wire, payload.len());
        let (ack, turn) = match heard {
            Heard::Wanted { ack, last, .. } => {
                self.store(payload, last)?;
                (ack, if last { Turn::Done } else { Turn::Progress })
            }
            Heard::Gap { ack } => {
                counts.gaps += u64::from(ack.is_some());
                (ack, Turn::Nothing)
            }
            Heard::Repeat { ack } => {
                counts.duplicates += 1;
                (ack, Turn::Nothing)
            }
            Heard::TooLong => {
                let what = format!("a block of {} octets is longer than agreed", payload.len());
                return Err(Stop::protocol(ErrorCode::Illegal, what));
            }
        };
        if let Some(ack) = ack {
            out.send(&compose::ack(ack)).map_err(Stop::sending)?;
        }
        Ok(turn)
    }

    fn ack(&mut self, _: u16, _: &Outbox, _: &mut Counts) -> Result<Turn, Stop> {
        Err(Stop::protocol(
            ErrorCode::Illegal,
            "an ACK came where DATA was due".to_owned(),
        ))
    }

    fn again(&mut self, out: &Outbox, _: &mut Counts) -> Result<(), Stop> {
        match &mut self.receiver {
            Some(receiver) => out.send(&compose::ack(receiver.again())).map_err(Stop::sending),
            None => Ok(()),
        }
    }

    fn octets(&self) -> u64 {
        self.octets
    }

    fn blocks(&self) -> u64 {
        self.receiver.as_ref().map_or(0, Receiver::blocks)
    }
}
