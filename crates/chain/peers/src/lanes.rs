//! What waits to be sent to one peer.
//!
//! ```text
//!   ping, pong ──────────────┐   at once
//!   up to 4 KiB: small ──────┤   before the big ones, but for one in sixteen
//!   longer: big ─────────────┘   in pieces of 64 KiB
//! ```
//!
//! A vote must not wait behind a block, and a flood of small messages must not keep a block waiting for ever.

use crate::frame::Frame;
use crate::settings::PIECE;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use tokio::sync::Notify;

/// Octets of the longest message that goes before others.
const SMALL: usize = 4096;
/// So many small ones in a row pass a big one that waits.
const ROW: usize = 16;

/// The queues of one peer.
#[derive(Debug)]
pub(crate) struct Lanes {
    state: Mutex<State>,
    wake: Notify,
    octets_max: usize,
    messages_max: usize,
}

#[derive(Debug, Default)]
struct State {
    ping: Option<u64>,
    pong: Option<u64>,
    small: VecDeque<Bytes>,
    big: VecDeque<Bytes>,
    /// The rest of the big message whose beginning is told.
    begun: Bytes,
    octets: usize,
    row: usize,
    farewell: Farewell,
}

#[derive(Debug, Default)]
enum Farewell {
    #[default]
    NotYet,
    Due(String),
    Said,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pushed {
    Waits,
    /// The connection is ending.
    Closed,
    /// There is no room.
    Full,
}

impl Lanes {
    pub(crate) fn new(octets_max: usize, messages_max: usize) -> Self {
        Self {
            state: Mutex::default(),
            wake: Notify::new(),
            octets_max,
            messages_max,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with it")
    }

    pub(crate) fn push(&self, message: Bytes) -> Pushed {
        let mut state = self.state();
        if !matches!(state.farewell, Farewell::NotYet) {
            return Pushed::Closed;
        }
        let messages = state.small.len() + state.big.len();
        if state.octets + message.len() > self.octets_max || messages >= self.messages_max {
            return Pushed::Full;
        }
        state.octets += message.len();
        match message.len() {
            0..=SMALL => state.small.push_back(message),
            _ => state.big.push_back(message),
        }
        self.wake.notify_one();
        Pushed::Waits
    }

    pub(crate) fn ping(&self, number: u64) {
        self.state().ping = Some(number);
        self.wake.notify_one();
    }

    /// Only the last is answered: whoever pings faster than it reads gets fewer pongs.
    pub(crate) fn pong(&self, number: u64) {
        self.state().pong = Some(number);
        self.wake.notify_one();
    }

    /// Nothing is sent any more but the reason. What waits is dropped; the first reason holds.
    pub(crate) fn close(&self, why: &str) {
        let mut state = self.state();
        if matches!(state.farewell, Farewell::NotYet) {
            *state = State {
                farewell: Farewell::Due(why.to_owned()),
                ..State::default()
            };
            self.wake.notify_one();
        }
    }

    pub(crate) fn octets(&self) -> usize {
        self.state().octets
    }

    /// The next frame to send, when there is one; after the farewell, nothing ever.
    pub(crate) async fn next(&self) -> Option<Frame> {
        loop {
            let woken = self.wake.notified();
            {
                let mut state = self.state();
                match std::mem::take(&mut state.farewell) {
                    Farewell::NotYet => {}
                    Farewell::Due(why) => {
                        state.farewell = Farewell::Said;
                        return Some(Frame::Farewell(why));
                    }
                    Farewell::Said => {
                        state.farewell = Farewell::Said;
                        return None;
                    }
                }
                if let Some(frame) = state.pop() {
                    return Some(frame);
                }
            }
            woken.await;
        }
    }
}

impl State {
    fn pop(&mut self) -> Option<Frame> {
        if let Some(number) = self.ping.take() {
            return Some(Frame::Ping(number));
        }
        if let Some(number) = self.pong.take() {
            return Some(Frame::Pong(number));
        }
        let big_waits = !self.begun.is_empty() || !self.big.is_empty();
        if (self.row < ROW || !big_waits)
            && let Some(message) = self.small.pop_front()
        {
            self.row += usize::from(big_waits);
            self.octets -= message.len();
            return Some(Frame::Whole(message));
        }
        self.row = 0;
        self.piece()
    }

