//! One connection's task: socket, session, and who waits for what.
//!
//! The task does nothing else, so that the server's "are you there?" is answered while others parse or wait.

use super::config::Config;
use super::stream::Stream;
use crate::session::{Event, Limits, Reply, RequestId, Session, Update, Violation};
use bytes::{Buf, BytesMut};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, WriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// The connection is gone; whether the server did what was asked is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the connection was lost")]
pub struct Lost;

/// What happens to a monitor or a lock.
#[derive(Debug)]
pub(super) enum Notice {
    Update(Update, Weight),
    Canceled,
    Locked,
    Stolen,
    /// All that the server sent before this was handed over.
    Barrier(oneshot::Sender<()>),
}

enum Command {
    Call(&'static str, Box<RawValue>, oneshot::Sender<Reply>),
    Subscribe(Topic, mpsc::UnboundedSender<Notice>),
    Unsubscribe(Topic),
    Barrier(Topic, oneshot::Sender<()>),
    Greeted,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Monitor(String),
    Lock(String),
}

/// Octets of an update that wait to be applied; they count until this is dropped.
#[derive(Debug)]
pub(super) struct Weight(Arc<AtomicUsize>, usize);

impl Weight {
    fn new(total: &Arc<AtomicUsize>, octets: usize) -> Self {
        total.fetch_add(octets, Ordering::Relaxed);
        Self(total.clone(), octets)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

/// A connection, to be asked things; copies are the same connection.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    /// No other connection of this process has it.
    pub(super) id: u64,
    commands: mpsc::Sender<Command>,
}

impl Connection {
    pub(super) async fn call(&self, method: &'static str, params: &impl Serialize) -> Result<Reply, Lost> {
        let params = to_raw_value(params).expect("requests have text keys only");
        let (reply, answer) = oneshot::channel();
        self.command(Command::Call(method, params, reply)).await?;
        answer.await.map_err(|_| Lost)
    }

    pub(super) async fn subscribe(&self, topic: Topic) -> Result<mpsc::UnboundedReceiver<Notice>, Lost> {
        let (sender, notices) = mpsc::unbounded_channel();
        self.command(Command::Subscribe(topic, sender)).await?;
        Ok(notices)
    }

    pub(super) async fn unsubscribe(&self, topic: Topic) -> Result<(), Lost> {
        self.command(Command::Unsubscribe(topic)).await
    }

    /// Waits until all that the server has sent so far on this topic is taken over by whoever reads it.
    pub(super) async fn barrier(&self, topic: Topic) -> Result<(), Lost> {
        let (sender, reached) = oneshot::channel();
        self.command(Command::Barrier(topic, sender)).await?;
        reached.await.map_err(|_| Lost)
    }

    /// The server has answered as one does: from here on it may send whole databases.
    pub(super) async fn greeted(&self) -> Result<(), Lost> {
        self.command(Command::Greeted).await
    }

