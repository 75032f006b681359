//! Locks of RFC 7047, section 4.1.8, held on whoever leads.
//!
//! A lock belongs to a connection of one server. When the lead moves or the connection breaks, it is lost and asked for
//! again; a transaction that must not happen without it says so with `assert`.

use super::cluster::Cluster;
use super::connection::{Connection, Notice, Topic};
use super::member::request;
use crate::session::methods;
use std::time::Duration;
use tokio::sync::watch;

/// A lock that is wanted until this is dropped.
#[derive(Debug)]
pub struct Lock {
    name: String,
    owned: watch::Receiver<bool>,
    /// Closed when the handle is dropped.
    _wanted: watch::Sender<bool>,
    steal: watch::Sender<u32>,
}

impl Lock {
    /// Its name, for `assert`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is ours, as far as we know.
    #[must_use]
    pub fn is_owned(&self) -> bool {
        *self.owned.borrow()
    }

    /// Returns when it is ours; `false` when the client was shut down before.
    pub async fn owned(&self) -> bool {
        let mut owned = self.owned.clone();
        owned.wait_for(|owned| *owned).await.is_ok()
    }

    /// Returns when it is not ours.
    pub async fn lost(&self) {
        let mut owned = self.owned.clone();
        let _ = owned.wait_for(|owned| !*owned).await;
    }

    /// Takes it away from whoever has it.
    pub fn steal(&self) {
        self.steal.send_modify(|times| *times += 1);
    }
}

pub(super) fn start(name: &str, cluster: Cluster) -> Lock {
    let (owned, is_owned) = watch::channel(false);
    let (wanted, is_wanted) = watch::channel(true);
    let (steal, steals) = watch::channel(0);
    let held = Held {
        name: name.to_owned(),
        cluster,
        owned,
        steals,
    };
    tokio::spawn(held.run(is_wanted));
    Lock {
        name: name.to_owned(),
        owned: is_owned,
        _wanted: wanted,
        steal,
    }
}

/// Before it is asked for again.
const PAUSE: Duration = Duration::from_millis(50);

struct Held {
    name: String,
    cluster: Cluster,
    owned: watch::Sender<bool>,
    steals: watch::Receiver<u32>,
}

impl Held {
    async fn run(mut self, mut wanted: watch::Receiver<bool>) {
        loop {
            let cluster = self.cluster.clone();
            let chosen = tokio::select! {
                chosen = cluster.await_leader() => chosen,
                _ = wanted.changed() => return,
                () = cluster.over() => return,
            };
            let connection = chosen.connection;
            tokio::select! {
                // Lost with the connection, or refused; the member will say whether it still leads.
                () = self.hold(&connection) => cluster.pause(PAUSE).await,
                () = cluster.await_other_leader(connection.id) => give_back(&connection, &self.name),
                () = cluster.over() => return,
                _ = wanted.changed() => {
                    give_back(&connection, &self.name);
                    return;
                }
            }
            self.owned.send_replace(false);
        }
    }

    async fn hold(&mut self, connection: &Connection) {
        let Ok(mut notices) = connection.subscribe(Topic::Lock(self.name.clone())).await else {
            return;
        };
        let mut method = "lock";
        loop {
            if method == "steal" {
                // A server takes one request per lock and connection at a time.
                let _ = request(connection, "unlock", &methods::lock(&self.name)).await;
            }
            let Ok(answer) = request(connection, method, &methods::lock(&self.name)).await else {
                return;
            };
            let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
            if answer["locked"] == true {
                self.owned.send_replace(true);
            }
            method = loop {
                let notice = tokio::select! {
                    notice = notices.recv() => notice,
                    stolen = self.steals.changed() => match stolen {
                        Ok(()) => break "steal",
                        // The handle is gone: whoever called this gives the lock back.
                        Err(_) => std::future::pending().await,
                    },
                };
                match notice {
                    Some(Notice::Locked) => self.owned.send_replace(true),
                    Some(Notice::Stolen) => self.owned.send_replace(false),
                    Some(_) => continue,
                    None => return,
                };
            };
        }
    }
}

/// A member that hangs must not keep us from going to another.
fn give_back(connection: &Connection, name: &str) {
    let (connection, name) = (connection.clone(), name.to_owned());
    tokio::spawn(async move {
        let _ = connection.unsubscribe(Topic::Lock(name.clone())).await;
        let _ = request(&connection, "unlock", &methods::lock(&name)).await;
    });
}
