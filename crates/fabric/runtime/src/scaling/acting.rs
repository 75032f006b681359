//! Acting once on each decision.

use super::action::{Action, ActionState};
use super::loads::NodeInput;
use super::rows::{NotBegun, Rows};
use super::{Driver, Order, Outcome, Policy, Verdict};
use crate::drive::Clock;
use crate::handle::{Fabric, Snapshot};
use purlin_fabric::port::Fence;
use purlin_fabric::scaling::{Direction, History, Recommendation};
use purlin_store::RecordError;
use purlin_types::{BootTime, Epoch, Now};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// Actions that a new leader looks back on.
const BACK: usize = 20;
/// How often, and how far apart, an outcome is written until it is.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_secs(3);

/// What this node did as leader, and what it found done.
#[derive(Debug)]
pub(super) struct Deeds {
    rows: Rows,
    clock: Hands,
    /// Each action when it is written down, and again with its outcome.
    told: broadcast::Sender<Action>,
    /// The right under which it looked back.
    led: Option<Epoch>,
    /// The newest row, and the newest that was a deed.
    newest: Option<Action>,
    deed: Option<Action>,
    running: Option<JoinHandle<Action>>,
}

/// A clock, which has nothing to print.
struct Hands(Clock);

impl std::fmt::Debug for Hands {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

impl Deeds {
    pub(super) fn new(rows: Rows, clock: Clock, told: broadcast::Sender<Action>) -> Self {
        Self {
            rows,
            told,
            clock: Hands(clock),
            led: None,
            newest: None,
            deed: None,
            running: None,
        }
    }

    /// This node leads by that right: it takes over what its predecessor wrote.
    pub(super) async fn lead(
        &mut self,
        me: &str,
        right: Epoch,
        inputs: &[NodeInput],
        now: &Now,
        history: &mut History,
    ) {
        self.collect().await;
        if self.led == Some(right) {
            return;
        }
        let Ok(actions) = self.rows.actions(BACK).await else {
            return;
        };
        for action in actions.iter().filter(|action| action.is_deed()) {
            history.acted(then(action, now), action.direction);
        }
        (self.led, self.newest) = (Some(right), actions.first().cloned());
        self.deed = actions.into_iter().find(Action::is_deed);
        self.give_up_lost(me, inputs).await;
    }

    /// Somebody else leads, or nobody.
    pub(super) fn follow(&mut self) {
        self.led = None;
    }

    /// An action whose leader is gone will never be told the outcome of.
    async fn give_up_lost(&mut self, me: &str, inputs: &[NodeInput]) {
        let Some(deed) = self
            .deed
            .clone()
            .filter(|deed| deed.state == ActionState::Running)
        else {
            return;
        };
        let alive = inputs.iter().any(|input| input.id.as_str() == deed.leader);
        let mine = deed.leader == me && self.running.is_none();
        if alive && !mine {
            return;
        }
        let lost = Action {
            state: ActionState::Lost,
            output: "its leader went before it told the outcome".to_owned(),
            ..deed.clone()
        };
        if self.rows.end(&deed, &lost).await.is_ok() {
            // Nobody may be listening, here and below.
            let _ = self.told.send(lost.clone());
            self.deed = Some(lost);
        }
    }

    /// How many nodes the newest deed wants, while it may be expected to come true.
    pub(super) fn target(&self, policy: &Policy, now: &Now) -> Option<u16> {
        policy.driver.as_ref()?;
        let deed = self
            .deed
            .as_ref()
            .filter(|deed| deed.state != ActionState::Failed)?;
        let age = Duration::from_millis(now.wall.0.saturating_sub(deed.at.0));
        (age < policy.scaling.cooldown).then_some(deed.to)
    }

