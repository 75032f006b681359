//! Revisions that several nodes make and take over from each other.
//!
//! ```text
//!   a change at one node ─► applied there ─► recorded under the next number ─► other nodes follow
//!                                              │ taken meanwhile: taken back, told, the other's is followed
//! ```
//!
//! A file never takes the cluster back: what it says becomes a revision only if no revision has said it before, and
//! only at a node whose file has changed. A node that joins takes what the cluster has.

use super::own::{Own, digest};
use super::stored::{Meta, Origin, Shelf};
use super::{ConfigHost, Current, Note, Revisions};
use crate::clock::Clock;
use crate::ledger::Ledger;
use crate::problem::{FaultView, Problem};
use crate::reasons;
use axum::http::StatusCode;
use purlin_telemetry::EventLog;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Attempts to be first with a number, at the start.
const TRIES: usize = 8;

/// What a node is among those that share revisions.
#[derive(Debug)]
pub(super) struct Sharing {
    node: String,
    paths: Own,
    own: RwLock<Value>,
    at: Mutex<Option<Meta>>,
    trouble: Mutex<Option<String>>,
}

impl Sharing {
    pub(super) fn is_at(&self, meta: &Meta) {
        *lock(&self.at) = Some(meta.clone());
        *lock(&self.trouble) = None;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of a node's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is the newest revision now.
    Made,
    /// It says what the newest revision says, or nothing new since it was last read.
    Same,
    /// It says what this earlier revision said: the newest one stays.
    Old(u64),
    /// The node has not been in this cluster before: it takes what the cluster has.
    Joined,
}

/// How a node stands to the newest revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The revision in effect here.
    pub revision: u64,
    /// Why a newer one is not.
    pub trouble: Option<String>,
}

impl Revisions {
    /// Revisions in a store that nodes share. `own` is what each node keeps for itself, taken from `file`, which is this
    /// node's whole configuration. `current().number` is 0 when there is none yet: call [`Revisions::settle`].
    ///
    /// # Errors
    /// When the store cannot be read or a row is damaged.
    pub async fn open_shared(
        ledger: Ledger,
        clock: Clock,
        host: Arc<dyn ConfigHost>,
        events: Option<Arc<EventLog>>,
        (node, own, file): (&str, Own, &Value),
    ) -> Result<Self, Problem> {
        let sharing = Sharing {
            node: node.to_owned(),
            paths: own,
            own: RwLock::new(own.own(file)),
            at: Mutex::default(),
            trouble: Mutex::default(),
        };
        Self::read(Shelf::new(ledger), clock, host, events, Some(sharing)).await
    }

