//! Listening: one connection for all subscriptions of this process.
//!
//! ```text
//!   connection ──► push ──► Queue of each subscriber ──► Subscription::next
//!       │ lost, opened again
//!       └► a cut into every Queue ──► SUBSCRIBE to everything ──► the cuts may be taken
//! ```
//!
//! A cut stands in the queue before anything that the new connection brings, but is told only after the channels are
//! subscribed again: whoever then reads the outbox misses nothing, because what is published later is heard. That the
//! line is down is told at once by `Subscription::down`: when the server hangs up, or when it leaves a question
//! unanswered. A quiet line is asked every `probe_every`, so that one whose other end is gone without a word is known
//! after that and one `timeout`; with Sentinels, which are asked as well, after two more and one `connect_timeout` at most.

mod queue;

use crate::dial::{Dial, Push, assert_master};
use crate::keys::Keys;
use crate::line::{Line, Tend};
use crate::settings::{Address, Topology};
use crate::trouble::Trouble;
use purlin_fabric::port::{Later, Message, Subscription};
use queue::Queue;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Most channels in one `SUBSCRIBE`.
const BATCH: usize = 256;

/// Who listens to what.
#[derive(Debug, Default)]
struct Listeners(Mutex<HashMap<String, Vec<Arc<Queue>>>>);

impl Listeners {
    fn map(&self) -> MutexGuard<'_, HashMap<String, Vec<Arc<Queue>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, channels: &[String], queue: &Arc<Queue>) {
        let mut map = self.map();
        for channel in channels {
            let queues = map.entry(channel.clone()).or_default();
            if !queues.iter().any(|known| Arc::ptr_eq(known, queue)) {
                queues.push(Arc::clone(queue));
            }
        }
    }

    /// The channel stays, without listeners, until it is unsubscribed.
    fn remove(&self, queue: &Arc<Queue>) {
        for queues in self.map().values_mut() {
            queues.retain(|known| !Arc::ptr_eq(known, queue));
        }
    }

    fn channels(&self) -> Vec<String> {
        self.map().keys().cloned().collect()
    }

    fn abandoned(&self) -> Vec<String> {
        let map = self.map();
        let abandoned = map.iter().filter(|(_, queues)| queues.is_empty());
        abandoned.map(|(channel, _)| channel.clone()).collect()
    }

    fn each(&self, act: impl Fn(&Queue)) {
        for queue in self.map().values().flatten() {
            act(queue);
        }
    }

    fn deliver(&self, keys: &Keys, channel: &str, body: &[u8]) {
        let Some(name) = keys.channel_name(channel) else {
            return;
        };
        for queue in self.map().get(channel).into_iter().flatten() {
            queue.push(Message {
                channel: name.to_owned(),
                body: body.to_vec(),
            });
        }
    }
}

/// What is up: the connection, and where to.
pub(crate) struct Heard {
    wire: MultiplexedConnection,
    address: Address,
}

/// The listening line.
#[derive(Debug)]
pub(crate) struct Ear {
    dial: Arc<Dial>,
    keys: Keys,
    listeners: Arc<Listeners>,
    pub(crate) line: Line<Heard>,
    /// Held while channels are subscribed or unsubscribed, so that the two cannot cross.
    order: tokio::sync::Mutex<()>,
    /// The number of the connection that is listened to: what an older one still brings is dropped.
    current: Arc<AtomicU64>,
}

impl Ear {
    pub(crate) fn new(dial: Arc<Dial>, keys: Keys) -> Self {
        Self {
            dial,
            keys,
            listeners: Arc::default(),
            line: Line::new(),
            order: tokio::sync::Mutex::default(),
            current: Arc::default(),
        }
    }

    /// Listens to channels from now on.
    pub(crate) async fn subscribe(self: &Arc<Self>, channels: &[&str]) -> Result<Listening, Trouble> {
        let channels: Vec<String> = channels.iter().map(|name| self.keys.channel(name)).collect();
        let listening = Listening {
            ear: Arc::clone(self),
            queue: Arc::default(),
        };
        let limit = self.dial.settings.timeout;
        let subscribed = async {
            loop {
                let heard = self.line.up().await?;
                let _order = self.order.lock().await;
                if !self.line.is(&heard) {
                    continue;
                }
                // Known first: should the line be cut right now, the next one subscribes to these too.
                self.listeners.add(&channels, &listening.queue);
                return subscribe(&heard.wire, &channels).await;
            }
        };
        let subscribed = match tokio::time::timeout(limit, subscribed).await {
            Ok(subscribed) => subscribed,
            Err(_) => Err(Trouble::Late(limit)),
        };
        subscribed.inspect_err(|_| self.line.suspect())?;
        Ok(listening)
    }

