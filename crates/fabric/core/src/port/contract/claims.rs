//! What every claim store must do.

mod contention;
mod faults;
mod keys;
mod nodes;
mod plans;
mod steps;
mod suspicion;

use crate::port::{
    Candidate, ClaimKey, ClaimRow, ClaimStore, Enrolment, Fault, Fence, Later, NodeFacts, NodeState, Refusal,
    Renewal, Version, View, Wish,
};
use purlin_types::{Epoch, Incarnation, NodeId, Slot};
use std::fmt;
use std::sync::Arc;

/// Storage for one check, and the faults it can simulate.
pub trait ClaimsRig: Send + Sync {
    /// Another node's way to the rig's storage: a connection or pool of its own where there are such.
    fn store(&self) -> Later<'_, Arc<dyn ClaimStore>>;

    /// Lets a standby have everything committed so far, and nothing after it until called again; `false` when the rig
    /// cannot hold commits back from a standby. Only then `fail_over(true)` is called.
    fn replicate(&self) -> Later<'_, bool> {
        Box::pin(async { false })
    }

    /// Goes on from another history: the timeline rises. With `lose`, all that was committed after the last
    /// `replicate` is gone; else nothing is. `false` when the rig cannot.
    fn fail_over(&self, _lose: bool) -> Later<'_, bool> {
        Box::pin(async { false })
    }

    /// Ends the storage's process and starts it again; `false` when the rig cannot. Stores given before may need to
    /// connect anew, the check asks for new ones.
    fn restart(&self) -> Later<'_, bool> {
        Box::pin(async { false })
    }

    /// Lets no call reach the storage, or get its answer, until called with `false`; returns `false` when the rig
    /// cannot.
    fn cut(&self, _cut: bool) -> Later<'_, bool> {
        Box::pin(async { false })
    }
}

/// Runs every check, each on a rig of its own.
///
/// # Panics
/// When the engine breaks its contract.
pub async fn all<R: ClaimsRig>(make: impl AsyncFn() -> R) {
    contention::one_of_many_contenders_wins(&make().await).await;
    contention::every_change_of_owner_counts_once(&make().await).await;
    contention::one_of_two_namesakes_is_enrolled(&make().await).await;
    contention::a_view_is_one_instant(&make().await).await;
    steps::a_first_claim_carries_the_timeline_and_counts_one(&make().await).await;
    steps::release_and_settlement_are_steps_of_an_epoch(&make().await).await;
    steps::an_outdated_wish_changes_nothing(&make().await).await;
    steps::each_wish_stands_alone(&make().await).await;
    steps::only_the_holder_releases_and_settles(&make().await).await;
    suspicion::force_leaves_suspicion_until_settled(&make().await).await;
    suspicion::suspicion_outlives_a_second_takeover_and_a_release(&make().await).await;
    nodes::a_node_enrols_renews_and_is_seen(&make().await).await;
    nodes::an_id_in_use_is_refused(&make().await).await;
    nodes::a_former_life_is_replaced_only_as_last_seen(&make().await).await;
    nodes::a_replaced_life_can_do_nothing(&make().await).await;
    nodes::a_removed_life_can_do_nothing_and_its_id_is_free(&make().await).await;
    nodes::a_state_is_left_only_from_where_it_is(&make().await).await;
    nodes::a_stranger_can_do_nothing(&make().await).await;
    keys::keys_of_all_kinds_are_apart(&make().await).await;
    keys::lock_names_of_200_octets_are_kept_whole(&make().await).await;
    keys::all_slots_are_claimed_released_and_settled_in_one_call(&make().await).await;
    plans::plans_are_numbered_without_gaps(&make().await).await;
    plans::only_the_leader_publishes(&make().await).await;
    plans::a_plan_of_the_largest_size_is_kept(&make().await).await;
    faults::a_restart_forgets_nothing(&make().await).await;
    faults::no_answer_is_never_a_refusal(&make().await).await;
    faults::a_failover_raises_the_timeline_and_keeps_what_it_has(&make().await).await;
    faults::an_epoch_lost_in_a_failover_is_never_given_again(&make().await).await;
    faults::a_claim_of_a_former_timeline_is_no_right(&make().await).await;
}

