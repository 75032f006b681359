//! What goes out, and the harm done to datagrams of both directions.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

use purlin_netio::Piece;
use purlin_tftp_proto::{Composer, ErrorCode, Mode, OptionName, Wishes, compose};

use super::super::profile::Aim;
use super::super::slots::Machine;
use super::{WAIT_MAX_NS, Worker};
use crate::faults::Fate;

/// A datagram that takes effect late. Sorted by time, then by arrival.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parcel {
    due_ns: u64,
    number: u64,
    index: u32,
    turn: u32,
    /// Where an arriving one came from; none for one on its way out.
    source: Option<SocketAddr>,
    octets: Vec<u8>,
}

/// What is late.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    heap: BinaryHeap<Reverse<Parcel>>,
    number: u64,
}

impl Parcels {
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(parcel)| parcel.due_ns)
    }

    fn put(&mut self, mut parcel: Parcel) {
        self.number += 1;
        parcel.number = self.number;
        self.heap.push(Reverse(parcel));
    }

    fn due(&mut self, now_ns: u64) -> Option<Parcel> {
        let due = self.next_ns().is_some_and(|due_ns| due_ns <= now_ns);
        due.then(|| self.heap.pop())
            .flatten()
            .map(|Reverse(parcel)| parcel)
    }
}

