//! The task of a replica: from member to member, never without its rows.

use super::spec::{Follow, Spec};
use super::{Order, Snapshot, State};
use crate::cache::{Cache, CacheError, Changes};
use crate::client::cluster::{Chosen, Cluster};
use crate::client::config::Config;
use crate::client::connection::{Connection, Notice, Topic};
use crate::client::member::request;
use crate::monitor::Request;
use crate::session::methods;
use crate::uuid::Uuid;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{broadcast, mpsc, watch};

pub(super) struct Follower {
    spec: Spec,
    config: Arc<Config>,
    cluster: Cluster,
    publish: Arc<watch::Sender<Snapshot>>,
    feed: broadcast::Sender<Arc<(Snapshot, Changes)>>,
    cache: Option<Cache>,
    /// The last transaction in the cache; zero when there is none to resume from.
    txn: Uuid,
    waiting: Vec<Order>,
}

/// From this many octets on, rows are read where blocking is allowed.
const LARGE: usize = 256 << 10;

/// Why a member is left.
type Trouble = String;

/// Rows, as JSON.
enum Coming {
    /// What `monitor_cond_since` answered.
    Since(Bytes),
    /// All there are.
    Whole(Bytes),
    /// What changed, up to and with a transaction.
    Differences(Bytes, Option<Uuid>),
}

impl Coming {
    const fn len(&self) -> usize {
        match self {
            Self::Since(rows) | Self::Whole(rows) | Self::Differences(rows, _) => rows.len(),
        }
    }

    /// Whether they were differences, and what they changed.
    fn put_into(&self, cache: &mut Cache) -> Result<(bool, Changes), CacheError> {
        match self {
            Self::Since(rows) => cache.catch_up(rows),
            Self::Whole(rows) => Ok((false, cache.reload(rows, None)?)),
            Self::Differences(rows, txn) => Ok((true, cache.apply(rows, *txn)?)),
        }
    }
}

