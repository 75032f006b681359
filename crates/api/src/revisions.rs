//! Revisions: every change of the configuration is numbered, applied live, and can be undone.
//!
//! ```text
//!   proposal ─► check (all faults) ─► apply live ─► record ─► event
//!                 │ 422               │ 500          │ fails: the former configuration is applied again
//!                 └ nothing changed   └ the former one runs on, nothing recorded
//! ```
//!
//! One writer at a time. What a configuration means is the host's affair ([`ConfigHost`]); here it is JSON.

mod change;
mod host;
mod moving;
mod own;
mod shared;
mod stored;

pub mod routes;

pub use change::{CHANGES_SHOWN, Change};
pub use host::ConfigHost;
pub use own::Own;
pub use shared::{Settled, Standing};
pub use stored::{Meta, Origin};

use axum::http::StatusCode;
use purlin_telemetry::{Event, EventLog};
use purlin_types::WallTime;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Mutex;

use crate::asked::{Preconditions, etag_of_revision};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::problem::{FaultView, Problem};
use crate::reasons;
use shared::Sharing;
use stored::Shelf;

/// The configuration in effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Current {
    /// From 1; 0 before anything was recorded.
    pub number: u64,
    pub config: Arc<Value>,
}

/// A wanted change and everything to say about it.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub config: Value,
    pub note: Note,
}

/// Who wants a change, and on which conditions.
#[derive(Debug, Clone)]
pub struct Note {
    pub author: String,
    pub origin: Origin,
    pub message: String,
    /// Only if this is still the current revision.
    pub if_revision: Option<u64>,
    /// Check and tell the effect, change nothing.
    pub dry_run: bool,
}

impl Note {
    /// A change over the API by the token of that name.
    #[must_use]
    pub fn api(author: &str, message: impl Into<String>, dry_run: bool) -> Self {
        let (author, message) = (author.to_owned(), message.into());
        Self {
            author,
            origin: Origin::Api,
            message,
            if_revision: None,
            dry_run,
        }
    }
}

/// The revisions of this node, or those that it shares with other nodes. Clones share them.
#[derive(Clone)]
pub struct Revisions(Arc<Inner>);

struct Inner {
    shelf: Shelf,
    clock: Clock,
    host: Arc<dyn ConfigHost>,
    events: Option<Arc<EventLog>>,
    writer: Mutex<()>,
    current: RwLock<Current>,
    /// When other nodes make revisions, too.
    sharing: Option<Sharing>,
}

impl fmt::Debug for Revisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revisions(at {})", self.current().number)
    }
}

impl Revisions {
    /// Reads the newest revision. `current().number` is 0 when there is none: call [`Revisions::boot`].
    ///
    /// # Errors
    /// When the store cannot be read or a row is damaged.
    pub async fn open(
        ledger: Ledger,
        clock: Clock,
        host: Arc<dyn ConfigHost>,
        events: Option<Arc<EventLog>>,
    ) -> Result<Self, Problem> {
        Self::read(Shelf::new(ledger), clock, host, events, None).await
    }

    async fn read(
        shelf: Shelf,
        clock: Clock,
        host: Arc<dyn ConfigHost>,
        events: Option<Arc<EventLog>>,
        sharing: Option<Sharing>,
    ) -> Result<Self, Problem> {
        let nothing = Current {
            number: 0,
            config: Arc::new(Value::Null),
        };
        let revisions = Self(Arc::new(Inner {
            shelf,
            clock,
            host,
            events,
            writer: Mutex::new(()),
            current: RwLock::new(nothing),
            sharing,
        }));
        if let Some(meta) = revisions.0.shelf.newest().await? {
            let config = revisions.recorded(&meta).await?;
            revisions.set_current(&meta, config);
        }
        Ok(revisions)
    }

    /// The configuration that was recorded with a revision.
    async fn recorded(&self, meta: &Meta) -> Result<Value, Problem> {
        let config =
            self.0.shelf.config(meta.number).await?.ok_or_else(|| {
                Problem::broken(format!("revision {} has lost its configuration", meta.number))
            })?;
        Ok(self.whole(config))
    }

    fn set_current(&self, meta: &Meta, config: Value) -> Current {
        let current = Current {
            number: meta.number,
            config: Arc::new(config),
        };
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = current.clone();
        if let Some(sharing) = &self.0.sharing {
            sharing.is_at(meta);
        }
        current
    }

