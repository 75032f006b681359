//! What a datagram means for its transfer.

use std::net::SocketAddr;

use purlin_tftp_proto::{ErrorCode, Options, Packet, Terms, Wishes, compose};

use super::super::meters::Stretch;
use super::super::profile::Aim;
use super::super::report::ViolationKind;
use super::super::slots::Machine;
use super::{Outcome, Worker};
use crate::receiver::{Heard, Receiver};
use crate::sender::{Sender, Told};
use crate::transfer::printable;

impl Worker<'_> {
    /// Takes a datagram that arrived (for good, or late).
    pub(super) fn hear(&mut self, index: u32, turn: u32, source: SocketAddr, datagram: &[u8]) {
        let server = self.server;
        let Some(slot) = self.slots.find(index, turn) else {
            self.meters.late += 1;
            return;
        };
        if slot.settled && source != slot.peer || source.ip() != server.ip() {
            self.meters.strangers += 1;
            return;
        }
        if slot.settled {
            return self.take(index, datagram);
        }
        // The first answer that belongs to the request settles the server's port; until then it may be a late one to
        // an earlier user of ours.
        slot.peer = source;
        self.take(index, datagram);
        if let Some(slot) = self.slots.find(index, turn) {
            slot.settled = !matches!(slot.machine, Machine::Asked);
            if !slot.settled {
                slot.peer = server;
            }
        }
    }

    fn take(&mut self, index: u32, datagram: &[u8]) {
        match Packet::parse(datagram) {
            Ok(Packet::Data { block, payload }) => self.data(index, block, payload),
            Ok(Packet::Ack { block }) => self.ack(index, block),
            Ok(Packet::OptionAck(options)) => self.options(index, options),
            Ok(Packet::Error { code, text }) => self.error(index, code, text),
            Ok(Packet::Read(_) | Packet::Write(_)) => {
                self.wrong(
                    index,
                    ViolationKind::WrongPacket,
                    0,
                    "a request from the server".to_owned(),
                );
            }
            Err(_) => self.meters.malformed += 1,
        }
    }

    fn data(&mut self, index: u32, block: u16, payload: &[u8]) {
        self.meters.data_received += 1;
        match (self.slots.look(index).machine, self.aim(index)) {
            (Machine::Asked, Aim::Missing) if block == 1 => return self.served_missing(index),
            // Without an OACK, the size can only be found by reading the file: what EDK2 does.
            (Machine::Asked, Aim::File | Aim::Size | Aim::Config(_)) if block == 1 => {
                self.slots.get(index).machine = Machine::Down(Receiver::new(&Terms::default(), None));
            }
            (Machine::Down(_), _) => {}
            (Machine::Asked, _) => {
                self.meters.late += 1;
                return;
            }
            (Machine::Up(_), _) => {
                let detail = format!("DATA {block} for an upload");
                return self.wrong(index, ViolationKind::WrongPacket, 0, detail);
            }
        }
        let Machine::Down(receiver) = &mut self.slots.get(index).machine else {
            return;
        };
        match receiver.heard(block, payload.len()) {
            Heard::Wanted { offset, ack, last } => self.wanted(index, offset, payload, ack, last),
            Heard::Gap { ack } => {
                self.meters.gaps += u64::from(ack.is_some());
                self.acknowledge(index, ack, false);
            }
            Heard::Repeat { ack } => {
                self.meters.duplicates += 1;
                self.acknowledge(index, ack, false);
            }
            Heard::TooLong => {
                let detail = format!("block {block} has {} octets", payload.len());
                self.wrong(index, ViolationKind::LongBlock, 0, detail);
            }
        }
    }

    fn wanted(&mut self, index: u32, offset: u64, payload: &[u8], ack: Option<u16>, last: bool) {
        let content = self.content(index);
        let start = (offset as usize).min(content.len());
        let expected = &content[start..(start + payload.len()).min(content.len())];
        // What a configuration says is the server's own affair.
        let known = !matches!(self.aim(index), Aim::Config(_));
        if known && expected != payload {
            return self.differs(index, offset, expected, payload);
        }
        let end = offset + payload.len() as u64;
        if known && last && end != content.len() as u64 {
            let detail = format!("ended at {end}, the file has {} octets", content.len());
            return self.wrong(index, ViolationKind::WrongSize, end, detail);
        }
        self.meters.blocks += 1;
        self.meters.octets += payload.len() as u64;
        self.meters.last_ns = self.now_ns;
        if offset == 0 {
            self.first_block(index);
        }
        self.acknowledge(index, ack, last);
        if last {
            self.finish(index, Outcome::Done);
        } else {
            self.progress(index);
        }
    }

    fn differs(&mut self, index: u32, offset: u64, expected: &[u8], payload: &[u8]) {
        if let Some(at) = expected.iter().zip(payload).position(|(a, b)| a != b) {
            let detail = format!("octet {:#04x}, expected {:#04x}", payload[at], expected[at]);
            self.wrong(index, ViolationKind::WrongOctet, offset + at as u64, detail);
        } else {
            let detail = format!("{} octets beyond the end", payload.len() - expected.len());
            self.wrong(index, ViolationKind::WrongSize, offset, detail);
        }
    }

    fn first_block(&mut self, index: u32) {
        let slot = self.slots.get(index);
        if std::mem::replace(&mut slot.served, true) {
            return;
        }
        let took = self.now_ns.saturating_sub(slot.step_ns);
        self.meters.transfers.served += 1;
        self.meters.took(Stretch::FirstBlock, took);
        self.recent.record(took);
    }

    fn ack(&mut self, index: u32, block: u16) {
        let size = self.content(index).len() as u64;
        match (self.slots.look(index).machine, self.aim(index)) {
            (Machine::Asked, Aim::Upload) if block == 0 => {
                self.begin_upload(index, Sender::new(&Terms::default(), None, size));
            }
            (Machine::Up(mut sender), _) => {
                let told = sender.told(block);
                let before = match self.slots.look(index).machine {
                    Machine::Up(before) => before.octets(),
                    _ => 0,
                };
                self.slots.get(index).machine = Machine::Up(sender);
                self.meters.octets += sender.octets() - before;
                match told {
                    Told::Nothing => self.meters.duplicates += 1,
                    Told::Done => {
                        self.first_block(index);
                        self.finish(index, Outcome::Done);
                    }
                    Told::Send(blocks) => {
                        self.first_block(index);
                        self.progress(index);
                        self.send_blocks(index, blocks);
                    }
                }
            }
            (Machine::Asked, _) => self.meters.late += 1,
            (Machine::Down(_), _) => {
                let detail = format!("ACK {block} for a download");
                self.wrong(index, ViolationKind::WrongPacket, 0, detail);
            }
        }
    }

    fn begin_upload(&mut self, index: u32, mut sender: Sender) {
        let window = sender.begin();
        self.slots.get(index).machine = Machine::Up(sender);
        self.progress(index);
        self.send_blocks(index, window);
    }

    fn options(&mut self, index: u32, options: Options<'_>) {
        match self.slots.look(index).machine {
            Machine::Asked => {}
            // A repeated OACK: ACK 0 was lost, unless blocks have come since.
            Machine::Down(receiver) if receiver.blocks() == 0 => {
                self.meters.duplicates += 1;
                return self.send_ack(index, 0, false);
            }
            _ => {
                self.meters.duplicates += 1;
                return;
            }
        }
        let size = self.content(index).len() as u64;
        let wishes = self.wishes(index);
        let terms = match Wishes::of(options).and_then(|answer| wishes.agree(&answer)) {
            Ok(terms) => terms,
            Err(fault) => return self.wrong(index, ViolationKind::WrongOack, 0, fault.to_string()),
        };
        let aim = self.aim(index);
        if let (Aim::File | Aim::Size, Some(tsize)) = (aim, terms.tsize)
            && tsize != size
        {
            let detail = format!("tsize {tsize}, the file has {size} octets");
            return self.wrong(index, ViolationKind::WrongTsize, 0, detail);
        }
        match aim {
            Aim::Missing => self.served_missing(index),
            Aim::Upload => self.begin_upload(index, Sender::new(&terms, None, size)),
            Aim::Size if terms.tsize.is_some() => {
                self.tell_server(index, ErrorCode::Option, "User aborted the transfer");
                self.finish(index, Outcome::Probed);
            }
            Aim::File | Aim::Size | Aim::Config(_) => {
                self.slots.get(index).machine = Machine::Down(Receiver::new(&terms, None));
                self.progress(index);
                self.send_ack(index, 0, false);
            }
        }
    }

    fn error(&mut self, index: u32, code: ErrorCode, text: &[u8]) {
        if code == ErrorCode::NotFound && matches!(self.aim(index), Aim::Missing | Aim::Config(_)) {
            return self.finish(index, Outcome::Missed);
        }
        self.meters.error(code.number(), printable(text));
        self.finish(index, Outcome::Refused);
    }

    fn served_missing(&mut self, index: u32) {
        let detail = "a file that should not be there was served".to_owned();
        self.wrong(index, ViolationKind::ServedMissing, 0, detail);
    }

    /// Something new came: patience starts again.
    fn progress(&mut self, index: u32) {
        let at_ns = self.now_ns + self.wait_ns;
        self.slots.get(index).attempts = 1;
        self.slots.arm(index, at_ns);
    }

    fn acknowledge(&mut self, index: u32, ack: Option<u16>, last: bool) {
        if let Some(block) = ack {
            self.send_ack(index, block, last);
        }
    }

    fn send_ack(&mut self, index: u32, block: u16, last: bool) {
        let ack = compose::ack(block);
        if last {
            self.transmit(index, &ack);
        } else {
            self.send(index, &ack);
        }
    }
}