    /// Whether other nodes make revisions, too.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.sharing.is_some()
    }

    /// How this node stands to the newest revision.
    #[must_use]
    pub fn standing(&self) -> Standing {
        Standing {
            revision: self.current().number,
            trouble: self
                .0
                .sharing
                .as_ref()
                .and_then(|sharing| lock(&sharing.trouble).clone()),
        }
    }

    /// Settles what runs at start, before any service does, among nodes that share revisions.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn settle(&self, file: &Value, author: &str) -> Result<(Current, Settled), Problem> {
        let _writing = self.0.writer.lock().await;
        for _ in 1..TRIES {
            self.reread().await?;
            match self.take_file(file, author, false).await {
                // Another node was faster.
                Err(problem) if problem.status() == StatusCode::CONFLICT => {}
                outcome => return outcome,
            }
        }
        self.reread().await?;
        self.take_file(file, author, false).await
    }

    /// Reads a node's file again while it runs: its own part takes effect here, the rest as at a start.
    ///
    /// # Errors
    /// Those of [`Revisions::apply`]; the former configuration runs on then.
    pub async fn reread_file(&self, file: &Value, author: &str) -> Result<(Current, Settled), Problem> {
        let _writing = self.0.writer.lock().await;
        self.catch_up().await?;
        let former = self.swap_own(file);
        let outcome = self.take_file(file, author, true).await;
        if outcome.is_err()
            && let Some(former) = former
        {
            self.swap_own(&former);
        }
        outcome
    }

    /// Takes over what other nodes have recorded; the new configuration when there is one.
    ///
    /// # Errors
    /// When the store does not answer, or the newest revision cannot be taken over; the former one runs on, and
    /// [`Revisions::standing`] says so.
    pub async fn follow(&self) -> Result<Option<Current>, Problem> {
        let _writing = self.0.writer.lock().await;
        self.catch_up().await
    }

    /// As [`Revisions::follow`], by whoever writes already.
    pub(super) async fn catch_up(&self) -> Result<Option<Current>, Problem> {
        let Some((sharing, meta)) = self.news().await? else {
            return Ok(None);
        };
        let config = Arc::new(self.recorded(&meta).await?);
        let outcome = match self.check(&config).await?.into_iter().find(FaultView::is_error) {
            Some(fault) => Err(format!("{}: {}", fault.path, fault.message)),
            None => self.0.host.apply(&config).await,
        };
        if let Err(words) = outcome {
            let stays = self.current().number;
            let told = format!(
                "revision {} cannot be taken over: {words}; {stays} stays in effect",
                meta.number
            );
            *lock(&sharing.trouble) = Some(told.clone());
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return Err(Problem::new(status, &reasons::NOT_READY, told));
        }
        let current = self.set_current(&meta, Value::clone(&config));
        self.announce(&meta);
        Ok(Some(current))
    }

    /// The newest revision when it is not the one in effect here. One that a failover of the store has lost counts as
    /// replaced.
    async fn news(&self) -> Result<Option<(&Sharing, Meta)>, Problem> {
        let Some(sharing) = &self.0.sharing else {
            return Ok(None);
        };
        let newest = self.0.shelf.newest().await?;
        let news = newest.filter(|meta| lock(&sharing.at).as_ref() != Some(meta));
        Ok(news.map(|meta| (sharing, meta)))
    }

    /// The newest revision as the current one, before anything runs that it could be applied to.
    async fn reread(&self) -> Result<(), Problem> {
        if let Some((_, meta)) = self.news().await? {
            let config = self.recorded(&meta).await?;
            self.set_current(&meta, config);
        }
        Ok(())
    }

    /// Does with a file what is due.
    async fn take_file(&self, file: &Value, author: &str, live: bool) -> Result<(Current, Settled), Problem> {
        let Some(sharing) = &self.0.sharing else {
            return Err(Problem::broken("these revisions are not shared"));
        };
        let shared = self.shared_part(file);
        let said = digest(&shared);
        let current = self.current();
        let seen = self.0.shelf.file_of(&sharing.node).await?;
        let before = self.0.shelf.of_digest(&said).await?;
        let settled = if current.number == 0 {
            Settled::Made
        } else if self.shared_part(&current.config) == shared || seen.as_deref() == Some(&said) {
            Settled::Same
        } else if let Some(number) = before {
            Settled::Old(number)
        } else if seen.is_none() {
            Settled::Joined
        } else {
            Settled::Made
        };
        let target = match settled {
            Settled::Made => self.whole(shared),
            _ => self.whole(self.shared_part(&current.config)),
        };
        let current = self.take(target, &settled, author, live).await?;
        if seen.as_deref() != Some(&said) {
            self.0.shelf.set_file_of(&sharing.node, &said).await?;
        }
        Ok((current, settled))
    }

    async fn take(
        &self,
        target: Value,
        settled: &Settled,
        author: &str,
        live: bool,
    ) -> Result<Current, Problem> {
        let former = self.current();
        let target = Arc::new(target);
        if live && target != former.config {
            let faults = self.check(&target).await?;
            if faults.iter().any(FaultView::is_error) {
                return Err(Problem::faults(faults));
            }
            self.0.host.apply(&target).await.map_err(|words| {
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, &reasons::APPLY_FAILED, words)
            })?;
        }
        if *settled != Settled::Made {
            let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
            current.config = target;
            return Ok(current.clone());
        }
        let note = Note {
            author: author.to_owned(),
            origin: Origin::File,
            message: if live {
                "read again on SIGHUP"
            } else {
                "read at start"
            }
            .to_owned(),
            if_revision: None,
            dry_run: false,
        };
        match self.record(Value::clone(&target), &note).await {
            Ok(current) => Ok(current),
            Err(problem) if live => Err(self.back(&former, problem).await),
            Err(problem) => Err(problem),
        }
    }

    /// The part of a configuration that is recorded.
    pub(super) fn shared_part(&self, config: &Value) -> Value {
        match &self.0.sharing {
            Some(sharing) => sharing.paths.shared(config),
            None => config.clone(),
        }
    }

    /// What was recorded, with this node's own part.
    pub(super) fn whole(&self, recorded: Value) -> Value {
        match &self.0.sharing {
            Some(sharing) => {
                let own = sharing.own.read().unwrap_or_else(PoisonError::into_inner);
                sharing.paths.join(&recorded, &own)
            }
            None => recorded,
        }
    }

    /// A wanted configuration without what is not to be changed this way: each node's own part. Says what was left out.
    pub(super) fn keep_own(&self, wanted: Value, present: &Value) -> (Value, Vec<FaultView>) {
        let Some(sharing) = &self.0.sharing else {
            return (wanted, Vec::new());
        };
        let own = sharing.paths.own(&wanted);
        // A configuration that says nothing about nodes is the cluster's, as it should be.
        let differing = sharing.paths.differing(&own, present).into_iter();
        let said = differing.filter(|path| path.split('.').try_fold(&own, |at, name| at.get(name)).is_some());
        let kept = said.map(|path| FaultView {
            severity: "warning",
            path: path.to_owned(),
            message: "is each node's own and was left as it is".to_owned(),
            code: String::new(),
            fix: "change it in the configuration file of that node".to_owned(),
        });
        let kept = kept.collect();
        (self.whole(sharing.paths.shared(&wanted)), kept)
    }

    fn swap_own(&self, file: &Value) -> Option<Value> {
        let sharing = self.0.sharing.as_ref()?;
        let mut own = sharing.own.write().unwrap_or_else(PoisonError::into_inner);
        Some(std::mem::replace(&mut *own, sharing.paths.own(file)))
    }
}
