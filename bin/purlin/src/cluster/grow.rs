//! A node alone becomes the first of several, with its leases, while it serves.
//!
//! ```text
//!   checks ─► claims of all slots ─► copies, pass after pass, while packets are answered ─► hand over
//!
//!   hand over   packets wait in their sockets ─► the last changes ─► the mark ─► the same threads go on under the claims
//! ```
//!
//! Until the mark is on the disk this node's own store is the truth and the database's rows are copies: whatever fails
//! before, the packet threads go on alone, and the move can be begun anew. From the mark on the database is the truth, and
//! the own store is never served from again. Nobody else serves from the database meanwhile: other nodes wait while a
//! note there says that this one is moving.

mod claims;
mod copier;
mod note;
mod order;

pub(crate) use note::{admitted, others_done};

use super::Cluster;
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
use purlin_accounts::copy_accounts;
use purlin_api::Problem;
use purlin_api::ledger::Ledger;
use purlin_api::revisions::Revisions;
use purlin_api::tokens::copy_tokens;
use purlin_dhcp_server::{Handle, RowCursor, SharedRow, Sharing};
use purlin_fabric_server::Growing;
use purlin_netio::now;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// Rows that changed during a pass, at most, for the rest to be said while packets wait.
const FEW: u64 = 200;
/// Passes at most: where more than this many change all the time, the last one is longer.
const PASSES: u32 = 8;
/// How long packets may wait: clients ask again after some 4 s (RFC 2131, section 4.1).
const PATIENCE: Duration = Duration::from_secs(3);

/// What is moved, and from where.
pub(crate) struct Sources {
    pub(crate) settings: Settings,
    pub(crate) revisions: Revisions,
    pub(crate) leases: Handle,
    /// The API's.
    pub(crate) port: u16,
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

/// All that is left to do once everything is copied but for what changes all the time.
pub(crate) struct Handover {
    order: Order,
    copier: Copier,
    leases: Handle,
    book: Ledger,
    revisions: u64,
}

/// What a node has of its own, and nobody changes any more.
pub(crate) struct Possessions<'a> {
    pub(crate) revisions: &'a Revisions,
    pub(crate) ledger: &'a Ledger,
    pub(crate) data_dir: &'a Path,
}

/// The node's part among others: its packet threads are under claims.
pub(crate) struct Grown {
    pub(crate) cluster: Cluster,
    pub(crate) sharing: Arc<Sharing>,
    /// What lies over the configuration file from now on.
    pub(crate) overlay: Value,
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

    /// Everything that can be done while nothing else stands still.
    async fn copy(&self, order: Order, engines: Engines) -> Result<Handover, String> {
        let (sources, id) = (&self.0.sources, &order.settings.node.id);
        note::write(&engines, id, note::COPYING).await?;
        self.note(|progress| progress.state = "claiming");
        let book = Ledger::new(engines.records.clone().ok_or("the database keeps no records")?);
        let claims = Claims::take(engines, &order.settings, sources.port).await?;
        let mut copier = Copier::begin(claims).await?;
        self.note(|progress| progress.state = "copying");
        for pass in 1..=PASSES {
            let changed = pass_over(&mut copier, &sources.leases, |changed, rows| {
                self.note(|progress| {
                    (progress.pass, progress.changed, progress.rows) = (pass, changed, rows);
                });
            });
            if changed.await? <= FEW {
                break;
            }
        }
        let copied = sources.revisions.copy_to(&book, own::PATHS, id.as_str(), 0).await;
        let revisions = copied.map_err(|problem| problem.detail().to_owned())?;
        Ok(Handover {
            order,
            copier,
            leases: sources.leases.clone(),
            book,
            revisions,
        })
    }
}

/// Copies what has changed of all leases; how many that were.
async fn pass_over(copier: &mut Copier, leases: &Handle, tell: impl Fn(u64, u64)) -> Result<u64, String> {
    let (mut changed, mut cursor) = (0, Some(RowCursor::default()));
    while let Some(from) = cursor {
        let (rows, next) = leases.rows(from).await;
        changed += copier.put(&rows).await?;
        cursor = next;
        tell(changed, copier.rows());
    }
    Ok(changed)
}

/// All leases.
async fn all_rows(leases: &Handle) -> Vec<SharedRow> {
    let (mut all, mut cursor) = (Vec::new(), Some(RowCursor::default()));
    while let Some(from) = cursor {
        let (rows, next) = leases.rows(from).await;
        all.extend(rows);
        cursor = next;
    }
    all
}

impl Handover {
    /// The rest. Nobody may change anything any more but clients, whose packets wait for a moment. When this returns
    /// without a fault the node is one of several for good, and not before.
    ///
    /// # Errors
    /// When something was not written: the packet threads go on alone.
    pub(crate) async fn finish(mut self, of: &Possessions<'_>) -> Result<Grown, Failure> {
        let outcome = self.try_finish(of).await;
        let Ok(sharing) = outcome else {
            self.leases.take_up().await;
            self.copier.claims().leave().await;
            let why = outcome.err().unwrap_or_default();
            return Err(Failure::failed(
                format!("the leases were not all moved, and this node stays alone: {why}"),
                "purlin cluster grow, again",
            ));
        };
        let claims = self.copier.claims();
        claims.seat(&sharing);
        Ok(Grown {
            cluster: claims.cluster.clone(),
            sharing,
            overlay: self.order.overlay,
        })
    }

    async fn try_finish(&mut self, of: &Possessions<'_>) -> Result<Arc<Sharing>, String> {
        let told = |problem: Problem| problem.detail().to_owned();
        let id = self.order.settings.node.id.as_str();
        let copied = of.revisions.copy_to(&self.book, own::PATHS, id, self.revisions);
        copied.await.map_err(told)?;
        copy_tokens(of.ledger, &self.book).await.map_err(told)?;
        copy_accounts(of.ledger, &self.book).await.map_err(told)?;
        let cluster = self.copier.claims().cluster.clone();
        cluster
            .find_place(of.data_dir)
            .await
            .map_err(|failure| failure.what)?;
        let share = cluster.share().map_err(|failure| failure.what)?;
        let share = share.ok_or("the store shares no rows")?;
        let prepared = self.leases.prepare_share(&share).await;
        let prepared = prepared.map_err(|cause| chain(&cause))?;
        pass_over(&mut self.copier, &self.leases, |_, _| ()).await?;

        let began = Instant::now();
        self.leases.lay_down().await.map_err(|cause| cause.to_string())?;
        let rows = all_rows(&self.leases).await;
        let put = tokio::time::timeout(PATIENCE, self.copier.put_last(rows)).await;
        let rows = put.map_err(|_| {
            format!(
                "the database did not take the rest within {} s",
                PATIENCE.as_secs()
            )
        })??;
        grown::write(of.data_dir, &self.order.overlay).map_err(|failure| failure.what)?;
        let (count, holdings) = (rows.len(), self.copier.claims().holdings());
        let sharing = self.leases.join(prepared, rows, &holdings).await;
        log::info(&format!(
            "{count} rows are in the database: going on as a node of a cluster; packets waited for {} ms",
            began.elapsed().as_millis()
        ));
        Ok(sharing)
    }
}

fn not_possible(detail: &str) -> Problem {
    Problem::not_possible(detail)
}
