//! Asking Sentinels where the master is.
//!
//! All are asked at once. The answer of the highest configuration epoch wins, so that a Sentinel that was cut off
//! during a fail-over cannot lead back to the old master once another one has answered.

use super::{Dial, Greeting};
use crate::settings::{Address, Secret, Settings, Topology};
use crate::trouble::Trouble;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::ProtocolVersion;
use redis::aio::MultiplexedConnection;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the others may take once one has answered.
const GRACE: Duration = Duration::from_millis(150);

pub(super) struct Sentinels {
    master: String,
    nodes: Vec<Address>,
    password: Option<Secret>,
    wires: Mutex<HashMap<Address, MultiplexedConnection>>,
}

impl std::fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sentinels")
            .field("master", &self.master)
            .field("nodes", &self.nodes)
            .finish_non_exhaustive()
    }
}

impl Sentinels {
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let Topology::Sentinel {
            master,
            nodes,
            password,
        } = &settings.topology
        else {
            return None;
        };
        Some(Self {
            master: master.clone(),
            nodes: nodes.clone(),
            password: password.clone(),
            wires: Mutex::default(),
        })
    }

    /// Where the master is. An error only when no Sentinel could tell.
    pub(super) async fn master(&self, dial: &Dial) -> Result<Address, Trouble> {
        let mut answers: FuturesUnordered<_> = self.nodes.iter().map(|node| self.ask(dial, node)).collect();
        let mut until = Instant::now() + dial.settings.connect_timeout + 2 * dial.settings.timeout;
        let mut best: Option<(u64, Address)> = None;
        let mut last = Trouble::Unwatched(self.master.clone());
        while let Ok(Some(answer)) = tokio::time::timeout_at(until, answers.next()).await {
            match answer {
                Ok(answer) => {
                    until = until.min(Instant::now() + GRACE);
                    if best.as_ref().is_none_or(|best| best.0 < answer.0) {
                        best = Some(answer);
                    }
                }
                Err(why) => last = why,
            }
        }
        best.map(|(_, address)| address).ok_or(last)
    }

    /// One Sentinel's answer, with the epoch in which it learnt it.
    async fn ask(&self, dial: &Dial, node: &Address) -> Result<(u64, Address), Trouble> {
        let kept = self.wires().get(node).cloned();
        let mut wire = match kept {
            Some(wire) => wire,
            None => {
                let wire = dial.open(node, self.greeting(), dial.config()).await?;
                self.wires().insert(node.clone(), wire.clone());
                wire
            }
        };
        let answer = self.question(&mut wire).await;
        if matches!(answer, Err(Trouble::Redis(_))) {
            self.wires().remove(node);
        }
        answer.map_err(|why| why.at(node))
    }

    async fn question(&self, wire: &mut MultiplexedConnection) -> Result<(u64, Address), Trouble> {
        let mut question = redis::cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        let place: Option<(String, u16)> = question.query_async(wire).await?;
        let (host, port) = place.ok_or_else(|| Trouble::Unwatched(self.master.clone()))?;
        let mut question = redis::cmd("SENTINEL");
        question.arg("MASTER").arg(&self.master);
        let details: HashMap<String, String> = question.query_async(wire).await?;
        let epoch = details
            .get("config-epoch")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        Ok((epoch, Address { host, port }))
    }

    fn greeting(&self) -> Greeting<'_> {
        Greeting {
            username: None,
            password: self.password.as_ref(),
            database: 0,
            protocol: ProtocolVersion::RESP2,
        }
    }

    fn wires(&self) -> std::sync::MutexGuard<'_, HashMap<Address, MultiplexedConnection>> {
        self.wires.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
