//! Operations in flight, found by transaction id, and the timers that retransmit them.

use std::collections::VecDeque;

use super::options::Operation;

const INDEX_BITS: u32 = 20;
const GENERATION_MAX: u16 = 0xfff;
/// Most operations one thread can have in flight.
pub(crate) const SLOTS_MAX: u32 = 1 << INDEX_BITS;

/// What an operation waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Await {
    Offer,
    Ack,
}

/// One operation in flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) client: u32,
    generation: u16,
    busy: bool,
    pub(crate) operation: Operation,
    pub(crate) awaits: Await,
    pub(crate) attempts: u8,
    /// From the OFFER.
    pub(crate) address: u32,
    /// From the OFFER.
    pub(crate) server_id: u32,
    /// When the operation was due, nanoseconds since the phase began.
    pub(crate) intended_ns: u64,
    /// When the present step began: first sending of the message whose answer is awaited.
    pub(crate) step_ns: u64,
    /// When the timer of the last sending runs out; timers with another time are of steps long over.
    pub(crate) deadline_ns: u64,
}

/// ```text
/// xid   31        20 19              0
///       +-----------+----------------+
///       | generation| slot           |   the generation tells a late answer from one to the slot's next user
///       +-----------+----------------+
/// ```
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    free: Vec<u32>,
    first_generation: u16,
}

impl Slots {
    /// `generation` should differ from run to run, so that answers to an earlier run are not taken for ours.
    pub(crate) fn new(generation: u16) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            first_generation: generation,
        }
    }

    pub(crate) fn in_flight(&self) -> u32 {
        (self.slots.len() - self.free.len()) as u32
    }

    /// Begins an operation; `None` when all slots are in use. The index is for `get` and `xid`.
    pub(crate) fn begin(
        &mut self,
        client: u32,
        operation: Operation,
        intended_ns: u64,
        now_ns: u64,
    ) -> Option<u32> {
        let slot = Slot {
            client,
            generation: self.first_generation & GENERATION_MAX,
            busy: true,
            operation,
            awaits: if operation == Operation::Dora {
                Await::Offer
            } else {
                Await::Ack
            },
            attempts: 1,
            address: 0,
            server_id: 0,
            intended_ns,
            step_ns: now_ns,
            deadline_ns: 0,
        };
        if let Some(index) = self.free.pop() {
            let generation = (self.slots[index as usize].generation + 1) & GENERATION_MAX;
            self.slots[index as usize] = Slot { generation, ..slot };
            return Some(index);
        }
        if self.slots.len() as u32 == SLOTS_MAX {
            return None;
        }
        self.slots.push(slot);
        Some(self.slots.len() as u32 - 1)
    }

    /// The operation a timer is still meant for.
    pub(crate) fn overdue(&self, timer: Timer) -> Option<u32> {
        let slot = &self.slots[timer.index as usize];
        (slot.busy && slot.deadline_ns == timer.at_ns).then_some(timer.index)
    }

    pub(crate) fn get(&mut self, index: u32) -> &mut Slot {
        &mut self.slots[index as usize]
    }

    pub(crate) fn xid(&self, index: u32) -> u32 {
        index | u32::from(self.slots[index as usize].generation) << INDEX_BITS
    }

    /// The operation a transaction id belongs to, if it is still in flight.
    pub(crate) fn find(&self, xid: u32) -> Option<u32> {
        let index = xid & (SLOTS_MAX - 1);
        let slot = self.slots.get(index as usize)?;
        (slot.busy && u32::from(slot.generation) == xid >> INDEX_BITS).then_some(index)
    }

    pub(crate) fn end(&mut self, index: u32) {
        self.slots[index as usize].busy = false;
        self.free.push(index);
    }
}

/// Retransmission timers: one queue per attempt. Waits are equal within a queue, so each stays in order by itself.
#[derive(Debug)]
pub(crate) struct Timers {
    first_ns: u64,
    queues: Vec<VecDeque<Timer>>,
}

/// A message that is overdue unless its slot has another deadline by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(crate) at_ns: u64,
    pub(crate) index: u32,
}

impl Timers {
    pub(crate) fn new(first_ns: u64, attempts: u8) -> Self {
        Self {
            first_ns,
            queues: vec![VecDeque::new(); usize::from(attempts)],
        }
    }

    /// Arms the timer of attempt 1, 2, ... of the operation in slot `index` and returns when it runs out; each attempt
    /// waits twice as long as the one before.
    pub(crate) fn arm(&mut self, attempt: u8, now_ns: u64, index: u32) -> u64 {
        let level = usize::from(attempt - 1).min(self.queues.len() - 1);
        let at_ns = now_ns + (self.first_ns << level);
        self.queues[level].push_back(Timer { at_ns, index });
        at_ns
    }

    /// The next timer that has run out.
    pub(crate) fn expired(&mut self, now_ns: u64) -> Option<Timer> {
        let queue = self
            .queues
            .iter_mut()
            .find(|queue| queue.front().is_some_and(|timer| timer.at_ns <= now_ns))?;
        queue.pop_front()
    }

    /// When the next timer runs out.
    pub(crate) fn next_ns(&self) -> Option<u64> {
        self.queues
            .iter()
            .filter_map(VecDeque::front)
            .map(|timer| timer.at_ns)
            .min()
    }

    pub(crate) fn clear(&mut self) {
        self.queues.iter_mut().for_each(VecDeque::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_to_an_ended_operation_finds_nothing() {
        let mut slots = Slots::new(0xfff);
        let first = slots.begin(1, Operation::Dora, 0, 0).expect("free");
        let xid = slots.xid(first);
        assert_eq!(slots.find(xid), Some(first));
        slots.end(first);
        assert_eq!(slots.find(xid), None);
        let second = slots.begin(2, Operation::Renew, 0, 0).expect("free");
        assert_eq!(second, first);
        assert_eq!(slots.find(xid), None);
        assert_eq!(slots.in_flight(), 1);
    }

    #[test]
    fn waits_double_with_each_attempt() {
        let mut timers = Timers::new(100, 3);
        assert_eq!(
            [timers.arm(1, 0, 7), timers.arm(2, 0, 8), timers.arm(3, 0, 9)],
            [100, 200, 400]
        );
        assert_eq!(timers.next_ns(), Some(100));
        assert_eq!(timers.expired(99), None);
        assert_eq!(timers.expired(250).map(|timer| timer.index), Some(7));
        assert_eq!(timers.expired(250).map(|timer| timer.index), Some(8));
        assert_eq!(timers.expired(399), None);
        assert_eq!(timers.expired(400).map(|timer| timer.index), Some(9));
    }
}
