//! From settings to a running service.

use crate::error::StartError;
use crate::handle::Handle;
use crate::journal::{self, Journal};
use crate::listen::{Gate, Speaks, serve};
use crate::metrics::RpcMetrics;
use crate::node::Node;
use crate::running::Running;
use crate::settings::Settings;
use crate::source::{NewHead, Source};
use crate::{produce, prune, rpc, storage};
use jsonrpsee::server::{Methods, StopHandle, stop_channel};
use purlin_chain_core::pool::journal::Entry;
use purlin_chain_evm::Chain;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Sockets that are bound already; an address of the settings is bound where there is none.
#[derive(Debug, Default)]
pub struct Sockets {
    pub http: Option<TcpListener>,
    pub ws: Option<TcpListener>,
}

/// Starts everything: the pool with what its journal remembers, the making of blocks, JSON-RPC on its listeners.
///
/// # Errors
/// See [`StartError`]. Nothing keeps running then.
///
/// # Panics
/// Outside of a tokio runtime.
pub fn start(settings: Settings, chain: Chain, sockets: Sockets) -> Result<(Handle, Running), StartError> {
    let http = bound("HTTP", sockets.http, settings.http)?;
    let ws = bound("WebSocket", sockets.ws, settings.ws)?;
    let (entries, journal, writer) = match &settings.data_dir {
        Some(directory) => {
            let (entries, journal, writer) = journal::open(directory)?;
            (entries, Some(journal), Some(writer))
        }
        None => (Vec::new(), None, None),
    };
    let node = node(settings, chain, journal, entries)?;
    let methods = rpc::module(Arc::clone(&node)).map_err(|e| StartError::Chain(e.to_string()))?;
    let gate = Gate::new(
        node.settings.rpc.clone(),
        node.settings.cors.clone(),
        Arc::clone(&node.rpc),
    );
    let (stop_rpc, rpc_handle) = stop_channel();
    let doors = Doors {
        gate: Arc::new(gate),
        methods: methods.into(),
        stop: stop_rpc,
    };
    let mut tasks = Vec::new();
    let http = doors.open(http, Speaks::Http, &mut tasks)?;
    let ws = doors.open(ws, Speaks::WebSocket, &mut tasks)?;
    drop(doors);
    let (stop, stopped) = watch::channel(false);
    tasks.push(tokio::spawn(produce::run(Arc::clone(&node), stopped.clone())));
    tasks.push(tokio::spawn(prune::run(Arc::clone(&node), stopped.clone())));
    tasks.push(tokio::spawn(storage::watch(Arc::clone(&node), stopped)));
    node.wake.notify_one();
    let handle = Handle::new(Arc::clone(&node), http, ws);
    Ok((handle, Running::new(node, stop, rpc_handle, tasks, writer)))
}

/// The node, following the chain, its pool filled from the journal.
fn node(
    settings: Settings,
    chain: Chain,
    journal: Option<Journal>,
    entries: Vec<Entry>,
) -> Result<Arc<Node>, StartError> {
    let metrics = Arc::new(RpcMetrics::new(rpc::names()));
    let node = Arc::new(Node::new(Source(chain), settings, metrics, journal));
    let follower = Arc::downgrade(&node);
    node.source.0.on_head(Box::new(move |head: &Arc<NewHead>| {
        if let Some(node) = follower.upgrade() {
            node.on_head(head);
        }
    }));
    for Entry { origin, transaction } in entries {
        let again = node.insert_as(transaction, origin, false);
        // What is mined or void meanwhile is refused: that is what the journal cannot know.
        drop(again.map_err(|fault| StartError::Chain(fault.message().to_owned()))?);
    }
    node.write_journal();
    Ok(node)
}

struct Doors {
    gate: Arc<Gate>,
    methods: Methods,
    stop: StopHandle,
}

impl Doors {
    fn open(
        &self,
        socket: Option<TcpListener>,
        speaks: Speaks,
        tasks: &mut Vec<JoinHandle<()>>,
    ) -> Result<Option<SocketAddr>, StartError> {
        let Some(socket) = socket else {
            return Ok(None);
        };
        let failed = |what| move |source| StartError::System { what, source };
        let address = socket
            .local_addr()
            .map_err(failed("asking for a socket's address"))?;
        let task = serve(
            socket,
            speaks,
            Arc::clone(&self.gate),
            self.methods.clone(),
            self.stop.clone(),
        );
        tasks.push(task.map_err(failed("watching a socket"))?);
        Ok(Some(address))
    }
}

fn bound(
    what: &'static str,
    given: Option<TcpListener>,
    wanted: Option<SocketAddr>,
) -> Result<Option<TcpListener>, StartError> {
    match (given, wanted) {
        (Some(socket), _) => Ok(Some(socket)),
        (None, None) => Ok(None),
        (None, Some(address)) => TcpListener::bind(address)
            .map(Some)
            .map_err(|source| StartError::Listen {
                what,
                address,
                source,
            }),
    }
}
