//! WebSocket sessions over the registry of the cluster.

use futures_util::future::{BoxFuture, FutureExt};
use purlin_api::events::keeper::{Opened, Over, SessionKeeper};
use purlin_api::{Problem, reasons};
use purlin_fabric::port::NodeState;
use purlin_fabric::session::SessionError;
use purlin_fabric::{Member, NotReady, Suspicion};
use purlin_fabric_runtime::Fabric;
use purlin_fabric_runtime::sessions::{Odd, Resumed, SessionStore};
use std::time::Duration;

use axum::http::StatusCode;

/// Keeps the sessions of one node.
#[derive(Debug, Clone)]
pub struct Keeper {
    sessions: SessionStore,
    fabric: Fabric,
    /// Whether other nodes can find sessions.
    shared: bool,
}

impl Keeper {
    /// `shared` says that nodes have one registry: without it a client of a node that ends begins anew.
    #[must_use]
    pub fn new(sessions: SessionStore, fabric: Fabric, shared: bool) -> Self {
        Self {
            sessions,
            fabric,
            shared,
        }
    }

    fn drains(&self) -> bool {
        self.shared && is_leaving(self.fabric.snapshot().readiness.as_ref().err())
    }

    /// Whether another node is there and could have gone on with its session.
    fn serves(&self, node: &str) -> bool {
        let (snapshot, me) = (self.fabric.snapshot(), self.fabric.me());
        let is_it = |member: &Member| {
            member.id.as_str() == node
                && member.id != me.id
                && member.state == NodeState::Active
                && member.suspicion == Suspicion::None
        };
        snapshot.members.iter().any(is_it)
    }

    fn refuse_while_draining(&self) -> Result<(), Problem> {
        if self.drains() {
            return Err(Problem::not_ready("this node drains: connect to another one"));
        }
        Ok(())
    }

    fn opened(&self, resumed: Resumed) -> Opened {
        Opened {
            id: resumed.session.id,
            generation: resumed.session.generation,
            node: resumed.session.node,
            ttl: self.sessions.settings().ttl,
            replay: resumed.events.map_err(|gap| gap.newest),
            place: resumed.place,
        }
    }

    /// A session that came here must be its user's.
    async fn of_user(&self, user: &str, resumed: Resumed) -> Result<Opened, Problem> {
        if resumed.session.user == user {
            return Ok(self.opened(resumed));
        }
        // Whoever has another's token has stolen it: the session is over.
        self.sessions.note(Odd::Stranger);
        let _lapses = self.sessions.end(&resumed.session.id).await;
        let why = "the session is that of another user; it was ended";
        Err(Problem::new(StatusCode::FORBIDDEN, &reasons::ROLE_TOO_LOW, why))
    }

    async fn back(&self, user: &str, id: &str, seen: u64) -> Result<(Opened, bool), Problem> {
        if let Some(row) = self.sessions.here(id).filter(|row| row.user == user) {
            let replay = match self.sessions.replay(id, seen) {
                Ok(events) => Ok(events),
                Err(SessionError::Gap(gap)) => Err(gap.newest),
                Err(error) => return Err(refused(&error)),
            };
            let opened = Opened {
                id: row.id,
                generation: row.generation,
                node: row.node,
                ttl: self.sessions.settings().ttl,
                replay,
                place: String::new(),
            };
            return Ok((opened, true));
        }
        let known = self.sessions.find(id).await.map_err(|error| refused(&error))?;
        let row = match known {
            Some(row) if row.user == user => row,
            other => {
                let odd = if other.is_some() {
                    Odd::Stranger
                } else {
                    Odd::UnknownId
                };
                self.sessions.note(odd);
                return Err(refused(&SessionError::Unknown { id: id.to_owned() }));
            }
        };
        if self.serves(&row.node) {
            self.sessions.note(Odd::Stray);
        }
        let adopted = self.sessions.adopt(id, seen).await;
        let adopted = adopted.map_err(|error| refused(&error))?;
        self.of_user(user, adopted).await.map(|opened| (opened, false))
    }
}

fn is_leaving(why: Option<&NotReady>) -> bool {
    matches!(
        why,
        Some(NotReady::Draining | NotReady::Left | NotReady::Superseded)
    )
}

