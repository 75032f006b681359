//! A node alone becomes the first of several, with its leases, while it serves.
//!
//! ```text
//!   checks ─► claims of all slots ─► copies, pass after pass, while packets are answered ─► hand over
//!
//!   hand over   packets stop ─► the journals' last word ─► claims given back ─► the mark ─► this program anew
//! ```
//!
//! Until the mark is on the disk this node's own store is the truth and the database's rows are copies: whatever ends the
//! process before, it goes on alone when it is started again, and the move can be begun anew. From the mark on the
//! database is the truth, and the own store is never served from again. Nobody else serves from the database meanwhile:
//! other nodes wait while a note there says that this one is moving.

mod claims;
mod copier;
mod note;
mod order;

pub(crate) use note::admitted;

use super::engines::Engines;
use crate::exit::{Failure, chain};
use crate::log;
use crate::settings::Settings;
use crate::up::grown;
use crate::up::own;
use claims::Claims;
use copier::Copier;
use futures_util::future::{BoxFuture, FutureExt};
use order::Order;
use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_api::revisions::Revisions;
use purlin_api::tokens::copy_tokens;
use purlin_dhcp_server::{Handle, RowCursor, rows_of_journals};
use purlin_fabric_server::Growing;
use purlin_netio::now;
use purlin_store_embedded::Embedded;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Rows that changed during a pass, at most, for the rest to be said while nobody is answered.
const FEW: u64 = 2000;
/// Passes at most: where more than this many change all the time, the last one is longer.
const PASSES: u32 = 8;

/// What is moved, and from where.
pub(crate) struct Sources {
    pub(crate) settings: Settings,
    pub(crate) revisions: Revisions,
    pub(crate) leases: Handle,
}

/// The way from one node to several.
#[derive(Clone)]
pub(crate) struct Grower(Arc<Inner>);

struct Inner {
    sources: Sources,
    progress: Mutex<Progress>,
    ready: Mutex<Option<Handover>>,
    wake: Notify,
}

/// How far it is.
#[derive(Debug, Clone, Default)]
struct Progress {
    state: &'static str,
    rows: u64,
    pass: u32,
    changed: u64,
    detail: Option<String>,
}

/// All that is left to do once nobody is answered.
pub(crate) struct Handover {
    order: Order,
    engines: Engines,
    copier: Copier,
    book: Ledger,
    revisions: u64,
}

impl std::fmt::Debug for Grower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grower")
    }
}

impl Growing for Grower {
    fn plan<'a>(&'a self, order: &'a Value) -> BoxFuture<'a, Result<Value, Problem>> {
        async move {
            let (order, engines) = self.checked(order).await?;
            drop(engines);
            Ok(self.told(&order))
        }
        .boxed()
    }

    fn begin<'a>(&'a self, order: &'a Value) -> BoxFuture<'a, Result<Value, Problem>> {
        async move {
            if !self.occupy() {
                return Err(not_possible("this node is on its way already: GET tells how far"));
            }
            match self.checked(order).await {
                Ok((order, engines)) => {
                    let told = self.told(&order);
                    let grower = self.clone();
                    tokio::spawn(async move { grower.move_over(order, engines).await });
                    Ok(told)
                }
                Err(problem) => {
                    self.note(|progress| *progress = Progress::default());
                    Err(problem)
                }
            }
        }
        .boxed()
    }

    fn state(&self) -> Value {
        let progress = self
            .0
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let state = if progress.state.is_empty() {
            "alone"
        } else {
            progress.state
        };
        json!({
            "node": self.0.sources.settings.node.id.as_str(),
            "state": state,
            "rows": progress.rows,
            "pass": progress.pass,
            "changed": progress.changed,
            "detail": progress.detail,
        })
    }
}

impl Grower {
    pub(crate) fn new(sources: Sources) -> Self {
        Self(Arc::new(Inner {
            sources,
            progress: Mutex::default(),
            ready: Mutex::default(),
            wake: Notify::new(),
        }))
    }

