//! Around every JSON-RPC call: the client's rate, the time it took, how it ended. Entries of a batch are calls too.

use super::Gate;
use crate::fault::Fault;
use jsonrpsee::core::middleware::{Batch, BatchEntry, Notification};
use jsonrpsee::server::middleware::rpc::RpcServiceT;
use jsonrpsee::server::{BatchResponseBuilder, MethodResponse};
use jsonrpsee::types::{ErrorObjectOwned, Request};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

/// Entries of a batch that are answered in a row before others of this thread have their turn: most never wait for anything.
const ROW: usize = 8;

/// Wraps a connection's calls.
#[derive(Debug, Clone)]
pub(super) struct Counting {
    client: IpAddr,
    gate: Arc<Gate>,
}

impl Counting {
    pub(super) fn new(client: IpAddr, gate: Arc<Gate>) -> Self {
        Self { client, gate }
    }
}

impl<S> tower::Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, service: S) -> Counted<S> {
        Counted {
            service,
            with: self.clone(),
        }
    }
}

/// A connection's calls, counted.
#[derive(Debug, Clone)]
pub(super) struct Counted<S> {
    service: S,
    with: Counting,
}

impl<S> RpcServiceT for Counted<S>
where
    S: RpcServiceT<
            MethodResponse = MethodResponse,
            BatchResponse = MethodResponse,
            NotificationResponse = MethodResponse,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    type BatchResponse = MethodResponse;

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let Counting { client, gate } = &this.with;
            let begun = Instant::now();
            if !gate.buckets.take(*client, begun) {
                gate.metrics.limited();
                let fault = Fault::limit("rate limit exceeded");
                return MethodResponse::error(request.id, ErrorObjectOwned::from(fault));
            }
            let method = gate.metrics.method(request.method_name());
            let response = this.service.call(request).await;
            gate.metrics
                .answered(method, begun.elapsed(), response.as_error_code());
            response
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let this = self.clone();
        async move {
            let limit = this.with.gate.limits.response_octets as usize;
            let mut responses = BatchResponseBuilder::new_with_limit(limit);
            let mut notified = false;
            for (at, entry) in batch.into_iter().enumerate() {
                if at % ROW == ROW - 1 {
                    tokio::task::yield_now().await;
                }
                let response = match entry {
                    Ok(BatchEntry::Call(request)) => this.call(request).await,
                    Ok(BatchEntry::Notification(notification)) => {
                        notified = true;
                        this.notification(notification).await;
                        continue;
                    }
                    Err(fault) => {
                        let (fault, id) = fault.into_parts();
                        MethodResponse::error(id, fault)
                    }
                };
                if let Err(too_large) = responses.append(response) {
                    return too_large;
                }
            }
            if responses.is_empty() && notified {
                return MethodResponse::notification();
            }
            MethodResponse::from_batch(responses.finish())
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        let service = self.service.clone();
        async move { service.notification(notification).await }
    }
}
