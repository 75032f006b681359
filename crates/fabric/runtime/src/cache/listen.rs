//! The bus's task: hears announcements, and reads the outbox when some may have been missed.

use super::bus::Shared;
use crate::entropy;
use purlin_fabric::backoff::Jitter;
use purlin_fabric::invalidate::{Announcement, CHANNEL, Cleared, Freshness, Heard, Outbox, Reader};
use purlin_fabric::port::{Message, Subscription};
use std::sync::Arc;
use std::time::Duration;

/// Notes of one look.
const NOTES: usize = 500;

/// While announcements arrive, the outbox is read so many times as rarely: a cheap proof that none was missed.
const RARELY: u32 = 5;

/// Subscribes, listens until the line is cut, and again; reads the outbox in the meantime.
pub(super) async fn run(shared: Arc<Shared>) {
    let mut listener = Listener {
        jitter: Jitter::new(entropy::seed()),
        reader: Reader::default(),
        subscribed: false,
        outbox_answers: false,
        shared,
    };
    let hints = Arc::clone(&listener.shared.setup.hints);
    loop {
        if let Ok(mut subscription) = hints.subscribe(&[CHANNEL]).await {
            listener.subscribed = true;
            listener.missed().await;
            listener.listen(subscription.as_mut()).await;
            listener.subscribed = false;
            listener.missed().await;
        } else {
            listener.look().await;
        }
        // Half of the poll is thrown like dice: a service that comes back is not asked by all nodes at the same moment.
        let half = listener.shared.setup.poll / 2;
        tokio::time::sleep(half + listener.jitter.up_to(half)).await;
    }
}

struct Listener {
    shared: Arc<Shared>,
    reader: Reader,
    jitter: Jitter,
    subscribed: bool,
    outbox_answers: bool,
}

impl Listener {
    /// Until the line is cut.
    async fn listen(&mut self, subscription: &mut dyn Subscription) {
        loop {
            // Kept over the looks in between: half of a message may have been received.
            let mut next = subscription.next();
            let message = loop {
                tokio::select! {
                    message = &mut next => break message,
                    () = tokio::time::sleep(self.until_look()) => self.look().await,
                }
            };
            drop(next);
            match message {
                Some(message) => self.hear(&message).await,
                None => return,
            }
        }
    }

    fn until_look(&self) -> Duration {
        let poll = self.shared.setup.poll;
        if self.reader.behind() { poll } else { poll * RARELY }
    }

    async fn hear(&mut self, message: &Message) {
        let Ok(announcement) = serde_json::from_slice::<Announcement>(&message.body) else {
            // Of a version that this one cannot read: the outbox may tell more.
            self.missed().await;
            return;
        };
        let own = announcement.from == self.shared.setup.node && announcement.life == self.shared.life;
        let heard = self.reader.heard(&announcement);
        if !own {
            let latency = self.note(&announcement);
            // Also what is not the next one: sooner is better, and twice is harmless.
            self.shared
                .apply(announcement.patterns, Some(announcement.from), Some(latency))
                .await;
        }
        if heard == Heard::CatchUp && self.shared.setup.outbox.is_some() {
            self.look().await;
        }
    }

    fn note(&self, announcement: &Announcement) -> Duration {
        let now = (self.shared.setup.clock)();
        let millis = now.wall.0.saturating_sub(announcement.at);
        let mut figures = self.shared.figures();
        figures.heard += 1;
        let latency = Duration::from_millis(millis);
        figures.latency.record(now.boot, latency);
        latency
    }

    /// Announcements may have been missed.
    async fn missed(&mut self) {
        self.reader.cut();
        if self.shared.setup.outbox.is_none() {
            self.shared.flush().await;
        }
        self.look().await;
    }

    /// Reads the outbox to its end, if there is one, and says how fresh caches are.
    async fn look(&mut self) {
        if let Some(outbox) = self.shared.setup.outbox.clone() {
            if self.reader.behind() {
                self.shared.figures().catch_ups += 1;
            }
            self.outbox_answers = self.read(outbox.as_ref()).await.is_some();
        }
        let up_to_date = self.shared.setup.outbox.is_none() || !self.reader.behind();
        self.shared
            .set(match (self.subscribed && up_to_date, self.outbox_answers) {
                (true, _) => Freshness::Live,
                (false, true) => Freshness::Polling,
                (false, false) => Freshness::Blind,
            });
    }

    /// `None` when it did not answer.
    async fn read(&mut self, outbox: &dyn Outbox) -> Option<()> {
        loop {
            let Some(asked) = self.reader.ask() else {
                self.reader = Reader::at(outbox.now().await.ok()?);
                self.shared.flush().await;
                return Some(());
            };
            let mut news = outbox.since(asked.cursor, NOTES).await.ok()?;
            self.shared.pass_over_own(&mut news);
            match self.reader.read(asked, NOTES, news) {
                Cleared::Everything => {
                    self.shared.flush().await;
                    return Some(());
                }
                Cleared::Patterns { patterns, more } => {
                    self.shared.apply(patterns, None, None).await;
                    if !more {
                        return Some(());
                    }
                }
            }
        }
    }
}