    /// Waits until everything is copied but for what changes all the time: then packets are to be stopped.
    pub(crate) async fn ready(&self) -> Handover {
        loop {
            let woken = self.0.wake.notified();
            let ready = self.0.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
            match ready {
                Some(handover) => return handover,
                None => woken.await,
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.progress.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether nobody else is at it.
    fn occupy(&self) -> bool {
        let mut progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let free = matches!(progress.state, "" | "failed");
        if free {
            *progress = Progress {
                state: "checking",
                ..Progress::default()
            };
        }
        free
    }

    /// What is ordered, when nothing is in its way.
    async fn checked(&self, order: &Value) -> Result<(Order, Engines), Problem> {
        let sources = &self.0.sources;
        let order = Order::read(order, &sources.revisions.current().config)?;
        if let Some(until) = sources.leases.in_doubt_until().await {
            let wait = until.saturating_sub(now().wall.secs());
            return Err(not_possible(&format!(
                "addresses are in doubt for {wait} s more, after a crash or a restore: ask again then"
            )));
        }
        let engines = order.engines().await?;
        note::check(&engines, &order.settings.node.id).await?;
        Ok((order, engines))
    }

    fn told(&self, order: &Order) -> Value {
        let mut told = self.state();
        told["steps"] = json!(order.steps());
        told["revision"] = json!(self.0.sources.revisions.current().number);
        told
    }

    async fn move_over(&self, order: Order, engines: Engines) {
        log::info("this node is to become the first of several: its leases are copied while it serves");
        match self.copy(order, engines).await {
            Ok(handover) => {
                self.note(|progress| progress.state = "handing_over");
                *self.0.ready.lock().unwrap_or_else(PoisonError::into_inner) = Some(handover);
                self.0.wake.notify_one();
            }
            Err(why) => {
                log::error(&format!("this node stays alone: {why}"));
                self.note(|progress| (progress.state, progress.detail) = ("failed", Some(why)));
            }
        }
    }

    /// Everything that can be done while packets are answered.
    async fn copy(&self, order: Order, engines: Engines) -> Result<Handover, String> {
        let (sources, id) = (&self.0.sources, &order.settings.node.id);
        note::write(&engines, id, note::COPYING).await?;
        self.note(|progress| progress.state = "claiming");
        let claims = Claims::take(&engines, &order.settings).await?;
        let mut copier = Copier::begin(claims).await?;
        self.note(|progress| progress.state = "copying");
        for pass in 1..=PASSES {
            let mut changed = 0;
            let mut cursor = Some(RowCursor::default());
            while let Some(from) = cursor {
                let (rows, next) = sources.leases.rows(from).await;
                changed += copier.put(rows).await?;
                cursor = next;
                self.note(|progress| {
                    (progress.pass, progress.changed, progress.rows) = (pass, changed, copier.rows());
                });
            }
            if changed <= FEW {
                break;
            }
        }
        let book = Ledger::new(engines.records.clone().ok_or("the database keeps no records")?);
        let copied = sources.revisions.copy_to(&book, own::PATHS, id.as_str(), 0).await;
        let revisions = copied.map_err(|problem| problem.detail().to_owned())?;
        Ok(Handover {
            order,
            engines,
            copier,
            book,
            revisions,
        })
    }
}

impl Handover {
    /// The rest, after the packet threads have ended and all they promised is on the disk. When this returns without a
    /// fault the node is one of several with its next start, and not before.
    ///
    /// # Errors
    /// When something was not written: this node goes on alone.
    pub(crate) async fn finish(
        self,
        store: &Arc<Embedded>,
        revisions: &Revisions,
        ledger: &Ledger,
        data_dir: &std::path::Path,
    ) -> Result<(), Failure> {
        let Self {
            order,
            engines: _engines,
            mut copier,
            book,
            revisions: known,
        } = self;
        let failed = |why: String| {
            Failure::failed(
                format!("the leases were not all moved, and this node stays alone: {why}"),
                "purlin cluster grow, again",
            )
        };
        let journals = store.journals();
        let settings = order.settings.services.dhcp.service.clone();
        let read = tokio::task::spawn_blocking(move || rows_of_journals(&*journals, &settings, None)).await;
        let kept = read.map_err(|_| failed("reading the journals panicked".to_owned()))?;
        let kept = kept.map_err(|cause| failed(chain(&cause)))?;
        if !kept.exact {
            return Err(failed("the journals were not ended in order".to_owned()));
        }
        let rows = kept.rows.len();
        copier.put_last(kept.rows).await.map_err(failed)?;
        let id = order.settings.node.id.as_str();
        let copied = revisions.copy_to(&book, own::PATHS, id, known).await;
        copied.map_err(|problem| failed(problem.detail().to_owned()))?;
        let copied = copy_tokens(ledger, &book).await;
        copied.map_err(|problem| failed(problem.detail().to_owned()))?;
        copier.leave().await;
        grown::write(data_dir, &order.overlay)?;
        log::info(&format!(
            "{rows} rows are in the database: going on as a node of a cluster"
        ));
        Ok(())
    }
}

fn not_possible(detail: &str) -> Problem {
    Problem::not_possible(detail)
}
