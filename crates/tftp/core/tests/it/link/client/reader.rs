//! The client of a read.

use super::{Client, terms};
use purlin_tftp_proto::{Packet, Terms, compose};

/// A reader as RFC 1350 and 7440 have it: it acknowledges whole windows, gaps once, and every copy of an old block.
pub(in crate::link) struct Reader {
    request: Vec<u8>,
    asks_options: bool,
    terms: Option<Terms>,
    pub(in crate::link) content: Vec<u8>,
    received: u64,
    acked: u64,
    gap: Option<u64>,
    done: bool,
}

impl Reader {
    pub(in crate::link) fn new(request: &[u8], asks_options: bool) -> Self {
        Self {
            request: request.to_vec(),
            asks_options,
            terms: None,
            content: Vec::new(),
            received: 0,
            acked: 0,
            gap: None,
            done: false,
        }
    }

    fn ack(&mut self) -> Vec<Vec<u8>> {
        self.acked = self.received;
        let rollover = self.terms.unwrap_or_default().rollover;
        vec![compose::ack(rollover.wire(self.received)).to_vec()]
    }
}

impl Client for Reader {
    fn hear(&mut self, packet: &Packet<'_>) -> Vec<Vec<u8>> {
        match *packet {
            Packet::OptionAck(options) if self.received == 0 => {
                self.terms = Some(terms(options));
                self.ack()
            }
            Packet::Data { block, payload } if self.terms.is_some() || !self.asks_options => {
                let terms = *self.terms.get_or_insert_default();
                match terms.rollover.ahead(self.received, block) {
                    Some(1) if !self.done => {
                        self.received += 1;
                        self.content.extend_from_slice(payload);
                        self.done = payload.len() < usize::from(terms.blksize);
                        if self.done || self.received - self.acked >= terms.windowsize.into() {
                            return self.ack();
                        }
                        Vec::new()
                    }
                    Some(ahead) if ahead > 1 && ahead <= terms.windowsize => {
                        if self.gap == Some(self.received) {
                            return Vec::new();
                        }
                        self.gap = Some(self.received);
                        self.ack()
                    }
                    _ => self.ack(),
                }
            }
            Packet::Error { code, text } if !self.done => {
                panic!("the server gave up: {} {}", code.number(), text.escape_ascii())
            }
            _ => Vec::new(),
        }
    }

    fn repeat(&self) -> Vec<Vec<u8>> {
        if self.terms.is_none() {
            return vec![self.request.clone()];
        }
        let rollover = self.terms.unwrap_or_default().rollover;
        vec![compose::ack(rollover.wire(self.received)).to_vec()]
    }

    fn is_done(&self) -> bool {
        self.done
    }
}
