//! The methods of JSON-RPC, one file a family, and how each is run.
//!
//! ```text
//! request ─► Args ─► Memory:  answered where it arrived
//!                    Read:    a blocking thread, when one of `reading` is free    ┐ within the deadline,
//!                    Execute: a blocking thread, when one of `executing` is free  ┘ else -32002
//! ```
//!
//! Only what a stranger may ask is here: nothing writes but `eth_sendRawTransaction`, nothing unlocks, nothing stops.

pub(crate) mod access_list;
pub(crate) mod args;
mod blocks;
mod call;
mod chain;
mod consensus;
mod debug;
mod estimate;
mod fees;
mod filters;
mod logs;
mod overrides;
mod own;
mod place;
mod pool;
mod proof;
mod request;
mod send;
mod simulate;
mod state;
mod subscribe;
mod tags;
mod testing;
mod trace;
mod transactions;

pub(crate) use send::{decode as decode_transaction, unsigned};

use crate::fault::{Answer, Fault};
use crate::node::Node;
use args::Args;
use jsonrpsee::RpcModule;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::types::Params;
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;

/// What running a method costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// Hardly more than memory: it is done before a blocking thread would have begun.
    Memory,
    /// Looks into the store.
    Read,
    /// Executes code.
    Execute,
}

/// A row of the table of methods.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    name: &'static str,
    cost: Cost,
    /// Arguments at most.
    arguments: usize,
    run: fn(&Query<'_>) -> Answer,
}

impl Method {
    const fn memory(name: &'static str, arguments: usize, run: fn(&Query<'_>) -> Answer) -> Self {
        Self {
            name,
            cost: Cost::Memory,
            arguments,
            run,
        }
    }

    const fn read(name: &'static str, arguments: usize, run: fn(&Query<'_>) -> Answer) -> Self {
        Self {
            name,
            cost: Cost::Read,
            arguments,
            run,
        }
    }

    const fn execute(name: &'static str, arguments: usize, run: fn(&Query<'_>) -> Answer) -> Self {
        Self {
            name,
            cost: Cost::Execute,
            arguments,
            run,
        }
    }
}

/// Every table of methods.
const FAMILIES: &[&[Method]] = &[
    chain::METHODS,
    blocks::METHODS,
    transactions::METHODS,
    state::METHODS,
    proof::METHODS,
    fees::METHODS,
    logs::METHODS,
    filters::METHODS,
    call::METHODS,
    estimate::METHODS,
    access_list::METHODS,
    simulate::METHODS,
    send::METHODS,
    pool::METHODS,
    debug::METHODS,
    trace::METHODS,
    own::METHODS,
    consensus::METHODS,
    testing::METHODS,
];

fn all() -> impl Iterator<Item = &'static Method> {
    FAMILIES.iter().copied().flatten()
}

/// Every name that is served: what metrics may be told by.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all()
        .map(|method| method.name)
        .chain([send::SYNC, "eth_subscribe", "eth_unsubscribe"])
}

/// What a method is given.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    pub node: &'a Arc<Node>,
    pub args: Args,
    /// When the answer is not wanted any more.
    pub until: Instant,
}

impl Query<'_> {
    /// # Errors
    /// Once the deadline has passed; long loops ask now and then.
    pub(crate) fn in_time(&self) -> Result<(), Fault> {
        if Instant::now() > self.until {
            return Err(Fault::timeout());
        }
        Ok(())
    }
}

/// An answer's JSON.
pub(crate) fn answer<T: Serialize + ?Sized>(value: &T) -> Answer {
    serde_json::value::to_raw_value(value).map_err(Fault::internal)
}

/// All methods over a node.
///
/// # Errors
/// When two methods have one name.
pub(crate) fn module(node: Arc<Node>) -> Result<RpcModule<Arc<Node>>, RegisterMethodError> {
    let mut module = RpcModule::new(node);
    for method in all().copied() {
        module.register_async_method(method.name, move |params, node, _| async move {
            run(method, &params, Arc::clone(&node)).await
        })?;
    }
    send::register(&mut module)?;
    subscribe::register(&mut module)?;
    Ok(module)
}

async fn run(method: Method, params: &Params<'static>, node: Arc<Node>) -> Answer {
    let args = Args::read(params, method.arguments)?;
    let deadline = node.settings.rpc.deadline;
    let until = Instant::now() + deadline;
    let places = match method.cost {
        Cost::Memory => {
            let query = Query {
                node: &node,
                args,
                until,
            };
            return (method.run)(&query);
        }
        Cost::Read => Arc::clone(&node.reading),
        Cost::Execute => Arc::clone(&node.executing),
    };
    let work = blocking(places, move || {
        let query = Query {
            node: &node,
            args,
            until,
        };
        (method.run)(&query)
    });
    match tokio::time::timeout(deadline, work).await {
        Ok(answer) => answer,
        Err(_) => Err(Fault::timeout()),
    }
}

/// Runs on a blocking thread, with a permit that is held as long as the thread works, not as long as somebody waits.
async fn blocking(places: Arc<Semaphore>, work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    let permit = places.acquire_owned().await.map_err(Fault::internal)?;
    let worked = tokio::task::spawn_blocking(move || {
        let answer = work();
        drop(permit);
        answer
    });
    worked.await.unwrap_or_else(|_| {
        Err(Fault::internal(
            "this query broke the node's code: please report it",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn only_safe_namespaces_are_served_and_no_name_twice() {
        let safe = [
            "eth_", "net_", "web3_", "txpool_", "debug_", "purlin_", "testing_",
        ];
        let served: Vec<_> = names().collect();
        assert!(
            served
                .iter()
                .all(|name| safe.iter().any(|space| name.starts_with(space)))
        );
        assert_eq!(served.iter().collect::<BTreeSet<_>>().len(), served.len());
        let debug = served.iter().filter(|name| name.starts_with("debug_"));
        assert!(debug.clone().count() > 0);
        let harmless = |name: &&str| name.contains("trace") || name.contains("getRaw");
        assert!(
            debug.copied().all(|name| harmless(&name)),
            "only traces and raw octets"
        );
        // It shows a block that might be, and commits none; others of that namespace do.
        let testing = served.iter().filter(|name| name.starts_with("testing_"));
        assert!(testing.copied().eq(["testing_buildBlockV1"]));
    }
}