    /// Tells all subscribers, over the listening line. The nodes of a Cluster pass messages on in the order in which one
    /// node got them, and over this line it is always the same node.
    pub(crate) async fn publish(&self, channel: &str, body: &[u8]) -> Result<(), Trouble> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(channel).arg(body);
        let limit = self.dial.settings.timeout;
        let published = async {
            let heard = self.line.up().await?;
            let _heard_by: u64 = publish.query_async(&mut heard.wire.clone()).await?;
            Ok(())
        };
        let published = match tokio::time::timeout(limit, published).await {
            Ok(published) => published,
            Err(_) => Err(Trouble::Late(limit)),
        };
        published.inspect_err(|_| self.line.suspect())
    }

    /// Tells the server about channels that nobody listens to any more.
    async fn unsubscribe_abandoned(&self, wire: &MultiplexedConnection) -> Result<(), Trouble> {
        // A subscriber at work is no reason to wait: there is a next time.
        let Ok(_order) = self.order.try_lock() else {
            return Ok(());
        };
        for batch in self.listeners.abandoned().chunks(BATCH) {
            wire.clone().unsubscribe(batch).await?;
            let mut map = self.listeners.map();
            for channel in batch {
                map.remove(channel);
            }
        }
        Ok(())
    }

    /// What a new connection does with messages.
    fn push(&self, suspect: &Arc<Notify>) -> Push {
        let (listeners, keys) = (Arc::clone(&self.listeners), self.keys.clone());
        let (suspect, current) = (Arc::clone(suspect), Arc::clone(&self.current));
        let own = current.fetch_add(1, Ordering::AcqRel) + 1;
        Arc::new(move |info: PushInfo| match (info.kind, info.data.as_slice()) {
            (PushKind::Message, [Value::BulkString(channel), Value::BulkString(body)]) => {
                if current.load(Ordering::Acquire) == own
                    && let Ok(channel) = std::str::from_utf8(channel)
                {
                    listeners.deliver(&keys, channel, body);
                }
            }
            (PushKind::Disconnection, _) => suspect.notify_one(),
            _ => {}
        })
    }

    /// A node of a Cluster that serves: all nodes pass messages on to each other.
    async fn node(&self, push: &Push) -> Result<Heard, Trouble> {
        let mut last = Trouble::Closed;
        for address in self.dial.nodes(crate::back_off::random()) {
            let tried = async {
                let wire = self.dial.connect(&address, push).await?;
                assert_serving(&wire).await?;
                Ok(wire)
            };
            match tried.await {
                Ok(wire) => return Ok(Heard { wire, address }),
                Err(why) => last = why,
            }
        }
        Err(last)
    }

    pub(crate) fn in_cluster(&self) -> bool {
        matches!(self.dial.settings.topology, Topology::Cluster(_))
    }
}

impl Tend for Ear {
    type Up = Heard;

    async fn open(&self, suspect: &Arc<Notify>) -> Result<Heard, Trouble> {
        let push = self.push(suspect);
        let heard = if self.in_cluster() {
            self.node(&push).await?
        } else {
            let (address, wire) = self.dial.master(&push).await?;
            Heard { wire, address }
        };
        let _order = self.order.lock().await;
        self.listeners.each(Queue::cut);
        subscribe(&heard.wire, &self.listeners.channels()).await?;
        self.listeners.each(Queue::resume);
        Ok(heard)
    }

    async fn probe(&self, heard: &Heard) -> Result<(), Trouble> {
        if self.in_cluster() {
            assert_serving(&heard.wire).await?;
        } else {
            assert_master(&heard.wire, &heard.address).await?;
            self.dial.still_master(&heard.address).await?;
        }
        self.unsubscribe_abandoned(&heard.wire).await
    }
}

async fn subscribe(wire: &MultiplexedConnection, channels: &[String]) -> Result<(), Trouble> {
    for batch in channels.chunks(BATCH) {
        wire.clone().subscribe(batch).await?;
    }
    Ok(())
}

async fn assert_serving(wire: &MultiplexedConnection) -> Result<(), Trouble> {
    let mut question = redis::cmd("CLUSTER");
    question.arg("INFO");
    let info: String = question.query_async(&mut wire.clone()).await?;
    let state = info.lines().find_map(|line| line.strip_prefix("cluster_state:"));
    match state {
        Some("ok") | None => Ok(()),
        Some(other) => Err(Trouble::Cluster(other.to_owned())),
    }
}

/// One subscriber.
#[derive(Debug)]
pub(crate) struct Listening {
    ear: Arc<Ear>,
    queue: Arc<Queue>,
}

impl Subscription for Listening {
    fn next(&mut self) -> Later<'_, Option<Message>> {
        Box::pin(self.queue.next())
    }

    fn down(&self) -> Later<'static, ()> {
        Box::pin(self.ear.line.down())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.ear.listeners.remove(&self.queue);
    }
}
