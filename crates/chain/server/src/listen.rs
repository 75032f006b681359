//! The two doors of JSON-RPC: who may come in, and how often.
//!
//! ```text
//! accept ─► room? ─► HTTP: CORS, 429 ─► jsonrpsee: sizes, batches ─► Counted: rate, time, code ─► method
//!           no: closed   (door.rs)                                  (counted.rs)
//! ```
//!
//! No list of host names is held: whoever reaches the socket may ask under any name, as reverse proxies and container
//! networks need it. What this must not know: what any method does.

mod bucket;
mod counted;
mod door;

use crate::metrics::RpcMetrics;
use crate::settings::{Cors, RpcLimits};
use bucket::Buckets;
use door::Door;
use jsonrpsee::server::{
    BatchRequestConfig, HttpBody, HttpRequest, IdProvider, Methods, PingConfig, Server, ServerConfig,
    StopHandle,
};
use jsonrpsee::types::SubscriptionId;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Http,
    WebSocket,
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Gate {
    pub limits: RpcLimits,
    pub cors: Cors,
    pub buckets: Buckets,
    pub metrics: Arc<RpcMetrics>,
}

impl Gate {
    pub(crate) fn new(limits: RpcLimits, cors: Cors, metrics: Arc<RpcMetrics>) -> Self {
        Self {
            buckets: Buckets::new(limits.rate, limits.burst),
            limits,
            cors,
            metrics,
        }
    }
}

/// Serves connections until `stop` says so.
///
/// # Errors
/// The system's, when the socket cannot be watched.
pub(crate) fn serve(
    socket: TcpListener,
    speaks: Speaks,
    gate: Arc<Gate>,
    methods: Methods,
    stop: StopHandle,
) -> std::io::Result<JoinHandle<()>> {
    socket.set_nonblocking(true)?;
    let socket = tokio::net::TcpListener::from_std(socket)?;
    let builder = Server::builder()
        .set_config(config(speaks, &gate.limits))
        .to_service_builder();
    let room = Arc::new(Semaphore::new(gate.limits.connections as usize));
    Ok(tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = stop.clone().shutdown() => break,
            };
            let Ok((stream, peer)) = accepted else {
                // Usually no descriptor is left: others must end before the next can begin.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                gate.metrics.refused();
                continue;
            };
            // A wish: without it small answers wait for the client's acknowledgement.
            let _ = stream.set_nodelay(true);
            let door = Door::new(
                peer.ip(),
                Arc::clone(&gate),
                builder.clone(),
                methods.clone(),
                stop.clone(),
            );
            let answer = move |request: HttpRequest<_>| door.clone().answer(request.map(HttpBody::new));
            let service = tower::service_fn(answer);
            let (stop, open) = (stop.clone(), gate.metrics.opened(speaks));
            tokio::spawn(async move {
                // A connection that ends in the middle of something is the client's affair.
                let _ =
                    jsonrpsee::server::serve_with_graceful_shutdown(stream, service, stop.shutdown()).await;
                drop((open, permit));
            });
        }
    }))
}

fn config(speaks: Speaks, limits: &RpcLimits) -> ServerConfig {
    let builder = ServerConfig::builder()
        .max_connections(limits.connections)
        .max_request_body_size(limits.request_octets)
        .max_response_body_size(limits.response_octets)
        .max_subscriptions_per_connection(limits.subscriptions)
        .set_message_buffer_capacity(limits.backlog.max(1))
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch))
        .set_id_provider(HexIds);
    match speaks {
        Speaks::Http => builder.http_only().build(),
        // Proxies forget silent connections after a minute; a ping every half minute keeps them, and finds dead ones.
        Speaks::WebSocket => builder
            .ws_only()
            .enable_ws_ping(PingConfig::new().ping_interval(Duration::from_secs(30)))
            .build(),
    }
}

/// Subscriptions are named like geth's: `0x` and 32 digits that nobody guesses.
#[derive(Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        SubscriptionId::Str(random_id().into())
    }
}

/// A name for a filter or subscription: 128 random bits.
pub(crate) fn random_id() -> String {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).expect("the system gives random numbers");
    alloy_primitives::hex::encode_prefixed(octets)
}
