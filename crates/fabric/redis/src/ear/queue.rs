//! What one subscriber has not taken yet: bounded, and honest about what it lost.

use purlin_fabric::port::Message;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Most messages that wait for one subscriber.
const MESSAGES_MAX: usize = 1024;
/// Most octets of bodies that wait for one subscriber.
const OCTETS_MAX: usize = 4 << 20;

/// Messages and cuts in order; `None` is a cut.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    items: VecDeque<Option<Message>>,
    octets: usize,
    /// The line is being made anew: cuts are not told yet.
    held: bool,
}

impl Queue {
    /// Adds a message. When it would be too much, everything that waits becomes one cut: the subscriber reads the
    /// outbox anyway, which has it all.
    pub(super) fn push(&self, message: Message) {
        {
            let mut waiting = self.waiting();
            let full = waiting.items.len() >= MESSAGES_MAX;
            if full || waiting.octets.saturating_add(message.body.len()) > OCTETS_MAX {
                waiting.items.clear();
                waiting.octets = 0;
                waiting.items.push_back(None);
            }
            if message.body.len() <= OCTETS_MAX {
                waiting.octets += message.body.len();
                waiting.items.push_back(Some(message));
            }
        }
        self.wake.notify_one();
    }

    /// Notes that messages may have been missed. It is told after [`Self::resume`]. Cuts with nothing between them are
    /// one.
    pub(super) fn cut(&self) {
        let mut waiting = self.waiting();
        waiting.held = true;
        if !matches!(waiting.items.back(), Some(None)) {
            waiting.items.push_back(None);
        }
    }

    /// From now on nothing is missed: cuts may be told.
    pub(super) fn resume(&self) {
        self.waiting().held = false;
        self.wake.notify_one();
    }

    /// The next item, as soon as there is one. For one taker at a time.
    pub(super) async fn next(&self) -> Option<Message> {
        loop {
            {
                let mut waiting = self.waiting();
                let held = waiting.held && matches!(waiting.items.front(), Some(None));
                if !held && let Some(item) = waiting.items.pop_front() {
                    waiting.octets -= item.as_ref().map_or(0, |message| message.body.len());
                    return item;
                }
            }
            self.wake.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn message(body: &[u8]) -> Message {
        Message {
            channel: "c".into(),
            body: body.to_vec(),
        }
    }

    fn taken(queue: &Queue) -> Vec<Option<Vec<u8>>> {
        let bodies = std::iter::from_fn(|| queue.next().now_or_never());
        bodies.map(|item| item.map(|message| message.body)).collect()
    }

    #[test]
    fn messages_come_in_order_around_a_cut() {
        let queue = Queue::default();
        queue.push(message(b"1"));
        queue.cut();
        queue.cut();
        queue.push(message(b"2"));
        assert_eq!(taken(&queue), [Some(b"1".to_vec())]);
        queue.resume();
        assert_eq!(taken(&queue), [None, Some(b"2".to_vec())]);
    }

    #[test]
    fn too_many_messages_become_one_cut() {
        let queue = Queue::default();
        for number in 0..=MESSAGES_MAX {
            queue.push(message(number.to_string().as_bytes()));
        }
        assert_eq!(taken(&queue), [None, Some(MESSAGES_MAX.to_string().into_bytes())]);
    }

    #[test]
    fn too_many_octets_become_one_cut() {
        let queue = Queue::default();
        queue.push(message(&vec![0; OCTETS_MAX]));
        queue.push(message(b"small"));
        assert_eq!(taken(&queue), [None, Some(b"small".to_vec())]);
        queue.push(message(&vec![0; OCTETS_MAX + 1]));
        assert_eq!(taken(&queue), [None]);
        queue.push(message(&vec![0; OCTETS_MAX]));
        assert_eq!(taken(&queue).len(), 1);
    }
}