    /// Settles what runs at start, before any service does: a configuration file that says something new since
    /// it was last read becomes a revision; otherwise the newest revision stays, with the changes made to it over
    /// the API. The result is checked by nobody here and applied by nobody: the services start with it.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn boot(&self, file: Value, author: &str) -> Result<Current, Problem> {
        let _writing = self.0.writer.lock().await;
        let seen = self.0.shelf.file().await?;
        if self.current().number > 0 && seen.as_ref() == Some(&file) {
            return Ok(self.current());
        }
        if *self.current().config == file {
            self.0.shelf.set_file(&file).await?;
            return Ok(self.current());
        }
        let note = Note {
            author: author.to_owned(),
            origin: Origin::File,
            message: "read at start".to_owned(),
            if_revision: None,
            dry_run: false,
        };
        self.record(file, &note).await
    }

    /// The configuration in effect.
    #[must_use]
    pub fn current(&self) -> Current {
        self.0
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// All faults of a configuration, warnings included.
    ///
    /// # Errors
    /// When the check itself broke.
    pub async fn check(&self, config: &Arc<Value>) -> Result<Vec<FaultView>, Problem> {
        let (host, config) = (Arc::clone(&self.0.host), Arc::clone(config));
        tokio::task::spawn_blocking(move || host.check(&config))
            .await
            .map_err(|_| Problem::broken("checking the configuration panicked"))
    }

    /// What a configuration would change, and its faults; changes nothing.
    ///
    /// # Errors
    /// When the check itself broke.
    pub async fn plan(&self, mut config: Value) -> Result<(Change, Vec<FaultView>), Problem> {
        let current = self.current();
        uncover(&mut config, &self.covered(&current.config), &current.config);
        let (config, kept) = self.keep_own(config, &current.config);
        let config = Arc::new(config);
        let mut faults = self.check(&config).await?;
        faults.extend(kept);
        Ok((self.change(&current, &config, true, &faults), faults))
    }

    /// Applies a whole configuration.
    ///
    /// # Errors
    /// 412 when it is not based on the current revision, 422 with all faults, 500 when it could not be applied or
    /// recorded. In every case the former configuration runs on.
    pub async fn apply(&self, proposal: Proposal) -> Result<Change, Problem> {
        let Proposal { config, note } = proposal;
        self.edit(note, |present, _| {
            *present = config;
            Ok(())
        })
        .await
        .map(|(change, ())| change)
    }

    /// Changes the current configuration by `work`, which sees it with its number and may refuse.
    ///
    /// # Errors
    /// Those of `work` and of [`Revisions::apply`].
    pub async fn edit<R>(
        &self,
        note: Note,
        work: impl FnOnce(&mut Value, u64) -> Result<R, Problem>,
    ) -> Result<(Change, R), Problem> {
        let _writing = self.0.writer.lock().await;
        // What another node has made meanwhile comes first.
        self.catch_up().await?;
        let current = self.current();
        based_on(note.if_revision, current.number)?;
        let mut config = Value::clone(&current.config);
        let result = work(&mut config, current.number)?;
        uncover(&mut config, &self.covered(&current.config), &current.config);
        let (config, kept) = self.keep_own(config, &current.config);
        if config == *current.config {
            let mut change = Change::none(current.number, note.dry_run);
            change.warnings = kept;
            return Ok((change, result));
        }
        let config = Arc::new(config);
        let mut faults = self.check(&config).await?;
        faults.extend(kept);
        if faults.iter().any(FaultView::is_error) {
            return Err(Problem::faults(faults));
        }
        let change = self.change(&current, &config, note.dry_run, &faults);
        if note.dry_run {
            return Ok((change, result));
        }
        self.0.host.apply(&config).await.map_err(|words| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, &reasons::APPLY_FAILED, words)
        })?;
        match self.record(Value::clone(&config), &note).await {
            Ok(_) => Ok((change, result)),
            Err(problem) => Err(self.back(&current, problem).await),
        }
    }

    /// Makes the configuration of revision `number` current again, as a new revision.
    ///
    /// # Errors
    /// 404 when there is none of that number (any more), and those of [`Revisions::apply`].
    pub async fn rollback(&self, number: u64, mut note: Note) -> Result<Change, Problem> {
        let config = self.config(number).await?;
        note.origin = Origin::Rollback;
        if note.message.is_empty() {
            note.message = format!("back to revision {number}");
        }
        self.apply(Proposal { config, note }).await
    }

    /// Revisions below `before` (all when `None`), newest first, without their configurations.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<Vec<Meta>, Problem> {
        let end = before.unwrap_or(self.current().number + 1);
        self.0.shelf.below(end, limit).await
    }

    /// One revision without its configuration.
    ///
    /// # Errors
    /// 404 when there is none of that number.
    pub async fn meta(&self, number: u64) -> Result<Meta, Problem> {
        let found = self.0.shelf.meta(number).await?;
        found.ok_or_else(|| Problem::no_such("revision", &number.to_string()))
    }

    /// The configuration of one revision.
    ///
    /// # Errors
    /// 404 when there is none of that number or it is no longer kept.
    pub async fn config(&self, number: u64) -> Result<Value, Problem> {
        let found = self.0.shelf.config(number).await?;
        let found = found.ok_or_else(|| Problem::no_such("revision", &number.to_string()))?;
        Ok(self.whole(found))
    }

    /// The configuration as it may be shown: secrets are covered.
    #[must_use]
    pub fn covered(&self, config: &Value) -> Value {
        self.0.host.redact(config)
    }

    /// What changed from one revision to another.
    ///
    /// # Errors
    /// 404 when one of them is not there.
    pub async fn diff(&self, from: u64, to: u64) -> Result<Change, Problem> {
        let (old, new) = (self.config(from).await?, self.config(to).await?);
        let old = Current {
            number: from,
            config: Arc::new(old),
        };
        let mut change = self.change(&old, &new, true, &[]);
        change.revision = to;
        Ok(change)
    }

    fn change(&self, from: &Current, to: &Value, dry_run: bool, faults: &[FaultView]) -> Change {
        let (old, new) = (self.0.host.redact(&from.config), self.0.host.redact(to));
        let impact = self.0.host.impact(&from.config, to);
        let warnings = faults.iter().filter(|fault| !fault.is_error()).cloned().collect();
        Change::between(from.number, &old, &new, dry_run, impact, warnings)
    }

    /// Writes the next revision down and makes it current.
    async fn record(&self, config: Value, note: &Note) -> Result<Current, Problem> {
        let parent = self.current().number;
        let meta = Meta {
            number: parent + 1,
            parent,
            author: note.author.clone(),
            origin: note.origin,
            message: note.message.clone(),
            at: self.0.clock.text(),
        };
        let recorded = self.shared_part(&config);
        let digest = self.0.sharing.is_some().then(|| own::digest(&recorded));
        self.0.shelf.add(&meta, &recorded, digest.as_deref()).await?;
        let current = self.set_current(&meta, config);
        self.announce(&meta);
        Ok(current)
    }

    fn announce(&self, meta: &Meta) {
        let Some(events) = &self.0.events else { return };
        let at = u64::try_from(self.0.clock.now().as_millisecond()).unwrap_or(0);
        let words = format!("{} made revision {}: {}", meta.author, meta.number, meta.message);
        let event = Event::new(
            WallTime(at),
            "config.revision",
            "applied",
            meta.number.to_string(),
            words,
        )
        .with("author", meta.author.clone())
        .with("origin", meta.origin.as_str());
        events.push(event);
    }

    /// Takes the former configuration back after the new one ran but could not be recorded.
    async fn back(&self, former: &Current, problem: Problem) -> Problem {
        match self.0.host.apply(&former.config).await {
            Ok(()) => problem.with("running_revision", former.number),
            Err(words) => problem.with("not_taken_back", words),
        }
    }
}

