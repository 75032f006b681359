//! The bus's task: hears announcements, and reads the outbox when some may have been missed.
//!
//! ```text
//!   line ───► next ──► forget what is named ┐
//!     └─────► down ──► no trust             ├─ none of the three waits for another
//!   outbox ─► answer to one question ───────┘
//! ```
//!
//! An outbox that is silent keeps no announcement from being heard and no cut from being noticed; whoever waits for both
//! one after the other trusts what it keeps for as long as a store takes to fail.

use super::bus::Shared;
use crate::entropy;
use purlin_fabric::backoff::Jitter;
use purlin_fabric::invalidate::{
    Announcement, Asked, CHANNEL, Cleared, Cursor, Heard, Line, News, Outbox, Reader,
};
use purlin_fabric::port::{Fault, Later, Message, Subscription};
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// Notes of one look.
const NOTES: usize = 500;

/// While announcements arrive, the outbox is read so many times as rarely: a cheap proof that none was missed.
const RARELY: u32 = 5;

/// An outbox that has left a question unanswered for so many polls counts as silent.
const PATIENCE: u32 = 3;

/// Nodes that lose a line at one moment look within this part of a poll, each at a moment of its own.
const SPREAD: u32 = 4;

/// Subscribes, listens until the line is cut, and again; reads the outbox all the while.
pub(super) async fn run(shared: Arc<Shared>) {
    let hints = shared.setup.hints.clone();
    let mut listener = Listener::new(shared);
    let Some(hints) = hints else {
        return listener.meanwhile(pending()).await;
    };
    loop {
        if let Ok(mut line) = listener.meanwhile(hints.subscribe(&[CHANNEL])).await {
            let shared = Arc::clone(&listener.shared);
            let down = line.down();
            let distrust = async move {
                down.await;
                shared.note_ways(|ways| ways.line = Line::Down);
            };
            // Known to be up before it may be known to be down.
            listener.missed().await;
            listener.shared.note_ways(|ways| ways.line = Line::Up);
            beside(distrust, listener.listen(line.as_mut())).await;
            listener.shared.note_ways(|ways| ways.line = Line::Down);
            listener.missed().await;
        }
        // Half of the poll is thrown like dice: a service that comes back is not asked by all nodes at the same moment.
        let half = listener.shared.setup.poll / 2;
        let pause = half + listener.jitter.up_to(half);
        listener.meanwhile(sleep(pause)).await;
    }
}

/// Does the work to its end, and beside it the other, whichever ends first.
async fn beside(other: impl Future<Output = ()>, work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = other => work.await,
        () = &mut work => {}
    }
}

struct Listener {
    shared: Arc<Shared>,
    reader: Reader,
    jitter: Jitter,
    /// The question under way.
    look: Option<Later<'static, Answer>>,
    /// Until when it is not late; `None` when it has been said that it is.
    patience: Option<Instant>,
    /// The last question, and how long the next one waits after it while announcements do not arrive.
    looked: Instant,
    pause: Duration,
    /// The next one, when something was missed.
    set: Option<Instant>,
}

/// What comes of a question to the outbox.
enum Answer {
    Begin(Result<Cursor, Fault>),
    News(Asked, Result<News, Fault>),
    /// None yet, and it is late.
    Silence,
}

impl Listener {
    fn new(shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self {
            jitter: Jitter::new(entropy::seed()),
            reader: Reader::default(),
            look: None,
            patience: None,
            looked: now,
            pause: shared.setup.poll,
            set: Some(now),
            shared,
        }
    }

    /// Until the line is cut.
    async fn listen(&mut self, line: &mut dyn Subscription) {
        while let Some(message) = self.meanwhile(line.next()).await {
            self.hear(&message).await;
        }
    }

    /// Looks at the outbox whenever it is time, until this is done. It is never begun anew: half of a message may have been
    /// received.
    async fn meanwhile<T>(&mut self, done: impl Future<Output = T>) -> T {
        let mut done = pin!(done);
        loop {
            let answer = tokio::select! {
                done = &mut done => return done,
                answer = self.looking() => answer,
            };
            self.answered(answer).await;
        }
    }

