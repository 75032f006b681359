//! The fabric's task: carries out what the coordinator wants and tells it what came of it.
//!
//! ```text
//!   deadline ─┐                        ┌─► ClaimStore (each call a task of its own, bounded in time) ─┐
//!   commands ─┼─► Coordinator::step ───┼─► tenants: held, give_up ────────────────────────────────────┤
//!   answers ──┘          ▲             └─► holdings, then tenure, then snapshot, then events          │
//!      ▲                 └────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A renewal is never behind anything else: no call waits for another one.

use crate::handle::{Board, Snapshot, Told};
use crate::tenant::Tenant;
use purlin_fabric::port::{Candidate, ClaimStore, Fault, Later};
use purlin_fabric::{Action, Coordinator, Denied, Input, Timing};
use purlin_types::{Now, Slot};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Reads both clocks.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// What the task is made of.
pub(crate) struct Driver {
    pub(crate) coordinator: Coordinator,
    pub(crate) me: Candidate,
    pub(crate) timing: Timing,
    pub(crate) claims: Arc<dyn ClaimStore>,
    pub(crate) tenants: Vec<Arc<dyn Tenant>>,
    pub(crate) clock: Clock,
    pub(crate) board: Board,
    pub(crate) inputs: mpsc::Receiver<Input>,
    pub(crate) calls: JoinSet<Input>,
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver")
            .field("me", &self.me)
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// Runs until every handle is gone. What is under way then is given up: the leases lapse by themselves.
    pub(crate) async fn run(mut self) {
        self.step(Input::Tick);
        loop {
            let patience = self.patience();
            let input = tokio::select! {
                input = self.inputs.recv() => match input {
                    Some(input) => input,
                    None => return,
                },
                Some(ended) = self.calls.join_next() => match ended {
                    Ok(input) => input,
                    // A call that panicked or was cancelled says nothing; the coordinator asks again by itself.
                    Err(_) => Input::Tick,
                },
                () = tokio::time::sleep(patience) => Input::Tick,
            };
            self.step(input);
        }
    }

    fn patience(&self) -> Duration {
        let left = self
            .coordinator
            .next_deadline()
            .0
            .saturating_sub((self.clock)().boot.0);
        // A deadline that has passed is stepped for at once, but never in a circle without a pause.
        Duration::from_nanos(left).max(Duration::from_millis(1))
    }

    fn step(&mut self, input: Input) {
        let now = (self.clock)();
        let mut actions = Vec::new();
        self.coordinator.step(&now, input, &mut actions);
        for action in actions {
            self.perform(&now, action);
        }
        // After the holdings, which an action has published.
        self.board.tenure.set(self.coordinator.tenure().valid_until);
        self.board.snapshot.send_replace(Arc::new(Snapshot {
            members: self.coordinator.members(now.boot),
            leader: self.coordinator.leader().cloned(),
            readiness: self.coordinator.readiness(),
            tenure: self.coordinator.tenure(),
            leadership: self.coordinator.leadership(now.boot),
            plan: self.coordinator.plan().cloned(),
            clock_rate: self.coordinator.clock_rate(),
        }));
    }

    fn perform(&mut self, now: &Now, action: Action) {
        let (asked, me) = (now.boot, self.me.clone());
        match action {
            Action::Enrol(enrolment) => self.call(
                move |claims| Box::pin(async move { claims.enrol(&enrolment).await }),
                move |outcome| Input::Enrolled { asked, outcome },
            ),
            Action::Renew => self.call(
                move |claims| Box::pin(async move { claims.renew(&me).await }),
                move |outcome| Input::Renewed { asked, outcome },
            ),
            Action::View => self.call(
                |claims| Box::pin(async move { claims.view().await }),
                move |outcome| Input::Viewed { asked, outcome },
            ),
            Action::Claim(wishes) => {
                let sent = wishes.clone();
                self.call(
                    move |claims| Box::pin(async move { claims.claim(&me, &wishes).await }),
                    move |outcome| Input::Claimed {
                        asked,
                        wishes: sent,
                        outcome,
                    },
                );
            }
            Action::Release(held) => {
                let sent = held.clone();
                self.call(
                    move |claims| Box::pin(async move { claims.release(&me, &held).await }),
                    move |outcome| Input::Released { held: sent, outcome },
                );
            }
            Action::Settle(held) => {
                let sent = held.clone();
                self.call(
                    move |claims| Box::pin(async move { claims.settle(&me, &held).await }),
                    move |outcome| Input::Settled { held: sent, outcome },
                );
            }
            Action::Advance { from, to } => self.call(
                move |claims| Box::pin(async move { claims.advance(&me, from, to).await }),
                move |outcome| Input::Advanced { to, outcome },
            ),
            Action::PublishPlan { leader, number, plan } => self.call(
                move |claims| Box::pin(async move { claims.publish_plan(&leader, number, &plan).await }),
                move |outcome| Input::Published { number, outcome },
            ),
            Action::GiveUp(slots) => self.give_up(slots),
            Action::Holdings => self.publish_holdings(),
            Action::Tell(event) => self.board.tell(Told { at: now.wall, event }),
        }
    }

    /// Asks the store in a task of its own. No answer within a lease's length is no answer: by then nothing that was
    /// asked for is worth having.
    fn call<T: Send + 'static>(
        &mut self,
        ask: impl FnOnce(Arc<dyn ClaimStore>) -> Later<'static, Result<T, Fault>> + Send + 'static,
        answer: impl FnOnce(Result<T, Denied>) -> Input + Send + 'static,
    ) {
        let (asked, limit, board) = (ask(Arc::clone(&self.claims)), self.timing.ttl, self.board.clone());
        self.calls.spawn(async move {
            match tokio::time::timeout(limit, asked).await {
                Ok(Ok(value)) => {
                    board.trouble.send_if_modified(|told| told.take().is_some());
                    answer(Ok(value))
                }
                Ok(Err(fault)) => {
                    board.note_trouble(&fault);
                    answer(Err(Denied::from(&fault)))
                }
                Err(_) => {
                    board.note_silence(limit);
                    answer(Err(Denied::Unknown))
                }
            }
        });
    }

    fn give_up(&mut self, slots: Vec<Slot>) {
        let tenants = self.tenants.clone();
        self.calls.spawn(async move {
            let mut refused = Vec::new();
            for tenant in &tenants {
                refused.extend(tenant.give_up(&slots).await);
            }
            Input::Flushed { slots, refused }
        });
    }

    fn publish_holdings(&self) {
        let holdings = self.coordinator.holdings();
        for tenant in &self.tenants {
            tenant.held(holdings);
        }
        self.board.holdings.send_replace(Arc::clone(holdings));
    }
}

/// A fault with its causes, in one line.
#[must_use]
pub fn chain(fault: &dyn Error) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
