//! Every transaction of the northbound as one message, for whoever follows along.
//!
//! ```text
//!   replica ─► feed ─► one message per transaction ─► a bounded row of them ─► every reader has its place in it
//!                                                                               the first one writes the text, for all
//! ```
//!
//! The name of a message is the transaction's: a reader that comes back, here or at another node, says which one it has
//! seen last. Where that is not known any more it is told to begin anew with fresh lists, and from where on to follow.
//! Readers share the octets of each message; a slow one holds nothing but its place.

mod message;
mod parts;

use crate::platform::Side;
pub(crate) use message::Message;
use message::What;
pub(crate) use parts::Eyes;
use purlin_ovn_core::model::{natural, object};
use purlin_ovsdb::cache::{Changes, RowRef};
use purlin_ovsdb::client::{Feed, Snapshot};
use purlin_ovsdb::{ColumnType, DatabaseSchema, Datum, Uuid};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Messages that are kept for who comes back, and their octets.
const KEPT_MAX: usize = 16_384;
const OCTETS_MAX: usize = 64 << 20;
/// How far this node's copy may be behind another's.
const LAG: Duration = Duration::from_secs(2);
/// Readers at one time.
pub(crate) const READERS_MAX: usize = 256;

/// The row of messages.
#[derive(Debug)]
pub(crate) struct Stream {
    row: Mutex<Row>,
    /// The number of the next message.
    next: watch::Sender<u64>,
    pub(crate) room: Arc<Semaphore>,
    /// Of each tenant that follows the newest message that it was looked for in, and what it is told of it.
    told: Mutex<HashMap<Eyes, (Message, Option<Message>)>>,
}

#[derive(Debug)]
struct Row {
    /// The transaction before the first message that is kept.
    before: Arc<str>,
    first: u64,
    messages: VecDeque<Message>,
    octets: usize,
}

impl Row {
    /// The place behind this transaction, if that is known.
    fn behind(&self, seen: &str) -> Option<u64> {
        if *seen == *self.before {
            return Some(self.first);
        }
        // The newest are asked for most.
        let at = self
            .messages
            .iter()
            .rposition(|message| **message.id() == *seen)?;
        Some(self.first + at as u64 + 1)
    }

    fn newest(&self) -> &Arc<str> {
        self.messages.back().map_or(&self.before, Message::id)
    }

    fn next(&self) -> u64 {
        self.first + self.messages.len() as u64
    }
}

impl Stream {
    pub(crate) fn new() -> Self {
        let row = Row {
            before: "".into(),
            first: 0,
            messages: VecDeque::new(),
            octets: 0,
        };
        Self {
            row: Mutex::new(row),
            next: watch::channel(0).0,
            room: Arc::new(Semaphore::new(READERS_MAX)),
            told: Mutex::default(),
        }
    }

    /// Forgets all, and goes on behind this transaction: readers begin anew.
    fn begin(&self, id: &str) {
        self.change(|row| {
            row.first = row.next() + 1;
            row.messages.clear();
            row.octets = 0;
            row.before = id.into();
        });
    }

