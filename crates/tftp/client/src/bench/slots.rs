//! Transfers under way and their timers.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddr;

use super::ports::Place;
use crate::receiver::Receiver;
use crate::sender::Sender;

/// How far the current request is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Machine {
    /// Waiting for the first answer.
    Asked,
    Down(Receiver),
    Up(Sender),
}

/// One client going through its profile; a few hundred octets.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Changes with each request: what belongs to an earlier one is ignored.
    pub(crate) turn: u32,
    pub(crate) busy: bool,
    /// Number of the boot in this phase and thread.
    pub(crate) boot: u64,
    pub(crate) profile: u16,
    pub(crate) step: u16,
    pub(crate) file: u32,
    pub(crate) machine: Machine,
    pub(crate) place: Place,
    /// The server, and after the first answer the port that answered.
    pub(crate) peer: SocketAddr,
    pub(crate) settled: bool,
    /// Sendings in a row without progress.
    pub(crate) attempts: u8,
    /// A first block has come.
    pub(crate) served: bool,
    /// Times in nanoseconds since the phase began: when the boot was due, when the request was (first) sent, when
    /// silence has lasted too long, when the transfer has.
    pub(crate) boot_ns: u64,
    pub(crate) step_ns: u64,
    pub(crate) deadline_ns: u64,
    pub(crate) limit_ns: u64,
    /// The earliest timer in the heap.
    armed_ns: u64,
}

/// Slots by number, and a heap with about one timer each: a deadline that moves back is looked at when its old time
/// comes, so that a packet costs no heap operation.
#[derive(Debug)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    timers: BinaryHeap<Reverse<(u64, u32)>>,
    server: SocketAddr,
}

impl Slots {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            timers: BinaryHeap::new(),
            server,
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        (self.slots.len() - self.free.len()) as u32
    }

    /// Takes a free slot.
    pub(crate) fn begin(&mut self) -> u32 {
        if let Some(index) = self.free.pop() {
            self.slots[index as usize].busy = true;
            return index;
        }
        self.slots.push(Slot {
            turn: 0,
            busy: true,
            boot: 0,
            profile: 0,
            step: 0,
            file: 0,
            machine: Machine::Asked,
            place: Place::None,
            peer: self.server,
            settled: false,
            attempts: 0,
            served: false,
            boot_ns: 0,
            step_ns: 0,
            deadline_ns: u64::MAX,
            limit_ns: u64::MAX,
            armed_ns: u64::MAX,
        });
        self.slots.len() as u32 - 1
    }

    pub(crate) fn end(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.busy = false;
        slot.turn = slot.turn.wrapping_add(1);
        slot.deadline_ns = u64::MAX;
        self.free.push(index);
    }

    /// The slot, if it is still at this request.
    pub(crate) fn find(&mut self, index: u32, turn: u32) -> Option<&mut Slot> {
        self.slots
            .get_mut(index as usize)
            .filter(|slot| slot.busy && slot.turn == turn)
    }

    pub(crate) fn get(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }

    pub(crate) fn look(&self, index: u32) -> &Slot {
        &self.slots[index as usize]
    }

    /// Numbers of all slots in use.
    pub(crate) fn busy(&self) -> Vec<u32> {
        (0..self.slots.len() as u32)
            .filter(|&index| self.slots[index as usize].busy)
            .collect()
    }

    /// Sets when silence will have lasted too long.
    pub(crate) fn arm(&mut self, index: u32, at_ns: u64) {
        let slot = &mut self.slots[index as usize];
        slot.deadline_ns = at_ns.min(slot.limit_ns);
        if slot.deadline_ns < slot.armed_ns {
            slot.armed_ns = slot.deadline_ns;
            self.timers.push(Reverse((slot.deadline_ns, index)));
        }
    }

    /// The next slot whose deadline has passed.
    pub(crate) fn expired(&mut self, now_ns: u64) -> Option<u32> {
        while let Some(&Reverse((at_ns, index))) = self.timers.peek() {
            if at_ns > now_ns {
                return None;
            }
            self.timers.pop();
            let slot = &mut self.slots[index as usize];
            if slot.armed_ns != at_ns {
                continue;
            }
            slot.armed_ns = u64::MAX;
            if !slot.busy {
                continue;
            }
            if slot.deadline_ns <= now_ns {
                return Some(index);
            }
            slot.armed_ns = slot.deadline_ns;
            self.timers.push(Reverse((slot.deadline_ns, index)));
        }
        None
    }

    /// When to look at the timers again.
    pub(crate) fn next_ns(&self) -> Option<u64> {
        self.timers.peek().map(|&Reverse((at_ns, _))| at_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots() -> Slots {
        Slots::new("127.0.0.1:69".parse().unwrap())
    }

    #[test]
    fn a_deadline_that_moved_back_does_not_fire_early() {
        let mut slots = slots();
        let index = slots.begin();
        slots.arm(index, 100);
        slots.arm(index, 300);
        assert_eq!((slots.next_ns(), slots.expired(200)), (Some(100), None));
        assert_eq!(slots.expired(299), None);
        assert_eq!(slots.expired(300), Some(index));
        assert_eq!(slots.expired(1000), None);
    }

    #[test]
    fn a_deadline_that_moved_forward_fires_once_and_in_time() {
        let mut slots = slots();
        let index = slots.begin();
        slots.arm(index, 300);
        slots.arm(index, 100);
        assert_eq!(slots.expired(100), Some(index));
        slots.arm(index, 500);
        assert_eq!(slots.expired(400), None);
        assert_eq!(slots.expired(500), Some(index));
    }

    #[test]
    fn an_ended_request_is_not_found_again() {
        let mut slots = slots();
        let index = slots.begin();
        let turn = slots.get(index).turn;
        slots.arm(index, 100);
        slots.end(index);
        assert!(slots.find(index, turn).is_none());
        assert_eq!((slots.expired(1000), slots.in_flight()), (None, 0));
        assert_eq!(slots.begin(), index);
        assert!(slots.find(index, turn).is_none());
    }
}
