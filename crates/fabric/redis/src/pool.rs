//! The connections that carry commands, all to the same master or the same Cluster.

use crate::dial::{Dial, Push, assert_master, on_disconnect};
use crate::line::Tend;
use crate::settings::{Address, Topology};
use crate::slots::{self, Range};
use crate::trouble::Trouble;
use futures_util::future::try_join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{Cmd, ProtocolVersion, RedisResult, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// One connection; clones share it.
#[derive(Clone)]
pub(crate) enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Wire {
    /// Sends a command wherever its key lives. An error that the server answered is an `Err`.
    pub(crate) async fn send(mut self, cmd: &Cmd) -> RedisResult<Value> {
        let answer = match &mut self {
            Self::One(wire) => wire.req_packed_command(cmd).await,
            Self::Cluster(wire) => wire.req_packed_command(cmd).await,
        };
        answer.and_then(Value::extract_error)
    }
}

/// Where the pool is connected to, to notice that it has moved.
enum Home {
    At(Address),
    Cluster(Vec<Range>),
}

/// A set of connections that stands and falls together.
pub(crate) struct Pool {
    wires: Vec<Wire>,
    home: Home,
    turn: AtomicUsize,
}

impl Pool {
    /// The next connection in turn.
    pub(crate) fn wire(&self) -> Wire {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.wires[turn % self.wires.len()].clone()
    }
}

/// Tends a pool.
#[derive(Debug)]
pub(crate) struct Commands {
    pub(crate) dial: Arc<Dial>,
}

impl Tend for Commands {
    type Up = Pool;

    async fn open(&self, suspect: &Arc<Notify>) -> Result<Pool, Trouble> {
        let count = usize::from(self.dial.settings.connections.max(1));
        let (wires, home) = match &self.dial.settings.topology {
            Topology::Cluster(_) => self.cluster(count).await?,
            Topology::Single(_) | Topology::Sentinel { .. } => {
                self.master(count, &on_disconnect(suspect)).await?
            }
        };
        Ok(Pool {
            wires,
            home,
            turn: AtomicUsize::new(0),
        })
    }

    async fn probe(&self, pool: &Pool) -> Result<(), Trouble> {
        match &pool.home {
            Home::At(address) => {
                let tries = pool.wires.iter().filter_map(|wire| match wire {
                    Wire::One(wire) => Some(assert_master(wire, address)),
                    Wire::Cluster(_) => None,
                });
                try_join_all(tries).await?;
                self.dial.still_master(address).await
            }
            Home::Cluster(slots) => {
                for wire in &pool.wires {
                    let now = self.slots(wire).await?;
                    if now != *slots {
                        return Err(Trouble::Resharded);
                    }
                }
                Ok(())
            }
        }
    }
}

impl Commands {
    async fn master(&self, count: usize, push: &Push) -> Result<(Vec<Wire>, Home), Trouble> {
        let (address, first) = self.dial.master(push).await?;
        let more = (1..count).map(|_| self.dial.connect(&address, push));
        let more = try_join_all(more).await?;
        let wires = std::iter::once(first).chain(more).map(Wire::One);
        Ok((wires.collect(), Home::At(address)))
    }

    async fn cluster(&self, count: usize) -> Result<(Vec<Wire>, Home), Trouble> {
        let settings = &self.dial.settings;
        let nodes = self.dial.nodes(crate::back_off::random());
        let infos: RedisResult<Vec<_>> = nodes.iter().map(|node| self.dial.cluster_info(node)).collect();
        let mut builder = redis::cluster::ClusterClientBuilder::new(infos?)
            .use_protocol(ProtocolVersion::RESP3)
            .connection_timeout(settings.connect_timeout)
            // Longer than a caller waits: what a caller has given up must not be sent again.
            .response_timeout(2 * settings.timeout)
            .retries(3)
            .min_retry_wait(10)
            .max_retry_wait(100);
        if let Some(certificates) = self.dial.certificates() {
            builder = builder.certs(certificates.clone());
        }
        let client = builder.build()?;
        let limit = settings.connect_timeout + 2 * settings.timeout;
        let opened = try_join_all((0..count).map(|_| client.get_async_connection()));
        let opened = within(limit, opened).await?;
        let wires: Vec<Wire> = opened.into_iter().map(Wire::Cluster).collect();
        let slots = self.slots(&wires[0]).await?;
        Ok((wires, Home::Cluster(slots)))
    }

    /// The slots as some node of the Cluster sees them; a node that does not answer is passed over twice.
    async fn slots(&self, wire: &Wire) -> Result<Vec<Range>, Trouble> {
        let Wire::Cluster(wire) = wire else {
            return Ok(Vec::new());
        };
        let mut last = Trouble::Closed;
        for _ in 0..3 {
            let mut question = redis::cmd("CLUSTER");
            question.arg("SLOTS");
            let mut wire = wire.clone();
            let anywhere = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
            let answer = wire.route_command(question, anywhere);
            match within(self.dial.settings.timeout, answer).await {
                Ok(answer) => {
                    let (ranges, nodes) = slots::read(&answer);
                    self.dial.learn(nodes);
                    return Ok(ranges);
                }
                Err(why) => last = why,
            }
        }
        Err(last)
    }
}

/// The answer, if it comes in time.
pub(crate) async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(limit, answer).await {
        Ok(answer) => answer.map_err(Trouble::from),
        Err(_) => Err(Trouble::Late(limit)),
    }
}
