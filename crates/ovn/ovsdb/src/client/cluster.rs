//! All members, and which of them takes writes.

use super::connection::Connection;
use super::member::{MemberStatus, PAUSE_MAX};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// So long after the last leader was lost, members that are away are tried without patience: an election takes a second
/// or a few, and who wins it may be the very member that was away a moment ago.
const HURRY: Duration = Duration::from_secs(15);

/// What is known of all members; every change wakes whoever waits.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    members: Arc<watch::Sender<Vec<MemberStatus>>>,
    /// Since when nobody takes writes.
    orphaned: Arc<watch::Sender<Option<Instant>>>,
    over: watch::Receiver<bool>,
}

/// A member that can be asked.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) at: usize,
    pub(super) connection: Connection,
    pub(super) status: MemberStatus,
}

impl Cluster {
    pub(super) fn new(members: usize, over: watch::Receiver<bool>) -> Self {
        let (members, _) = watch::channel(vec![MemberStatus::default(); members]);
        Self {
            members: Arc::new(members),
            orphaned: Arc::new(watch::Sender::new(Some(Instant::now()))),
            over,
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Vec<MemberStatus>> {
        self.members.subscribe()
    }

    pub(super) fn members(&self) -> Vec<MemberStatus> {
        self.members.borrow().clone()
    }

    pub(super) fn change(&self, at: usize, change: impl FnOnce(&mut MemberStatus)) {
        self.members.send_modify(|members| change(&mut members[at]));
        self.note_leader();
    }

    /// Takes over what a member says of itself. Who newly says that it leads is believed over all who said so before:
    /// a leader that was cut off does not know yet that it leads no more.
    pub(super) fn claim(&self, at: usize, mut said: MemberStatus) {
        self.members.send_modify(|members| {
            let known = &members[at];
            let same = known.connection.as_ref().map(|c| c.id) == said.connection.as_ref().map(|c| c.id);
            said.claim = if said.leader && !(known.leader && same) {
                members.iter().map(|member| member.claim).max().unwrap_or(0) + 1
            } else {
                known.claim
            };
            members[at] = said;
        });
        self.note_leader();
    }

    fn note_leader(&self) {
        let led = self.leader().is_some();
        self.orphaned.send_if_modified(|since| {
            let changed = since.is_none() != led;
            if changed {
                *since = (!led).then(Instant::now);
            }
            changed
        });
    }

    pub(super) fn leader(&self) -> Option<Chosen> {
        choose(&self.members.borrow(), true)
    }

    /// The member that takes writes, as soon as there is one.
    pub(super) async fn await_leader(&self) -> Chosen {
        self.await_chosen(true).await
    }

    /// The leader where that is asked for, else the leader or, before there is one, any member of the cluster.
    pub(super) async fn await_chosen(&self, leader: bool) -> Chosen {
        let mut members = self.watch();
        loop {
            let chosen = choose(&members.borrow_and_update(), leader);
            if let Some(chosen) = chosen {
                return chosen;
            }
            if members.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Returns when another member leads than the one with this connection.
    pub(super) async fn await_other_leader(&self, connection: u64) {
        let mut members = self.watch();
        loop {
            let chosen = choose(&members.borrow_and_update(), true);
            if chosen.is_some_and(|chosen| chosen.connection.id != connection) {
                return;
            }
            if members.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        *self.over.borrow() || self.over.has_changed().is_err()
    }

    /// Returns when nobody uses the client any more.
    pub(super) async fn over(&self) {
        let mut over = self.over.clone();
        let _ = over.wait_for(|over| *over).await;
    }

    pub(super) async fn pause(&self, duration: Duration) {
        tokio::select! {
            () = tokio::time::sleep(duration.min(PAUSE_MAX)) => {}
            () = self.over() => {}
        }
    }

    /// Between two tries of a member: `wait`, and no more than `least` soon after the leader was lost.
    pub(super) async fn pause_to_try_again(&self, wait: Duration, least: Duration) {
        let mut orphaned = self.orphaned.subscribe();
        let hurry = async {
            tokio::time::sleep(least).await;
            let recent = |since: &Option<Instant>| since.is_some_and(|since| since.elapsed() < HURRY);
            // The sender lives as long as this.
            let _ = orphaned.wait_for(recent).await;
        };
        tokio::select! {
            () = self.pause(wait) => {}
            () = hurry => {}
        }
    }
}

fn choose(members: &[MemberStatus], leader: bool) -> Option<Chosen> {
    let usable = |member: &MemberStatus| member.connection.as_ref().is_some_and(|c| !c.is_closed());
    let places = members.iter().enumerate().filter(|(_, member)| usable(member));
    // A leader that lost touch with the others can promise nothing.
    let leads = places
        .clone()
        .filter(|(_, member)| member.leader && member.in_cluster);
    let latest = leads.max_by_key(|(_, member)| member.claim);
    let any = || places.clone().find(|(_, member)| member.in_cluster);
    let (at, status) = latest.or_else(|| if leader { None } else { any() })?;
    Some(Chosen {
        at,
        connection: status.connection.clone()?,
        status: status.clone(),
    })
}