    fn piece(&mut self) -> Option<Frame> {
        if !self.begun.is_empty() {
            let part = self.begun.split_to(self.begun.len().min(PIECE));
            self.octets -= part.len();
            return Some(Frame::Part(part));
        }
        let message = self.big.pop_front()?;
        if message.len() <= PIECE {
            self.octets -= message.len();
            return Some(Frame::Whole(message));
        }
        let length = u32::try_from(message.len()).expect("message_max is far below");
        self.begun = message;
        Some(Frame::Begin(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(octets: usize) -> Bytes {
        Bytes::from(vec![7; octets])
    }

    fn next(lanes: &Lanes) -> Option<Frame> {
        lanes.state().pop()
    }

    #[test]
    fn a_vote_passes_a_block_that_is_being_sent() {
        let lanes = Lanes::new(1 << 20, 10);
        lanes.push(of(PIECE + 1));
        assert_eq!(next(&lanes), Some(Frame::Begin(PIECE as u32 + 1)));
        lanes.push(of(SMALL));
        lanes.ping(1);
        assert_eq!(next(&lanes), Some(Frame::Ping(1)));
        assert_eq!(next(&lanes), Some(Frame::Whole(of(SMALL))));
        assert_eq!(next(&lanes), Some(Frame::Part(of(PIECE))));
        assert_eq!(next(&lanes), Some(Frame::Part(of(1))));
        assert_eq!((next(&lanes), lanes.octets()), (None, 0));
    }

    #[test]
    fn big_messages_stay_in_their_order_and_in_one_piece_where_they_fit() {
        let lanes = Lanes::new(1 << 20, 10);
        lanes.push(of(PIECE + 5));
        lanes.push(of(SMALL + 1));
        let sent: Vec<Frame> = std::iter::from_fn(|| next(&lanes)).collect();
        let begin = Frame::Begin(PIECE as u32 + 5);
        let parts = [Frame::Part(of(PIECE)), Frame::Part(of(5))];
        assert_eq!(sent[0], begin);
        assert_eq!(sent[1..3], parts);
        assert_eq!(sent[3..], [Frame::Whole(of(SMALL + 1))]);
    }

    #[test]
    fn a_flood_of_small_messages_does_not_keep_a_big_one_for_ever() {
        let lanes = Lanes::new(1 << 20, 1000);
        lanes.push(of(SMALL + 1));
        (0..100).for_each(|_| assert_eq!(lanes.push(of(1)), Pushed::Waits));
        let place =
            std::iter::from_fn(|| next(&lanes)).position(|frame| frame == Frame::Whole(of(SMALL + 1)));
        assert_eq!(place, Some(ROW));
    }

    #[test]
    fn queues_have_bounds_in_octets_and_in_messages() {
        let lanes = Lanes::new(100, 3);
        assert_eq!(lanes.push(of(90)), Pushed::Waits);
        assert_eq!(lanes.push(of(11)), Pushed::Full);
        assert_eq!(lanes.push(of(1)), Pushed::Waits);
        assert_eq!(lanes.push(of(1)), Pushed::Waits);
        assert_eq!(lanes.push(of(1)), Pushed::Full);
        next(&lanes);
        assert_eq!(lanes.push(of(90)), Pushed::Waits);
    }

    #[tokio::test]
    async fn after_the_reason_nothing_is_sent() {
        let lanes = Lanes::new(100, 3);
        lanes.push(of(50));
        lanes.close("first");
        lanes.close("second");
        assert_eq!(lanes.push(of(1)), Pushed::Closed);
        assert_eq!(lanes.octets(), 0);
        assert_eq!(lanes.next().await, Some(Frame::Farewell("first".to_owned())));
        assert_eq!(lanes.next().await, None);
        assert_eq!(lanes.next().await, None);
    }
}