impl Follower {
    pub(super) fn new(
        spec: Spec,
        config: Arc<Config>,
        cluster: Cluster,
        publish: Arc<watch::Sender<Snapshot>>,
        feed: broadcast::Sender<Arc<(Snapshot, Changes)>>,
    ) -> Self {
        Self {
            spec,
            config,
            cluster,
            publish,
            feed,
            cache: None,
            txn: Uuid::ZERO,
            waiting: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let leader = self.spec.follow == Follow::Leader;
        let (cluster, publish) = (self.cluster.clone(), self.publish.clone());
        let mut wait = self.config.back_off.0;
        loop {
            let chosen = tokio::select! {
                chosen = cluster.await_chosen(leader) => chosen,
                () = cluster.over() => return,
                () = publish.closed() => return,
            };
            let before = self.loads();
            let trouble = tokio::select! {
                trouble = self.follow(&chosen, &mut orders) => trouble,
                () = cluster.over() => return,
                () = publish.closed() => return,
            };
            let loaded = self.loads() > before;
            self.lose(&trouble);
            if loaded {
                wait = self.config.back_off.0;
            } else {
                cluster.pause(wait).await;
                wait = (wait * 2).min(self.config.back_off.1);
            }
        }
    }

    /// The rows stay; only the word on them changes.
    fn lose(&self, trouble: &str) {
        self.publish.send_modify(|snapshot| {
            snapshot.state = match snapshot.state {
                State::Live => State::Stale(Instant::now()),
                State::Loading if snapshot.reloads == 0 => State::Empty,
                State::Loading => State::Stale(Instant::now()),
                state => state,
            };
            snapshot.trouble = Some(trouble.into());
            snapshot.link = None;
        });
    }

    /// How often it has been up to date after it had not been.
    fn loads(&self) -> u64 {
        let now = self.publish.borrow();
        now.reloads + now.resumes
    }

    /// Loads or resumes at a member and stays there as long as it goes well.
    async fn follow(&mut self, chosen: &Chosen, orders: &mut mpsc::Receiver<Order>) -> Trouble {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let Some(schema) = chosen.status.schema.clone() else {
            return "the member did not say its schema".to_owned();
        };
        let (layout, wanted, missing) = self.spec.negotiate(&schema);
        if self
            .cache
            .as_ref()
            .is_none_or(|cache| **cache.database().layout() != layout)
        {
            self.cache = Some(Cache::new(Arc::new(layout)));
            self.txn = Uuid::ZERO;
        }
        self.publish.send_modify(|snapshot| {
            snapshot.missing = missing.into();
            if snapshot.state == State::Empty {
                snapshot.state = State::Loading;
            }
        });
        let id = format!("replica{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let topic = Topic::Monitor(id.clone());
        let Ok(mut notices) = chosen.connection.subscribe(topic.clone()).await else {
            return "the connection was lost".to_owned();
        };
        let trouble = match self.load(&chosen.connection, &id, &wanted).await {
            Ok(()) => self.stay(chosen, &id, &mut notices, orders).await,
            Err(trouble) => trouble,
        };
        let connection = chosen.connection.clone();
        // A member that hangs must not keep us from going to another.
        tokio::spawn(async move {
            let _ = connection.unsubscribe(topic).await;
            let _ = request(&connection, "monitor_cancel", &methods::monitor_cancel(&id)).await;
        });
        trouble
    }

    async fn load(&mut self, connection: &Connection, id: &str, wanted: &Request) -> Result<(), Trouble> {
        let database = self.config.database.clone();
        let params = methods::monitor_cond_since(&database, id, wanted, self.txn);
        let coming = match request(connection, "monitor_cond_since", &params).await {
            Ok(result) => Coming::Since(result),
            Err(trouble) if !trouble.contains("unknown method") => return Err(trouble),
            Err(_) => Coming::Whole(self.load_older(connection, id, wanted).await?),
        };
        let link = Some((connection.id, Arc::from(id)));
        self.take(coming, move |snapshot, found| {
            snapshot.state = State::Live;
            snapshot.trouble = None;
            snapshot.link = link;
            *(if found {
                &mut snapshot.resumes
            } else {
                &mut snapshot.reloads
            }) += 1;
        })
        .await?;
        for order in self.waiting.drain(..) {
            let _ = order.done.send(());
        }
        Ok(())
    }

    /// Servers before 2.12 know no transactions, those before 2.6 no conditions.
    async fn load_older(
        &self,
        connection: &Connection,
        id: &str,
        wanted: &Request,
    ) -> Result<Bytes, Trouble> {
        let database = &self.config.database;
        match request(
            connection,
            "monitor_cond",
            &methods::monitor_cond(database, id, wanted),
        )
        .await
        {
            Err(trouble) if trouble.contains("unknown method") && !wanted.is_conditional() => {
                request(connection, "monitor", &methods::monitor(database, id, wanted)).await
            }
            answer => answer,
        }
    }

    async fn stay(
        &mut self,
        chosen: &Chosen,
        id: &str,
        notices: &mut mpsc::UnboundedReceiver<Notice>,
        orders: &mut mpsc::Receiver<Order>,
    ) -> Trouble {
        let (leaving, follow) = (self.cluster.clone(), self.spec.follow);
        let connection = &chosen.connection;
        let moved = async {
            match follow {
                Follow::Leader => leaving.await_other_leader(connection.id).await,
                Follow::Any => std::future::pending().await,
            }
        };
        tokio::pin!(moved);
        loop {
            let order = tokio::select! {
                biased;
                notice = notices.recv() => {
                    match self.notice(notice).await {
                        Ok(()) => continue,
                        Err(trouble) => return trouble,
                    }
                }
                () = &mut moved => return "another member leads".to_owned(),
                Some(order) = orders.recv() => order,
            };
            if let Err(trouble) = self.change(connection, id, order).await {
                return trouble;
            }
        }
    }

    async fn notice(&mut self, notice: Option<Notice>) -> Result<(), Trouble> {
        match notice {
            None => Err("the connection was lost".to_owned()),
            Some(Notice::Canceled) => Err("the server gave the monitor up".to_owned()),
            Some(Notice::Barrier(reached)) => {
                let _ = reached.send(());
                Ok(())
            }
            Some(Notice::Update(update, _weight)) => {
                let coming = Coming::Differences(update.tables, update.txn);
                self.take(coming, |_, _| {}).await
            }
            Some(Notice::Locked | Notice::Stolen) => Ok(()),
        }
    }

    /// The differences come before the answer; a barrier behind it says when they are taken over. What is not
    /// acknowledged is loaded anew: with other conditions the last transaction says nothing.
    async fn change(&mut self, connection: &Connection, id: &str, order: Order) -> Result<(), Trouble> {
        let mut change = Request::new();
        let all = vec![crate::Condition::Always(true)];
        let conditions = if order.conditions.is_empty() {
            all
        } else {
            order.conditions.clone()
        };
        change.conditions(&order.table, conditions);
        self.spec.set_conditions(&order.table, order.conditions.clone());
        let known = std::mem::replace(&mut self.txn, Uuid::ZERO);
        match request(
            connection,
            "monitor_cond_change",
            &methods::monitor_cond_change(id, &change),
        )
        .await
        {
            Ok(_) => {
                self.txn = known;
                let (connection, topic) = (connection.clone(), Topic::Monitor(id.to_owned()));
                tokio::spawn(async move {
                    if connection.barrier(topic).await.is_ok() {
                        let _ = order.done.send(());
                    }
                });
                Ok(())
            }
            Err(trouble) => {
                self.waiting.push(order);
                Err(trouble)
            }
        }
    }

    /// Takes rows over and publishes the state. Large ones are read where blocking is allowed.
    async fn take(&mut self, coming: Coming, amend: impl FnOnce(&mut Snapshot, bool)) -> Result<(), Trouble> {
        let cache = self.cache.take().expect("it is put back after each use");
        let large = coming.len() > LARGE;
        let read = move |mut cache: Cache| {
            let changes = coming.put_into(&mut cache);
            (cache, changes)
        };
        let (cache, changes) = if large {
            let task = tokio::task::spawn_blocking(move || read(cache));
            task.await
                .map_err(|cause| format!("reading rows failed: {cause}"))?
        } else {
            read(cache)
        };
        let database = cache.database().clone();
        self.cache = Some(cache);
        let (found, changes) = changes.map_err(|cause| self.misfit(&cause))?;
        self.txn = last_known(self.txn, found, changes.txn);
        self.publish(database, changes, |snapshot| amend(snapshot, found));
        Ok(())
    }

    /// Something is not as we thought: all rows are loaded anew, and nobody sees the state in between.
    fn misfit(&mut self, cause: &CacheError) -> Trouble {
        self.txn = Uuid::ZERO;
        format!("an update does not fit: {cause}")
    }

    fn publish(&self, database: crate::cache::Database, changes: Changes, amend: impl FnOnce(&mut Snapshot)) {
        let mut now = self.publish.borrow().clone();
        now.database = database;
        now.txn = Some(self.txn).filter(|txn| !txn.is_zero());
        now.generation += u64::from(!changes.is_empty() || now.generation == 0);
        amend(&mut now);
        self.publish.send_replace(now.clone());
        if !changes.is_empty() {
            // Nobody may be listening.
            let _ = self.feed.send(Arc::new((now, changes)));
        }
    }
}

/// The transaction to resume from, after a state (`found`: differences) with or without the word of the server on it.
fn last_known(before: Uuid, found: bool, told: Option<Uuid>) -> Uuid {
    match told {
        Some(txn) => txn,
        None if found => before,
        // Another state than the one after the transaction before: resuming from that would put differences on it.
        None => Uuid::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_without_a_transaction_is_not_resumed_from_the_one_before() {
        let (before, told) = (Uuid::from_bytes([1; 16]), Uuid::from_bytes([2; 16]));
        assert_eq!(last_known(before, false, None), Uuid::ZERO);
        assert_eq!(
            last_known(before, true, None),
            before,
            "differences of servers that do not say it"
        );
        assert_eq!(last_known(before, false, Some(told)), told);
        assert_eq!(last_known(before, true, Some(told)), told);
    }
}
