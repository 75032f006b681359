//! The client of an upload.

use super::{Client, terms};
use purlin_tftp_proto::{Packet, Terms, compose};

/// A writer: it sends windows, begins again where an acknowledgement says, and never for a repeated one.
pub(in crate::link) struct Writer {
    request: Vec<u8>,
    asks_options: bool,
    terms: Option<Terms>,
    content: Vec<u8>,
    acked: u64,
    sent: u64,
    restarted: Option<u64>,
    done: bool,
}

impl Writer {
    pub(in crate::link) fn new(request: &[u8], asks_options: bool, content: &[u8]) -> Self {
        Self {
            request: request.to_vec(),
            asks_options,
            terms: None,
            content: content.to_vec(),
            acked: 0,
            sent: 0,
            restarted: None,
            done: false,
        }
    }

    fn window(&mut self) -> Vec<Vec<u8>> {
        let terms = self.terms.expect("agreed");
        let last = self.content.len() as u64 / u64::from(terms.blksize) + 1;
        self.sent = (self.acked + u64::from(terms.windowsize)).min(last);
        (self.acked + 1..=self.sent)
            .map(|block| self.block(block))
            .collect()
    }

    fn block(&self, block: u64) -> Vec<u8> {
        let terms = self.terms.expect("agreed");
        let blksize = usize::from(terms.blksize);
        let from = (block as usize - 1) * blksize;
        let payload = &self.content[from..(from + blksize).min(self.content.len())];
        [&compose::data_header(terms.rollover.wire(block))[..], payload].concat()
    }
}

impl Client for Writer {
    fn hear(&mut self, packet: &Packet<'_>) -> Vec<Vec<u8>> {
        match *packet {
            Packet::OptionAck(options) if self.terms.is_none() => {
                self.terms = Some(terms(options));
                self.window()
            }
            Packet::Ack { block: 0 } if self.terms.is_none() && !self.asks_options => {
                self.terms = Some(Terms::default());
                self.window()
            }
            Packet::Ack { block } if self.terms.is_some() => {
                let terms = self.terms.expect("agreed");
                let last = self.content.len() as u64 / u64::from(terms.blksize) + 1;
                let ahead = terms.rollover.ahead(self.acked, block).map(u64::from);
                match ahead.filter(|ahead| *ahead <= self.sent - self.acked) {
                    Some(0) if self.restarted != Some(self.acked) && terms.windowsize > 1 => {
                        self.restarted = Some(self.acked);
                        self.window()
                    }
                    Some(ahead) if ahead > 0 => {
                        self.acked += ahead;
                        self.done = self.acked == last;
                        if self.done { Vec::new() } else { self.window() }
                    }
                    _ => Vec::new(),
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
        (self.acked + 1..=self.sent)
            .map(|block| self.block(block))
            .collect()
    }

    fn is_done(&self) -> bool {
        self.done
    }
}