    /// Acts on what was decided, if anything is to be done: the direction when it begins.
    pub(super) async fn act(
        &mut self,
        policy: &Policy,
        said: &Recommendation,
        verdict: &Verdict,
        snapshot: &Snapshot,
        now: &Now,
        fabric: &Fabric,
    ) -> Option<Direction> {
        let right = snapshot
            .leads(now.boot)
            .filter(|right| self.led == Some(right.epoch))?;
        let driver = policy.driver.clone();
        let again = self.newest.as_ref().is_some_and(|newest| {
            let young = now.wall.0.saturating_sub(newest.at.0) < policy.scaling.cooldown.as_millis() as u64;
            young && !newest.is_deed() && (newest.direction, newest.to) == (said.direction, said.target_nodes)
        });
        if !said.acts || self.running.is_some() || (driver.is_none() && again) {
            return None;
        }
        let action = Action {
            number: 0,
            at: now.wall,
            leader: verdict.by.clone(),
            epoch: right.epoch,
            direction: said.direction,
            from: verdict.nodes,
            to: said.target_nodes,
            reason: verdict.reason.clone(),
            driver: driver
                .as_ref()
                .map_or("recommend", |driver| driver.name())
                .to_owned(),
            state: if driver.is_some() {
                ActionState::Running
            } else {
                ActionState::Recommended
            },
            output: String::new(),
            took_ms: 0,
        };
        match self.rows.begin(action).await {
            Ok(begun) => self.begun(begun, driver, right, fabric),
            // Somebody else acted, or nobody knows whether this was written: the next look looks back.
            Err(NotBegun::Outdone | NotBegun::Store) => {
                self.led = None;
                None
            }
        }
    }

    fn begun(
        &mut self,
        action: Action,
        driver: Option<Arc<dyn Driver>>,
        right: &Fence,
        fabric: &Fabric,
    ) -> Option<Direction> {
        self.newest = Some(action.clone());
        let _ = self.told.send(action.clone());
        let driver = driver?;
        self.deed = Some(action.clone());
        let direction = action.direction;
        let (rows, clock, told) = (self.rows.clone(), Arc::clone(&self.clock.0), self.told.clone());
        // The record may have taken its time, or the machine slept: others may have acted since.
        let still = fabric.snapshot().leads((self.clock.0)().boot) == Some(right);
        self.running = Some(tokio::spawn(async move {
            let began = clock().boot;
            let outcome = if still {
                driver.act(&order(&action)).await
            } else {
                Outcome {
                    done: false,
                    output: "the right to lead ended meanwhile: not begun".to_owned(),
                }
            };
            let ended = Action {
                state: if outcome.done {
                    ActionState::Done
                } else {
                    ActionState::Failed
                },
                output: outcome.output,
                took_ms: clock().boot.millis_since(began),
                ..action.clone()
            };
            write_down(&rows, &action, &ended).await;
            let _ = told.send(ended.clone());
            ended
        }));
        Some(direction)
    }

    /// What became of the action under way, when it is over.
    async fn collect(&mut self) {
        let over = self.running.as_ref().is_some_and(JoinHandle::is_finished);
        if let Some(handle) = over.then(|| self.running.take()).flatten()
            && let Ok(ended) = handle.await
        {
            if self
                .newest
                .as_ref()
                .is_some_and(|newest| newest.number == ended.number)
            {
                self.newest = Some(ended.clone());
            }
            self.deed = Some(ended);
        }
    }
}

fn order(action: &Action) -> Order {
    Order {
        number: action.number,
        from: action.from,
        to: action.to,
        reason: action.reason.clone(),
    }
}

/// Until it is written, or somebody else has given it up.
async fn write_down(rows: &Rows, before: &Action, after: &Action) {
    for _ in 0..TRIES {
        match rows.end(before, after).await {
            Ok(()) | Err(RecordError::Conflict { .. }) => return,
            Err(RecordError::Full | RecordError::Failed(_)) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// When an action was, on this machine's own clock.
fn then(action: &Action, now: &Now) -> BootTime {
    let ago = now.wall.0.saturating_sub(action.at.0);
    BootTime(now.boot.0.saturating_sub(ago.saturating_mul(1_000_000)))
}
