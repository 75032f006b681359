//! The packet thread of a service that runs alone goes on under claims, with the same leases and the same sockets.

use super::{PEERS, Worker};
use crate::share::{Gained, Place};
use purlin_netio::{Trigger, UdpPort};
use tokio::sync::oneshot;

impl Worker {
    /// Wakes up for what other nodes send to this socket.
    pub(crate) fn hear_at(&mut self, ear: &UdpPort) -> std::io::Result<()> {
        self.poller.add(ear, PEERS, Trigger::Level)
    }

    /// Reads and decides nothing more. The receiver tells when all that was recorded is durable, and fails when the
    /// journal cannot take it.
    pub(crate) fn lay_down(&mut self) -> oneshot::Receiver<()> {
        self.paused = true;
        self.all_durable()
    }

    /// Reads on, as before.
    pub(crate) fn take_up(&mut self) {
        self.paused = false;
    }

    /// Goes on for all threads of this node: `gained` is all that any of them knew, `wall_less_boot` as in
    /// [`Self::adopt_slots`]. Packets that came meanwhile are in the sockets.
    pub(crate) fn join(&mut self, place: Place, gained: &[Gained], wall_less_boot: Option<i64>) {
        self.close_journal();
        (self.log, self.own) = (place.log, Some(place.own));
        self.shards = 1;
        self.adopt_slots(gained, wall_less_boot);
        self.paused = false;
    }

    /// Reads on for the first thread, and decides about nothing.
    pub(crate) fn retire(&mut self) {
        self.close_journal();
        self.retired = true;
        self.paused = false;
    }

    /// Whatever still waited for the journal leaves; positions in the next one count anew.
    fn close_journal(&mut self) {
        self.log.close();
        self.release();
        self.tell_durable();
        self.drop_questions();
        self.engine.share();
    }
}