impl Worker<'_> {
    /// A datagram from the socket, harmed or not.
    pub(super) fn arrive(&mut self, index: u32, turn: u32, source: SocketAddr, datagram: &[u8]) {
        if self.to_client.is_none() {
            return self.hear(index, turn, source, datagram);
        }
        let fate = self.dice.fate(&self.to_client);
        self.meters.injected_to_client.count(fate);
        match fate {
            Fate::Lost => {}
            Fate::Twice => {
                self.hear(index, turn, source, datagram);
                self.hear(index, turn, source, datagram);
            }
            Fate::Late => self.put_off(index, turn, Some(source), datagram),
            Fate::Arrives | Fate::Corrupt => self.hear(index, turn, source, datagram),
        }
    }

    /// Sends to the transfer's server, harmed or not.
    pub(super) fn send(&mut self, index: u32, octets: &[u8]) {
        if self.to_server.is_none() {
            return self.transmit(index, octets);
        }
        let fate = self.dice.fate(&self.to_server);
        self.meters.injected_to_server.count(fate);
        match fate {
            Fate::Lost => {}
            Fate::Twice => {
                self.transmit(index, octets);
                self.transmit(index, octets);
            }
            Fate::Late => {
                let turn = self.slots.look(index).turn;
                self.put_off(index, turn, None, octets);
            }
            Fate::Arrives | Fate::Corrupt => self.transmit(index, octets),
        }
    }

    /// Sends unharmed.
    pub(super) fn transmit(&mut self, index: u32, octets: &[u8]) {
        let slot = self.slots.look(index);
        self.ports.send(&slot.place, slot.peer, octets);
    }

    fn put_off(&mut self, index: u32, turn: u32, source: Option<SocketAddr>, octets: &[u8]) {
        self.parcels.put(Parcel {
            due_ns: self.now_ns + self.late_ns,
            number: 0,
            index,
            turn,
            source,
            octets: octets.to_vec(),
        });
    }

    pub(super) fn deliver_late(&mut self) {
        while let Some(parcel) = self.parcels.due(self.now_ns) {
            match parcel.source {
                Some(source) => self.hear(parcel.index, parcel.turn, source, &parcel.octets),
                None if self.slots.find(parcel.index, parcel.turn).is_some() => {
                    self.transmit(parcel.index, &parcel.octets);
                }
                None => {}
            }
        }
    }

    /// The options the current step asks for; an upload announces its size.
    pub(super) fn wishes(&self, index: u32) -> Wishes {
        let step = self.step(index);
        let size = self.content(index).len() as u64;
        let announce = step.aim == Aim::Upload;
        Wishes {
            tsize: step.wishes.tsize.map(|asked| if announce { size } else { asked }),
            ..step.wishes
        }
    }

    /// Writes the name that the current step asks for.
    pub(super) fn write_name(&mut self, index: u32) {
        let step = *self.step(index);
        let (boot, file) = (self.slots.look(index).boot, self.slots.look(index).file);
        // Threads count their boots apart: interleaved, no two boots share a number.
        let boot = boot << 6 | u64::from(self.index);
        step.name(&self.files[file as usize].name, boot, self.run, &mut self.name);
    }

    /// Sends the request (again).
    pub(super) fn ask(&mut self, index: u32) {
        let wishes = self.wishes(index);
        let step = *self.step(index);
        let slot = self.slots.get(index);
        slot.attempts += 1;
        let attempts = slot.attempts;
        self.write_name(index);
        let mut buffer = [0; 640];
        let length = compose_request(&mut buffer, &self.name, step.aim, &wishes);
        self.meters.requests_repeated += u64::from(attempts > 1);
        self.arm(index);
        self.send(index, &buffer[..length]);
    }

    /// Silence has lasted too long: says again what was said last.
    pub(super) fn again(&mut self, index: u32) {
        match &mut self.slots.get(index).machine {
            Machine::Asked => return self.ask(index),
            Machine::Down(receiver) => {
                let ack = compose::ack(receiver.again());
                self.send(index, &ack);
            }
            Machine::Up(sender) => {
                let blocks = sender.again();
                self.send_blocks(index, blocks);
            }
        }
        self.meters.timeouts += 1;
        self.slots.get(index).attempts += 1;
        self.arm(index);
    }

    fn arm(&mut self, index: u32) {
        let attempts = self.slots.look(index).attempts;
        let doubled = self.wait_ns << u32::from(attempts.saturating_sub(1)).min(16);
        let wait_ns = doubled.min(WAIT_MAX_NS.max(self.wait_ns));
        self.slots.arm(index, self.now_ns + wait_ns);
    }

    pub(super) fn tell_server(&mut self, index: u32, code: ErrorCode, text: &str) {
        let mut buffer = [0; 128];
        if let Some(length) = Composer::error(&mut buffer, code, text).finish() {
            self.transmit(index, &buffer[..length]);
        }
    }

    /// Sends blocks of an upload: as one window from the content, or singly where each has its own fate.
    pub(super) fn send_blocks(&mut self, index: u32, blocks: Range<u64>) {
        let content = self.content(index);
        let slot = self.slots.look(index);
        let Machine::Up(sender) = slot.machine else { return };
        if blocks.is_empty() {
            return;
        }
        if self.to_server.is_none() {
            let (first, last) = (sender.range(blocks.start), sender.range(blocks.end - 1));
            let piece = Piece {
                content: Arc::clone(content),
                range: first.start as usize..last.end as usize,
            };
            let numbers = 0..(blocks.end - blocks.start) as usize;
            let heads = numbers.map(|at| compose::data_header(sender.wire(blocks.start + at as u64)));
            let blksize = usize::from(sender.blksize());
            return self
                .ports
                .send_window(&slot.place, slot.peer, blksize, heads, &piece);
        }
        for block in blocks {
            let range = sender.range(block);
            let mut octets = std::mem::take(&mut self.block);
            octets.clear();
            octets.extend(compose::data_header(sender.wire(block)));
            octets.extend_from_slice(&content[range.start as usize..range.end as usize]);
            self.send(index, &octets);
            self.block = octets;
        }
    }
}

fn compose_request(buffer: &mut [u8], name: &str, aim: Aim, wishes: &Wishes) -> usize {
    let mut composer = match aim {
        Aim::Upload => Composer::write(buffer, name.as_bytes(), Mode::Octet),
        _ => Composer::read(buffer, name.as_bytes(), Mode::Octet),
    };
    // The order in which firmware asks; servers may not mind, captures look alike.
    for name in [
        OptionName::Tsize,
        OptionName::Blksize,
        OptionName::Windowsize,
        OptionName::Timeout,
    ] {
        let value = wishes.values().find(|(option, _)| *option == name);
        if let Some((option, value)) = value {
            composer = composer.option(option, value);
        }
    }
    composer
        .finish()
        .expect("checked: names have at most 350 octets, options fewer than 200")
}