    fn push(&self, message: Message) {
        self.change(|row| {
            row.octets += message.weight();
            row.messages.push_back(message);
            while row.messages.len() > KEPT_MAX || (row.octets > OCTETS_MAX && row.messages.len() > 1) {
                let Some(oldest) = row.messages.pop_front() else {
                    break;
                };
                row.first += 1;
                row.octets -= oldest.weight();
                row.before = Arc::clone(oldest.id());
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Row)) {
        let next = {
            let mut row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut row);
            row.next()
        };
        self.next.send_replace(next);
    }

    /// What a tenant is told of a message: written for its first reader, and for all that are as far.
    fn told(&self, message: &Message, eyes: &Eyes) -> Option<Message> {
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, told)) = all.get(eyes)
            && of.is(message)
        {
            return told.clone();
        }
        let told = message.seen(eyes);
        // Some have gone, then.
        if all.len() >= READERS_MAX {
            all.clear();
        }
        all.insert(eyes.clone(), (message.clone(), told.clone()));
        told
    }

    /// Returns when there is a state to follow from.
    pub(crate) async fn begun(&self) {
        let mut next = self.next.subscribe();
        if next.wait_for(|next| *next > 0).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when this transaction is known here. Whoever comes from another node may be faster than the database that
    /// tells both of them; one whose name is none of a clustered database, and one that does not come, is not waited for.
    pub(crate) async fn arrived(&self, seen: &str) {
        // Only a clustered database gives its transactions names, and those can come from elsewhere.
        let elsewhere = |id: &str| Uuid::parse(id).is_some();
        let here = {
            let row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
            elsewhere(row.newest())
        };
        if !here || !elsewhere(seen) {
            return;
        }
        let mut next = self.next.subscribe();
        let known = async {
            loop {
                next.borrow_and_update();
                let row = self
                    .row
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .behind(seen);
                if row.is_some() || next.changed().await.is_err() {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(LAG, known).await;
    }

    /// A reader behind the transaction that it has seen last; and what it is told first. One with the eyes of a tenant is
    /// told of what the tenant sees, and of nothing else.
    pub(crate) fn follow(
        self: &Arc<Self>,
        seen: Option<&str>,
        eyes: Option<Eyes>,
    ) -> (Reader, Option<Message>) {
        let row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.and_then(|seen| row.behind(seen));
        let first = match (seen, known) {
            (_, Some(_)) => None,
            (None, None) => Some(introduced(row.newest())),
            (Some(_), None) => Some(anew(
                row.newest(),
                "what came after the transaction you saw is not kept here",
            )),
        };
        let reader = Reader {
            stream: Arc::clone(self),
            place: known.unwrap_or_else(|| row.next()),
            news: self.next.subscribe(),
            eyes,
        };
        (reader, first)
    }
}

/// From which transaction on a reader follows.
fn introduced(id: &str) -> Message {
    let body = json!({ "id": id, "event": "here" });
    Message::new(id, "here", What::Words(body))
}

/// A reader must read its lists again, and follows from here on.
fn anew(id: &str, reason: &str) -> Message {
    let body = json!({ "id": id, "event": "anew", "reason": reason });
    Message::new(id, "anew", What::Words(body))
}

/// A place in the row.
#[derive(Debug)]
pub(crate) struct Reader {
    stream: Arc<Stream>,
    place: u64,
    news: watch::Receiver<u64>,
    eyes: Option<Eyes>,
}

/// Messages that are handed out at one time.
const HANDFUL: usize = 64;

impl Reader {
    /// The next messages. Waits for one; dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Vec<Message> {
        loop {
            self.news.borrow_and_update();
            let messages = self.take();
            if let (Some(eyes), false) = (&self.eyes, messages.is_empty()) {
                let told = messages
                    .iter()
                    .filter_map(|message| self.stream.told(message, eyes));
                let told: Vec<Message> = told.collect();
                if !told.is_empty() {
                    return told;
                }
                // Others' alone: there may be more behind them.
                continue;
            }
            if !messages.is_empty() {
                return messages;
            }
            if self.news.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn take(&mut self) -> Vec<Message> {
        let row = self.stream.row.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(from) = self.place.checked_sub(row.first) else {
            self.place = row.next();
            return vec![anew(
                row.newest(),
                "what you have not read yet is not kept any more",
            )];
        };
        let from = usize::try_from(from)
            .unwrap_or(usize::MAX)
            .min(row.messages.len());
        let to = (from + HANDFUL).min(row.messages.len());
        self.place = row.first + to as u64;
        row.messages.range(from..to).cloned().collect()
    }
}

/// Writes a message for each transaction, for as long as the copy lives. `born` tells this process from others.
pub(crate) async fn write(side: Side, born: String, stream: Arc<Stream>) {
    let (mut feed, mut schemas) = (side.rows.feed(), side.schema());
    // Its handles would keep the copy alive.
    drop(side);
    let schema = match schemas.wait_for(Option::is_some).await {
        Ok(schema) => schema.clone(),
        Err(_) => return,
    };
    let Some(schema) = schema else { return };
    // What is there at first is no news.
    if !feed.live().await {
        return;
    }
    stream.begin(&name(&feed, &born));
    let mut last = feed.snapshot().database.clone();
    while let Some(changes) = feed.next().await {
        let id = name(&feed, &born);
        let now = feed.snapshot().database.clone();
        let before = std::mem::replace(&mut last, now);
        // Another schema: what it brings is not told row by row.
        if changes.is_empty() {
            stream.begin(&id);
            continue;
        }
        let parts = parts::of(&schema, (&before, &last), &changes);
        let what = What::Changes(Arc::clone(&schema), changes);
        stream.push(Message::told_to(&id, "changes", what, parts));
    }
}

/// The transaction's own name, which all members of a cluster know; where a server gives none, one that is good for as long
/// as this process lives.
fn name(feed: &Feed, born: &str) -> String {
    let Snapshot { txn, generation, .. } = feed.snapshot();
    match txn.filter(|txn| *txn != Uuid::ZERO) {
        Some(txn) => txn.to_string(),
        None => format!("{born}.{generation}"),
    }
}

fn told(schema: &DatabaseSchema, changes: &Changes) -> Value {
    let rows = changes.iter().map(|(table, change, before, after)| {
        entry(
            schema,
            (table, change.uuid),
            before.as_ref(),
            after.as_ref(),
            |_| true,
        )
    });
    rows.collect()
}

/// What is told of a row, of the columns that are to be told.
fn entry(
    schema: &DatabaseSchema,
    (table, uuid): (&str, Uuid),
    before: Option<&RowRef<'_>>,
    after: Option<&RowRef<'_>>,
    tells: impl Fn(&ColumnType) -> bool,
) -> Value {
    let kind = match (before, after) {
        (None, _) => "added",
        (_, None) => "removed",
        (Some(_), Some(_)) => "changed",
    };
    let named = |row: &RowRef<'_>| {
        let name = row.get("name")?.one()?.as_str();
        name.map(str::to_owned)
    };
    json!({
        "table": table,
        "uuid": uuid.to_string(),
        "name": after.and_then(named).or_else(|| before.and_then(named)),
        "change": kind,
        "columns": columns(schema, table, before, after, tells),
    })
}

/// Of a new row what is not empty, of one that changes what differs, of one that goes nothing.
fn columns(
    schema: &DatabaseSchema,
    table: &str,
    before: Option<&RowRef<'_>>,
    after: Option<&RowRef<'_>>,
    tells: impl Fn(&ColumnType) -> bool,
) -> Map<String, Value> {
    let known = schema.table(table);
    let Some(after) = after else { return Map::new() };
    let columns = after.columns().filter_map(|(name, value)| {
        let kind = Some(&known?.column(name)?.kind).filter(|kind| tells(kind))?;
        let told = match before {
            None => (*value != Datum::default_of(kind)).then(|| natural(value, kind)),
            Some(before) => differing(before.get(name)?, value, kind),
        };
        Some((name.to_owned(), told?))
    });
    columns.collect()
}

fn differing(before: &Datum, after: &Datum, kind: &ColumnType) -> Option<Value> {
    if before == after {
        return None;
    }
    Some(match kind.max {
        1 => object([("before", natural(before, kind)), ("after", natural(after, kind))]),
        _ => object([
            ("removed", natural(&before.without(after), kind)),
            ("added", natural(&after.without(before), kind)),
        ]),
    })
}

#[cfg(test)]
mod tests;
