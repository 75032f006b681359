//! The journal: every transaction with who wanted it, what it changed and what would undo it.
//!
//! ```text
//!   write ─► intend: entry and mark "open", on the disk ─► the database ─► done, refused or lost ─┐
//!                                                             │                                   ▼
//!   others ───────────────────────────────────────────────────┴─► watch: what was told, less what is ours
//!                                                                  ours ─► the mark goes, the id comes
//!                                                                  rest ─► an entry "not through Purlin"
//!   start, or a lost answer ─► mend: entries that are still open, judged by the rows that they would have left
//! ```
//!
//! Nothing is sent before its entry is on the disk, so that an end between the two loses nothing: an entry that is open
//! is looked for in the network, where the rows that it brought have names that nobody else can have chosen.

mod digest;
mod entry;
mod fate;
mod mend;
mod scribe;
mod watch;

use crate::history::History;
use crate::platform::Platform;
pub(crate) use entry::{Body, Head, NAMED, Outcome, Source, new_id};
use fate::Own;
pub(crate) use fate::Ticket;
use purlin_api::Problem;
use purlin_ovn_core::model::Diff;
use purlin_ovsdb::Uuid;
use purlin_store::Batch;
use scribe::Scribe;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch as channel;

/// Short forms, by time.
pub(super) const HEADS: &str = "ovn_journal";
/// The rest of each.
pub(super) const BODIES: &str = "ovn_journal_body";
/// Entries whose end is not written down yet.
pub(super) const OPEN: &str = "ovn_journal_open";
/// By the undone entry: the one that undid it.
pub(super) const UNDONE: &str = "ovn_journal_undone";
/// What the rows were like when they were last looked at.
pub(super) const STATE: &str = "ovn_journal_state";

/// How long the first writes wait for somebody to watch.
const PATIENCE: Duration = Duration::from_secs(2);

/// The journal of a platform. Copies are the same one.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Inner>);

struct Inner {
    history: History,
    scribe: Scribe,
    under_way: Mutex<UnderWay>,
    watching: channel::Sender<bool>,
}

/// Transactions that the watcher has not seen yet.
#[derive(Default)]
struct UnderWay {
    /// Those that are being decided, with the generation of the rows that they are decided from.
    deciding: BTreeMap<Uuid, u64>,
    own: BTreeMap<Uuid, Arc<Own>>,
    by_row: HashMap<Uuid, Vec<Uuid>>,
}

/// What is to be written down about a transaction that is about to be sent.
pub(crate) struct Intent<'i> {
    pub(crate) id: Uuid,
    /// The generation of the rows that it was decided from.
    pub(crate) basis: u64,
    pub(crate) actor: &'i str,
    /// What the asker calls the request; empty where nobody did.
    pub(crate) called: &'i str,
    pub(crate) owner: &'i str,
    pub(crate) tenant: Option<&'i str>,
    pub(crate) about: &'i str,
    pub(crate) undoes: &'i [Uuid],
    pub(crate) diff: &'i Arc<Diff>,
    /// The same, as it is answered.
    pub(crate) told: &'i RawValue,
    pub(crate) warnings: &'i Value,
    pub(crate) affected: &'i [String],
}

/// A change that is being decided, and what it will be called. Goes when it is written down, or not made.
#[derive(Debug)]
pub(crate) struct Deciding {
    journal: Journal,
    pub(crate) id: Uuid,
}

impl Drop for Deciding {
    fn drop(&mut self) {
        self.journal.0.lock().deciding.remove(&self.id);
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Journal")
    }
}

