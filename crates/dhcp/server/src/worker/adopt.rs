//! New settings and sockets, between two batches.

use super::log::STATE_PIECE;
use super::{Rewrite, Slot, Worker};
use crate::ports::Assignment;
use crate::switches::Switches;
use purlin_dhcp_core::Plan;
use purlin_netio::{BATCH, Trigger, now};
use std::sync::Arc;

impl Worker {
    /// Moves to a new plan and set of sockets.
    pub(crate) fn adopt(&mut self, plan: Arc<Plan>, assignments: Vec<Assignment>) -> std::io::Result<()> {
        if !Arc::ptr_eq(&plan, &self.plan) {
            let now = self.clock();
            self.engine.apply(Arc::clone(&plan), &now);
            if let Some(own) = &self.own {
                own.follow(&plan);
            }
            self.plan = plan;
            // Its cursor counts the networks of the former plan.
            self.log.drop_checkpoint();
        }
        self.assign(assignments)
    }

    /// Goes on with a plan that differs in its pins alone.
    pub(crate) fn pin(&mut self, plan: &Arc<Plan>) {
        self.engine.pin(Arc::clone(plan));
        if let Some(own) = &self.own {
            own.follow(plan);
        }
        self.plan = Arc::clone(plan);
    }

    /// Groups work in another way from the next packet on.
    pub(crate) fn switch(&mut self, switches: Switches) {
        self.switches = switches;
        self.engine.keep_templates(switches.cache_optimization);
        self.outgoing.set_singly(!switches.network_optimization);
        for slot in self.slots.iter().flatten() {
            self.take_trains(&slot.assigned);
        }
    }

    /// Trains count as many packets: only where a receive call may bring any number. On a segment every client is a
    /// sender of its own.
    fn take_trains(&self, assigned: &Assignment) {
        if assigned.reads && assigned.port.segment.is_none() {
            let socket = &assigned.port.socket;
            socket.take_trains(self.switches.per_receive() == BATCH);
        }
    }

    fn assign(&mut self, assignments: Vec<Assignment>) -> std::io::Result<()> {
        for slot in self.slots.iter_mut().flatten() {
            slot.closing = true;
        }
        self.segments.clear();
        for assigned in assignments {
            let id = assigned.port.id as usize;
            if assigned.port.segment.is_some() {
                self.segments.push(assigned.port.id);
            }
            if self.slots.len() <= id {
                self.slots.resize_with(id + 1, || None);
            }
            let read_before = self.slots[id].as_ref().is_some_and(|slot| slot.assigned.reads);
            match (read_before, assigned.reads) {
                (false, true) => self
                    .poller
                    .add(&assigned.port.socket, id as u64, Trigger::Level)?,
                (true, false) => self.poller.remove(&assigned.port.socket)?,
                _ => {}
            }
            self.take_trains(&assigned);
            self.slots[id] = Some(Slot {
                assigned,
                closing: false,
            });
        }
        self.stop_reading_closed()
    }

    fn stop_reading_closed(&mut self) -> std::io::Result<()> {
        for slot in self
            .slots
            .iter_mut()
            .flatten()
            .filter(|slot| slot.closing && slot.assigned.reads)
        {
            slot.assigned.reads = false;
            self.poller.remove(&slot.assigned.port.socket)?;
        }
        Ok(())
    }

    /// Lets go of closed ports once nothing parked leaves by them.
    pub(super) fn close_unused(&mut self) {
        if self.parked.is_empty() {
            for slot in &mut self.slots {
                if slot.as_ref().is_some_and(|slot| slot.closing) {
                    *slot = None;
                }
            }
        }
    }

    /// Stops reading and gives the whole state as frames, before networks change threads.
    pub(crate) fn pause(&mut self, rewrite: Arc<Rewrite>) -> Vec<Vec<u8>> {
        self.paused = true;
        self.log.begin_rewrite(rewrite);
        let (mut frames, mut cursor) = (Vec::new(), Some(0));
        while let Some(from) = cursor {
            let mut frame = Vec::new();
            cursor = self.engine.handover_chunk(from, STATE_PIECE, &mut frame);
            if !frame.is_empty() {
                frames.push(frame);
            }
        }
        frames
    }

    /// Takes what is this thread's from the frames of all, writes it down anew and reads again.
    pub(crate) fn resume(&mut self, frames: &[Vec<u8>]) {
        for frame in frames {
            self.engine.restore(frame);
        }
        let (now, mut records) = (now(), Vec::new());
        self.engine.restored(&now, true, &mut records);
        if !records.is_empty() {
            self.log.append(now.wall, &mut records);
        }
        self.log.rewrite(now.wall, &mut self.engine);
        self.paused = false;
    }
}