impl SessionKeeper for Keeper {
    fn begin<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<Opened, Problem>> {
        async move {
            self.refuse_while_draining()?;
            let row = self.sessions.register(&SessionStore::new_id(), user).await;
            let row = row.map_err(|error| refused(&error))?;
            Ok(Opened {
                id: row.id,
                generation: row.generation,
                node: row.node,
                ttl: self.sessions.settings().ttl,
                replay: Ok(Vec::new()),
                place: String::new(),
            })
        }
        .boxed()
    }

    fn resume<'a>(
        &'a self,
        user: &'a str,
        token: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, Result<Opened, Problem>> {
        async move {
            self.refuse_while_draining()?;
            let resumed = self.sessions.resume(token, seen).await;
            if let Err(SessionError::TokenSpent) = &resumed {
                self.sessions.note(Odd::SpentToken);
            }
            self.of_user(user, resumed.map_err(|error| refused(&error))?)
                .await
        }
        .boxed()
    }

    fn come_back<'a>(
        &'a self,
        user: &'a str,
        id: &'a str,
        seen: u64,
    ) -> BoxFuture<'a, Result<(Opened, bool), Problem>> {
        async move {
            self.refuse_while_draining()?;
            self.back(user, id, seen).await
        }
        .boxed()
    }

    fn is_of(&self, user: &str, id: &str) -> bool {
        self.sessions.here(id).is_some_and(|row| row.user == user)
    }

    fn over(&self, id: &str, generation: u64) -> BoxFuture<'static, Over> {
        let (keeper, id) = (self.clone(), id.to_owned());
        async move {
            let mut snapshots = keeper.fabric.snapshots();
            let leaving = async {
                if !keeper.shared {
                    return std::future::pending().await;
                }
                let leaves = snapshots.wait_for(|now| is_leaving(now.readiness.as_ref().err()));
                // The fabric's task is gone with the process only.
                let _ = leaves.await;
            };
            tokio::select! {
                () = keeper.sessions.gone(&id, generation) => Over::Gone,
                () = leaving => Over::Draining(keeper.sessions.parting_delay()),
            }
        }
        .boxed()
    }

    fn check(&self, id: &str, generation: u64) -> bool {
        self.sessions.check(id, generation).is_ok()
    }

    fn event(&self, id: &str, body: Vec<u8>) -> Option<u64> {
        self.sessions.event(id, body).ok()
    }

    fn seen(&self, id: &str, number: u64) {
        let _lives_elsewhere = self.sessions.confirm(id, number);
    }

    fn touch<'a>(&'a self, id: &'a str) -> BoxFuture<'a, bool> {
        async move { self.sessions.touch(id).await.is_ok() }.boxed()
    }

    fn rotate_every(&self) -> Duration {
        self.sessions.settings().ttl
    }

    fn rotate<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Option<(String, u64)>> {
        async move {
            let row = self.sessions.rotate(id).await.ok()?;
            Some((row.id, row.generation))
        }
        .boxed()
    }

    fn part<'a>(&'a self, id: &'a str, place: &'a str) -> BoxFuture<'a, Option<String>> {
        async move {
            if !self.shared {
                return None;
            }
            self.sessions.hand_over(id, place).await.ok()
        }
        .boxed()
    }

    fn end<'a>(&'a self, id: &'a str) -> BoxFuture<'a, ()> {
        async move {
            let _lives_elsewhere = self.sessions.end(id).await;
        }
        .boxed()
    }
}

fn refused(error: &SessionError) -> Problem {
    let why = error.to_string();
    match error {
        SessionError::Unknown { .. } => Problem::new(
            StatusCode::NOT_FOUND,
            &reasons::NO_SUCH_OBJECT,
            "there is no such session: it has lapsed, has ended, or never was",
        ),
        SessionError::Moved { .. } | SessionError::Taken { .. } | SessionError::Gap(_) => Problem::new(
            StatusCode::CONFLICT,
            &reasons::NOT_POSSIBLE,
            "the session has moved on",
        ),
        SessionError::TokenSpent => Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, why),
        SessionError::Full { .. } => Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::TOO_BUSY, why),
        SessionError::Away => Problem::not_ready(why),
    }
}