/// One node of a check: who it is, and its own way to the storage.
pub(crate) struct Node {
    pub(crate) store: Arc<dyn ClaimStore>,
    pub(crate) me: Candidate,
}

impl Node {
    /// Not known to the store.
    pub(crate) async fn stranger(rig: &dyn ClaimsRig, name: &str, incarnation: u64) -> Self {
        Self {
            store: rig.store().await,
            me: Candidate {
                id: NodeId::parse(name).expect("a good name"),
                incarnation: Incarnation(incarnation),
            },
        }
    }

    /// Enrolled and active.
    pub(crate) async fn active(rig: &dyn ClaimsRig, name: &str, incarnation: u64) -> Self {
        let node = Self::stranger(rig, name, incarnation).await;
        node.enrol(None).await.expect("the name is new");
        node.advance(NodeState::Joining, NodeState::Active)
            .await
            .expect("it is joining");
        node
    }

    pub(crate) async fn enrol(&self, replaces: Option<(u64, u64)>) -> Result<Renewal, Fault> {
        let enrolment = Enrolment {
            id: self.me.id.clone(),
            incarnation: self.me.incarnation,
            facts: facts(self.me.id.as_str()),
            replaces: replaces.map(|(incarnation, seq)| (Incarnation(incarnation), seq)),
        };
        self.store.enrol(&enrolment).await
    }

    pub(crate) async fn renew(&self) -> Result<Renewal, Fault> {
        self.store.renew(&self.me).await
    }

    pub(crate) async fn advance(&self, from: NodeState, to: NodeState) -> Result<(), Fault> {
        self.store.advance(&self.me, from, to).await
    }

    pub(crate) async fn view(&self) -> View {
        self.store.view().await.expect("the store answers")
    }

    /// The claim as it is now; a free one at the default version if it was never claimed.
    pub(crate) async fn row(&self, key: &ClaimKey) -> ClaimRow {
        let found = self.view().await.claims.into_iter().find(|row| row.key == *key);
        found.unwrap_or_else(|| ClaimRow {
            key: key.clone(),
            version: Version::default(),
            owner: None,
            suspect: false,
        })
    }

    pub(crate) async fn wish(&self, key: &ClaimKey, seen: Version, by_force: bool) -> Option<Epoch> {
        let wish = Wish {
            key: key.clone(),
            seen,
            by_force,
        };
        let won = self.store.claim(&self.me, &[wish]).await;
        let mut won = won.expect("the store answers");
        assert_eq!(won.len(), 1, "an answer for each wish");
        won.remove(0)
    }

    /// Takes the claim as it is now.
    pub(crate) async fn take(&self, key: &ClaimKey, by_force: bool) -> Epoch {
        let seen = self.row(key).await.version;
        self.wish(key, seen, by_force).await.expect("it is as seen")
    }

    pub(crate) async fn release(&self, key: &ClaimKey, epoch: Epoch) {
        let released = self.store.release(&self.me, &[fence(key, epoch)]).await;
        released.expect("the store answers");
    }

    pub(crate) async fn settle(&self, key: &ClaimKey, epoch: Epoch) {
        let settled = self.store.settle(&self.me, &[fence(key, epoch)]).await;
        settled.expect("the store answers");
    }

    pub(crate) fn owns(&self, row: &ClaimRow) -> bool {
        row.owner == Some((self.me.id.clone(), self.me.incarnation))
    }
}

pub(crate) fn fence(key: &ClaimKey, epoch: Epoch) -> Fence {
    Fence {
        key: key.clone(),
        epoch,
    }
}

pub(crate) fn slot(index: u16) -> ClaimKey {
    ClaimKey::Slot(Slot::new(index).expect("below 4096"))
}

pub(crate) fn facts(name: &str) -> NodeFacts {
    NodeFacts {
        hostname: format!("{name}.example.com"),
        address: "2001:db8::17".into(),
        port: 8443,
        peer_port: 4747,
        zone: "Göteborg 'A'".into(),
        weight: 100,
        version: "0.1.0".into(),
    }
}

/// The refusal that it must be.
pub(crate) fn refused<T: fmt::Debug>(outcome: Result<T, Fault>) -> Refusal {
    match outcome {
        Err(Fault::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}