    /// Asks the outbox when it is time, and gives its word. What is under way stays so when this is dropped.
    async fn looking(&mut self) -> Answer {
        let Some(outbox) = self.shared.setup.outbox.clone() else {
            return pending().await;
        };
        if self.look.is_none() {
            self.until_look().await;
        }
        let look = match self.look.take() {
            Some(look) => look,
            None => self.ask(outbox),
        };
        let look = self.look.insert(look);
        let answer = match self.patience {
            Some(until) => timeout_at(until, look).await,
            None => Ok(look.await),
        };
        match answer {
            Ok(_) => self.look = None,
            Err(_) => self.patience = None,
        }
        answer.unwrap_or(Answer::Silence)
    }

    /// It is looked again how the line stands with every poll: another task notices when it is down.
    async fn until_look(&mut self) {
        loop {
            let now = Instant::now();
            let (poll, due) = (self.shared.setup.poll, self.due());
            if due <= now {
                return;
            }
            sleep_until(due.min(now + poll)).await;
        }
    }

    fn due(&self) -> Instant {
        let heard = self.shared.ways().line == Line::Up && !self.reader.behind();
        let pause = if heard { self.pause * RARELY } else { self.pause };
        self.set.unwrap_or(self.looked + pause)
    }

    fn ask(&mut self, outbox: Arc<dyn Outbox>) -> Later<'static, Answer> {
        if self.reader.behind() {
            self.shared.figures().catch_ups += 1;
        }
        let (now, poll) = (Instant::now(), self.shared.setup.poll);
        (self.looked, self.set) = (now, None);
        self.patience = Some(now + poll * PATIENCE);
        self.pause = poll - self.jitter.up_to(poll / 2);
        match self.reader.ask() {
            None => Box::pin(async move { Answer::Begin(outbox.now().await) }),
            Some(asked) => {
                Box::pin(async move { Answer::News(asked, outbox.since(asked.cursor, NOTES).await) })
            }
        }
    }

    async fn answered(&mut self, answer: Answer) {
        let answers = match answer {
            Answer::Begin(Ok(cursor)) => {
                self.reader = Reader::at(cursor);
                self.shared.flush().await;
                true
            }
            Answer::News(asked, Ok(mut news)) => {
                self.shared.pass_over_own(&mut news);
                match self.reader.read(asked, NOTES, news) {
                    Cleared::Everything => self.shared.flush().await,
                    Cleared::Patterns { patterns, more } => {
                        self.shared.apply(patterns, None, None).await;
                        // Something may also have been missed while the answer was under way.
                        if more || self.reader.behind() {
                            self.set = Some(Instant::now());
                        }
                    }
                }
                true
            }
            Answer::Begin(Err(_)) | Answer::News(_, Err(_)) => {
                // It may have taken long: what fails is left in peace for a while.
                self.looked = Instant::now();
                false
            }
            Answer::Silence => false,
        };
        let caught_up = !self.reader.behind();
        self.shared.note_ways(|ways| {
            (ways.outbox, ways.caught_up) = (answers, caught_up);
        });
    }

    async fn hear(&mut self, message: &Message) {
        let Ok(announcement) = serde_json::from_slice::<Announcement>(&message.body) else {
            // Of a version that this one cannot read: the outbox may tell more.
            self.missed().await;
            return;
        };
        let own = announcement.from == self.shared.setup.node && announcement.life == self.shared.life;
        let heard = self.reader.heard(&announcement);
        if heard == Heard::CatchUp && self.shared.setup.outbox.is_some() {
            self.shared.note_ways(|ways| ways.caught_up = false);
            self.set = Some(Instant::now());
        }
        if !own {
            let latency = self.note(&announcement);
            // Also what is not the next one: sooner is better, and twice is harmless.
            self.shared
                .apply(announcement.patterns, Some(announcement.from), Some(latency))
                .await;
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

    /// Announcements may have been missed: nothing that is kept is trusted before that is made good.
    async fn missed(&mut self) {
        let begun = self.reader.ask().is_some();
        self.reader.cut();
        self.shared.note_ways(|ways| ways.caught_up = false);
        if self.shared.setup.outbox.is_none() {
            self.shared.flush().await;
            self.shared.note_ways(|ways| ways.caught_up = true);
        } else if begun {
            // All nodes lose the line when the service behind it goes.
            let spread = self.jitter.up_to(self.shared.setup.poll / SPREAD);
            let then = Instant::now() + spread;
            self.set = Some(self.set.map_or(then, |set| set.min(then)));
        }
    }
}