impl Journal {
    /// Begins to watch the platform's northbound.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn open(history: &History, platform: &Platform) -> Self {
        let journal = Self(Arc::new(Inner {
            history: history.clone(),
            scribe: Scribe::start(history),
            under_way: Mutex::default(),
            watching: channel::Sender::new(false),
        }));
        tokio::spawn(watch::watch(Arc::downgrade(&journal.0), platform.weak()));
        journal
    }

    /// A change is about to be decided from rows of this generation, which have been read: what they have is earlier.
    pub(crate) fn decide(&self, basis: u64) -> Result<Deciding, getrandom::Error> {
        let mut under_way = self.0.lock();
        let id = new_id()?;
        under_way.deciding.insert(id, basis);
        drop(under_way);
        let journal = self.clone();
        Ok(Deciding { journal, id })
    }

    /// Writes down what is about to be sent; it is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written down: it must not be sent then.
    pub(crate) async fn intend(&self, intent: Intent<'_>) -> Result<Ticket, Problem> {
        self.watched().await;
        let Intent { id, basis, diff, .. } = intent;
        let mut head = Head::new(self.0.history.clock.text(), Source::Purlin, diff);
        head.actor = Some(intent.actor.to_owned());
        head.owner = Some(intent.owner.to_owned());
        head.request = Some(intent.called.to_owned()).filter(|called| !called.is_empty());
        head.tenant = intent.tenant.map(str::to_owned);
        intent.about.clone_into(&mut head.about);
        head.undoing(intent.undoes);
        head.warnings = intent.warnings.as_array().map_or(0, Vec::len);
        head.affecting(intent.affected);
        let body = entry::octets(intent.told, intent.warnings, intent.affected);
        let batch = put(Batch::default(), id, &head, Some(body)).put(OPEN, entry::key(id), Vec::new());
        let own = Arc::new(Own::new(id, basis, head, Arc::clone(diff)));
        // Known before it is sent, so that the watcher never takes it for somebody else's.
        self.0.lock().add(&own);
        if let Err(problem) = self.0.scribe.write(batch, 1).await {
            self.0.lock().forget(id);
            return Err(problem);
        }
        Ok(Ticket::new(self.clone(), own))
    }

    /// Returns when changes are followed, or after a while.
    async fn watched(&self) {
        let mut watching = self.0.watching.subscribe();
        if !*watching.borrow() {
            // Without it the entry is settled by the database's answer alone.
            let _ = tokio::time::timeout(PATIENCE, watching.wait_for(|on| *on)).await;
        }
    }

    /// Nothing of it happened.
    async fn refused(&self, own: &Own) {
        self.0.lock().forget(own.id);
        let mut batch = Batch::default();
        for table in [HEADS, BODIES, OPEN] {
            batch = batch.delete(table, entry::key(own.id));
        }
        self.0.scribe.write_soon(batch, 0).await;
    }

    /// Page of entries, the newest first; `after` is the id of the last one before.
    pub(crate) async fn page(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<(Uuid, Head)>, Problem> {
        self.watched().await;
        let after = after.map(entry::key).unwrap_or_default();
        let rows = self.0.history.ledger.scan(HEADS, after, limit).await?;
        let read =
            |(key, row): &(Vec<u8>, Vec<u8>)| Some((entry::id_of(key)?, serde_json::from_slice(row).ok()?));
        Ok(rows.iter().filter_map(read).collect())
    }

    /// One entry, as whoever sees only those of a tenant may see it.
    ///
    /// # Errors
    /// 404 when there is none, it is so old that it is gone, or it is another's.
    pub(crate) async fn get_of(&self, id: Uuid, tenant: Option<&str>) -> Result<(Head, Body), Problem> {
        match (self.get(id).await?, tenant) {
            ((head, _), Some(tenant)) if head.tenant.as_deref() != Some(tenant) => {
                Err(Problem::no_such("journal entry", &id.to_string()))
            }
            (found, _) => Ok(found),
        }
    }

    /// One entry.
    ///
    /// # Errors
    /// 404 when there is none, or it is so old that it is gone.
    pub(crate) async fn get(&self, id: Uuid) -> Result<(Head, Body), Problem> {
        let key = entry::key(id);
        let read = self
            .0
            .history
            .ledger
            .with(move |records| Ok((records.get(HEADS, &key)?, records.get(BODIES, &key)?)));
        let missing = || Problem::no_such("journal entry", &id.to_string());
        let (Some(head), Some(body)) = read.await? else {
            return Err(missing());
        };
        let broken = |cause| Problem::broken(format!("journal entry {id} cannot be read: {cause}"));
        Ok((
            serde_json::from_slice(&head).map_err(broken)?,
            serde_json::from_slice(&body).map_err(broken)?,
        ))
    }

    /// Which entry has undone this one.
    pub(crate) async fn undone_by(&self, id: Uuid) -> Result<Option<String>, Problem> {
        let row = self.0.history.ledger.get(UNDONE, entry::key(id)).await?;
        Ok(row.and_then(|row| String::from_utf8(row).ok()))
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().expect("nobody panics while holding it")
    }

    /// The end of an entry: the mark goes.
    fn settled(&self, own: &Own, outcome: Outcome, txn: Option<Uuid>) -> Batch {
        let mut head = own.head.clone();
        head.outcome = outcome;
        head.txn = txn.map(|txn| txn.to_string());
        end(Batch::default(), own.id, &head)
    }
}

