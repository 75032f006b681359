//! `/api/v1/chain`: how the chain stands.

use crate::handle::Handle;
use axum::Json;
use axum::extract::State;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Problem, Viewer};
use serde_json::{Value, json};

async fn show(_: Viewer, State(handle): State<Handle>, _: Asked) -> Result<Json<Value>, Problem> {
    Ok(Json(status(&handle)))
}

/// The head, the pool, and where the chain is asked.
#[must_use]
pub fn status(handle: &Handle) -> Value {
    let (head, pool) = (handle.head(), handle.pool());
    let header = &head.header;
    json!({
        "chain_id": handle.chain().spec().chain_id(),
        "head": header.number,
        "hash": head.hash,
        "timestamp": header.timestamp,
        "state_root": header.state_root,
        "gas_limit": header.gas_limit,
        "base_fee": header.base_fee_per_gas,
        "pending": pool.pending,
        "queued": pool.queued,
        "http": handle.http().map(|address| format!("http://{address}")),
        "websocket": handle.ws().map(|address| format!("ws://{address}")),
    })
}

fn document() -> Schema {
    schema::object(&[
        (
            "chain_id",
            schema::count("The number that transactions are signed for (EIP-155)."),
        ),
        ("head", schema::count("The number of the newest block.")),
        ("hash", schema::string("Its hash.")),
        (
            "timestamp",
            schema::count("When it was made, in seconds since 1970."),
        ),
        ("state_root", schema::string("The root of the state after it.")),
        ("gas_limit", schema::count("What it might have used.")),
        (
            "base_fee",
            schema::nullable(schema::count("Wei per gas that are burnt (EIP-1559).")),
        ),
        (
            "pending",
            schema::count("Transactions that could be in the next block."),
        ),
        (
            "queued",
            schema::count("Transactions that wait for a nonce before theirs."),
        ),
        ("http", schema::nullable(schema::string("JSON-RPC over HTTP."))),
        (
            "websocket",
            schema::nullable(schema::string("JSON-RPC over WebSocket.")),
        ),
    ])
}

/// The routes of the chain over a running service.
#[must_use]
pub fn routes(handle: &Handle) -> Routes {
    let drafts: [Draft<Handle>; 1] = [route::get("/api/v1/chain", show)
        .summary("Shows how the chain stands")
        .answers(200, schema::reference("ChainStatus"))];
    Routes::new("chain", handle, drafts).component("ChainStatus", document())
}