/// Puts secrets back where a client sent their cover, as it does when it edits what it has read.
fn uncover(new: &mut Value, covered: &Value, old: &Value) {
    if covered == old {
        return;
    }
    if new == covered {
        new.clone_from(old);
        return;
    }
    match (new, covered, old) {
        (Value::Object(new), Value::Object(covered), Value::Object(old)) => {
            for (key, value) in new {
                if let (Some(covered), Some(old)) = (covered.get(key), old.get(key)) {
                    uncover(value, covered, old);
                }
            }
        }
        (Value::Array(new), Value::Array(covered), Value::Array(old)) => {
            for ((value, covered), old) in new.iter_mut().zip(covered).zip(old) {
                uncover(value, covered, old);
            }
        }
        _ => {}
    }
}

fn based_on(wanted: Option<u64>, present: u64) -> Result<(), Problem> {
    match wanted {
        Some(wanted) if wanted != present => {
            let detail = format!("if_revision is {wanted}, the configuration is at revision {present}");
            Err(Problem::new(
                StatusCode::PRECONDITION_FAILED,
                &reasons::CHANGED_MEANWHILE,
                detail,
            ))
        }
        _ => Ok(()),
    }
}

/// Refuses unless `If-Match` names the configuration's present revision.
///
/// # Errors
/// 412.
pub fn check_revision(preconditions: &Preconditions, present: u64) -> Result<(), Problem> {
    preconditions.check(&[etag_of_revision(present)])
}