/// Writes an entry's end down, and at the one that it undid that this was done.
fn end(batch: Batch, id: Uuid, head: &Head) -> Batch {
    let batch = put(batch, id, head, None).delete(OPEN, entry::key(id));
    if !matches!(head.outcome, Outcome::Committed | Outcome::Found) {
        return batch;
    }
    head.undone().fold(batch, |batch, undone| {
        batch.put(UNDONE, entry::key(undone), id.to_string())
    })
}

fn put(batch: Batch, id: Uuid, head: &Head, body: Option<Vec<u8>>) -> Batch {
    let head = serde_json::to_vec(head).expect("an entry has nothing that JSON cannot say");
    let batch = batch.put(HEADS, entry::key(id), head);
    match body {
        Some(body) => batch.put(BODIES, entry::key(id), body),
        None => batch,
    }
}

impl UnderWay {
    fn add(&mut self, own: &Arc<Own>) {
        for row in &own.diff.rows {
            self.by_row.entry(row.uuid).or_default().push(own.id);
        }
        self.own.insert(own.id, Arc::clone(own));
    }

    fn forget(&mut self, id: Uuid) {
        let Some(own) = self.own.remove(&id) else {
            return;
        };
        for row in &own.diff.rows {
            if let Some(ids) = self.by_row.get_mut(&row.uuid) {
                ids.retain(|known| *known != id);
                if ids.is_empty() {
                    self.by_row.remove(&row.uuid);
                }
            }
        }
    }

    /// An id for what others did, of which the rows after this generation tell: right before the first of ours that was
    /// decided from those rows. With when that one was about to be sent, if it was.
    fn id_after(&self, generation: u64) -> Result<(Uuid, Option<String>), getrandom::Error> {
        let later = |basis: u64| basis > generation;
        let own = self.own.values().find(|own| later(own.basis));
        let deciding = self.deciding.iter().find(|(_, basis)| later(**basis));
        let next = own.map(|own| own.id).into_iter();
        match next.chain(deciding.map(|(id, _)| *id)).min() {
            Some(next) => {
                let sent = own.filter(|own| own.id == next);
                Ok((entry::id_before(next)?, sent.map(|own| own.head.at.clone())))
            }
            None => Ok((new_id()?, None)),
        }
    }

    /// Those that touch a row of this difference, in the order in which they were wanted.
    fn touching(&self, seen: &Diff) -> Vec<Arc<Own>> {
        let ids = seen.rows.iter().filter_map(|row| self.by_row.get(&row.uuid));
        let ids: std::collections::BTreeSet<Uuid> = ids.flatten().copied().collect();
        ids.iter().filter_map(|id| self.own.get(id).cloned()).collect()
    }
}