    async fn command(&self, command: Command) -> Result<(), Lost> {
        self.commands.send(command).await.map_err(|_| Lost)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    pub(super) async fn closed(&self) {
        self.commands.closed().await;
    }
}

/// Starts the task of a connection. It ends when the last copy of the handle is gone, or the connection is; the
/// receiver then says why.
pub(super) fn start(stream: Box<dyn Stream>, config: &Config) -> (Connection, oneshot::Receiver<String>) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let (commands, inbox) = mpsc::channel(1024);
    let (said, why) = oneshot::channel();
    let began = Instant::now();
    let first = Limits {
        message_max: config.limits.message_max.min(GREETING_MAX),
        ..config.limits
    };
    let task = Task {
        session: Session::new(Duration::ZERO, config.probe, first),
        message_max: config.limits.message_max,
        began,
        waiting: HashMap::new(),
        topics: HashMap::new(),
        backlog: Arc::new(AtomicUsize::new(0)),
        backlog_max: config.backlog_max,
    };
    tokio::spawn(async move {
        let cause = task.run(stream, inbox).await;
        let _ = said.send(cause);
    });
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    (Connection { id, commands }, why)
}

/// Writes some octets, or flushes when there are none; `true` when all are on their way. Nothing is lost when it is
/// dropped half-way.
async fn push(writer: &mut WriteHalf<Box<dyn Stream>>, out: &mut BytesMut) -> io::Result<bool> {
    if out.has_remaining() {
        writer.write_buf(out).await.map(|_| false)
    } else {
        writer.flush().await.map(|()| true)
    }
}

struct Task {
    session: Session,
    /// What a server may send that was greeted.
    message_max: usize,
    began: Instant,
    waiting: HashMap<RequestId, oneshot::Sender<Reply>>,
    topics: HashMap<Topic, mpsc::UnboundedSender<Notice>>,
    backlog: Arc<AtomicUsize>,
    backlog_max: usize,
}

/// Why a connection ended that we gave up ourselves.
pub(super) const UNUSED: &str = "nobody uses it any more";

/// Octets of one message before a server was greeted: schemas have tens of thousands. Whoever is no server of ours, or pretends
/// to be one, gets no more of our memory than this.
const GREETING_MAX: usize = 4 << 20;

/// Requests are taken in until this much waits to be sent, and a server that asks without taking answers is given up at as much.
const OUT_MAX: usize = 4 << 20;
const READ: usize = 128 << 10;

impl Task {
    async fn run(mut self, stream: Box<dyn Stream>, mut inbox: mpsc::Receiver<Command>) -> String {
        let (mut reader, mut writer) = tokio::io::split(stream);
        let (mut out, mut unflushed) = (BytesMut::new(), false);
        // Octets of answers since all was sent. Reading less would not bound them: ovsdb-server does not read either while
        // we do not.
        let mut answers = 0;
        loop {
            if out.is_empty() {
                answers = 0;
            }
            let mut heard = false;
            self.session.buffer().reserve(READ);
            let due = self.began + self.session.poll_timeout();
            let step = tokio::select! {
                read = reader.read_buf(self.session.buffer()) => match read {
                    Ok(0) => return "the server closed the connection".to_owned(),
                    Ok(_) => { heard = true; self.session.received(self.began.elapsed()) }
                    Err(cause) => return format!("reading failed: {cause}"),
                },
                pushed = push(&mut writer, &mut out), if unflushed || out.has_remaining() => match pushed {
                    Ok(whole) => { unflushed = !whole; Ok(()) }
                    Err(cause) => return format!("writing failed: {cause}"),
                },
                command = inbox.recv(), if out.len() < OUT_MAX => match command {
                    Some(command) => { self.command(command); self.more(&mut inbox); Ok(()) }
                    None => return UNUSED.to_owned(),
                },
                () = tokio::time::sleep_until(due) => self.session.handle_timeout(self.began.elapsed()),
            };
            while let Some(octets) = self.session.poll_transmit() {
                answers += if heard { octets.len() } else { 0 };
                out.extend_from_slice(&octets);
            }
            if answers > OUT_MAX {
                return format!("the server asks and does not take the answers: {answers} octets wait");
            }
            if let Err(cause) = self.deliver(step) {
                return cause;
            }
        }
    }

    /// What waits anyway goes out in the same write.
    fn more(&mut self, inbox: &mut mpsc::Receiver<Command>) {
        for _ in 0..64 {
            match inbox.try_recv() {
                Ok(command) => self.command(command),
                Err(_) => return,
            }
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Call(method, params, reply) => {
                let id = self.session.call(method, &params);
                self.waiting.insert(id, reply);
            }
            Command::Subscribe(topic, notices) => drop(self.topics.insert(topic, notices)),
            Command::Unsubscribe(topic) => drop(self.topics.remove(&topic)),
            Command::Greeted => self.session.allow(self.message_max),
            Command::Barrier(topic, reached) => self.notify(&topic, Notice::Barrier(reached)),
        }
    }

    /// Hands events out; also those that came before a violation.
    fn deliver(&mut self, step: Result<(), Violation>) -> Result<(), String> {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Reply(id, reply) => {
                    let waiting = self.waiting.remove(&id);
                    // Whoever asked may have gone meanwhile.
                    let _ = waiting.map(|waiting| waiting.send(reply));
                }
                Event::Update(update) => {
                    let weight = Weight::new(&self.backlog, update.tables.len());
                    let topic = Topic::Monitor(update.monitor.clone());
                    self.notify(&topic, Notice::Update(update, weight));
                }
                Event::MonitorCanceled(id) => self.notify(&Topic::Monitor(id), Notice::Canceled),
                Event::Locked(lock) => self.notify(&Topic::Lock(lock), Notice::Locked),
                Event::Stolen(lock) => self.notify(&Topic::Lock(lock), Notice::Stolen),
            }
        }
        if self.backlog.load(Ordering::Relaxed) > self.backlog_max {
            return Err(format!(
                "more than {} octets of updates wait to be applied",
                self.backlog_max
            ));
        }
        step.map_err(|violation| violation.to_string())
    }

    fn notify(&self, topic: &Topic, notice: Notice) {
        if let Some(notices) = self.topics.get(topic) {
            let _ = notices.send(notice);
        }
    }
}
