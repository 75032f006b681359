//! `/api/v1/chain`: how the chain stands.

use super::decisions;
use crate::handle::Handle;
use crate::snapshot::SnapshotRefused;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft, Routes};
use purlin_api::schema::{self, Schema};
use purlin_api::{Admin, Problem, Viewer};
use serde_json::{Value, json};

async fn show(_: Viewer, State(handle): State<Handle>, _: Asked) -> Result<Json<Value>, Problem> {
    Ok(Json(status(&handle)))
}

async fn consensus(_: Viewer, State(handle): State<Handle>, _: Asked) -> Result<Json<Value>, Problem> {
    handle.consensus().map(Json).ok_or_else(alone)
}

async fn validators(_: Viewer, State(handle): State<Handle>, _: Asked) -> Result<Json<Value>, Problem> {
    handle.validators().map(Json).ok_or_else(alone)
}

async fn diagnosis(_: Viewer, State(handle): State<Handle>, _: Asked) -> Result<Json<Value>, Problem> {
    handle.diagnosis().map(Json).ok_or_else(alone)
}

async fn peers(_: Viewer, State(handle): State<Handle>, _: Asked) -> Result<Json<Value>, Problem> {
    Ok(Json(handle.peers()))
}

/// One at a time, and nothing to begin with where nobody could believe it.
async fn snapshot(_: Admin, State(handle): State<Handle>, _: Asked) -> Result<Response, Problem> {
    let pieces = handle.snapshot().await.map_err(|refused| match refused {
        SnapshotRefused::Busy | SnapshotRefused::Unproven(_) => Problem::not_possible(refused.to_string()),
        SnapshotRefused::Stopping => Problem::not_ready(refused.to_string()),
    })?;
    let pieces = stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.next().await?;
        Some((piece.map(|octets| octets.0), pieces))
    });
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    Ok((kind, Body::from_stream(pieces)).into_response())
}

fn alone() -> Problem {
    Problem::not_possible("this chain has no validators: its genesis document names none (config.purlin)")
}

/// The head, the pool, and where the chain is asked.
#[must_use]
pub fn status(handle: &Handle) -> Value {
    let (head, pool) = (handle.head(), handle.pool());
    let header = &head.header;
    let consensus = handle.consensus();
    let (storage, storage_max) = handle.storage();
    json!({
        "role": consensus.as_ref().map_or_else(|| json!(handle.role_alone()), |told| told["role"].clone()),
        "votes": consensus.as_ref().map(|told| told["votes"].clone()),
        "note": consensus.as_ref().map(|told| told["note"].clone()),
        "behind": consensus.as_ref().map(|told| told["behind"].clone()),
        "peers": consensus.as_ref().map_or(0, |_| handle.peer_count()),
        "listen": handle.listens().map(|address| address.to_string()),
        "chain_id": handle.chain().spec().chain_id(),
        "head": header.number,
        "hash": head.hash,
        "timestamp": header.timestamp,
        "state_root": header.state_root,
        "gas_limit": header.gas_limit,
        "base_fee": header.base_fee_per_gas,
        "pending": pool.pending,
        "queued": pool.queued,
        "storage": storage,
        "storage_max": storage_max,
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
        (
            "role",
            schema::string(
                "validator, blockchain (it follows, or only answers), or solo: it makes blocks alone.",
            ),
        ),
        (
            "votes",
            schema::nullable(schema::boolean(
                "Whether it decides about the next block with others.",
            )),
        ),
        (
            "note",
            schema::nullable(schema::string(
                "What its owner should know, as that its key is no validator's.",
            )),
        ),
        (
            "behind",
            schema::nullable(schema::count("Blocks behind the best peer, while it catches up.")),
        ),
        (
            "peers",
            schema::count("Nodes of the chain that it is connected with."),
        ),
        (
            "listen",
            schema::nullable(schema::string("Where other nodes of the chain reach it.")),
        ),
        (
            "storage",
            schema::count("Octets of the disk that the chain's directory takes."),
        ),
        (
            "storage_max",
            schema::nullable(schema::count("Octets that it may take (chain.storage_max).")),
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
    let drafts: [Draft<Handle>; 7] = [
        route::get("/api/v1/chain", show)
            .summary("Shows how the chain stands")
            .answers(200, schema::reference("ChainStatus")),
        route::get("/api/v1/chain/consensus", consensus)
            .summary("Shows where the validators' engine of this node is: height, round, step, times, faults")
            .answers(
                200,
                schema::anything("As `purlin_getValidators` tells it, or what its summary says."),
            ),
        route::get("/api/v1/chain/validators", validators)
            .summary("Shows who decides, how often, who of them this node sees, whether those are enough, and what is on its way")
            .answers(
                200,
                schema::anything("As `purlin_getValidators` tells it, or what its summary says."),
            ),
        route::get("/api/v1/chain/diagnosis", diagnosis)
            .summary("Says what is wrong with agreement: findings with what helps, times of rounds, figures of each validator, quorum")
            .description(
                "As this node sees it, over the last 512 heights: when votes come is only known where they come to. A follower \
                 knows certificates alone.",
            )
            .answers(
                200,
                schema::open_object(
                    &["grade", "items", "quorum", "validators"],
                    &[
                        ("grade", schema::string("The worst of all findings: `pass`, `warn` or `fail`.")),
                        (
                            "items",
                            schema::array(schema::open_object(
                                &["name", "grade", "detail", "fix"],
                                &[("validator", schema::nullable(schema::string("Whom it is about.")))],
                            )),
                        ),
                    ],
                ),
            ),
        decisions::draft(),
        route::get("/api/v1/chain/peers", peers)
            .summary("Lists the nodes of the chain that this one is connected with, and who was refused last")
            .answers(
                200,
                schema::anything("As `purlin_getValidators` tells it, or what its summary says."),
            ),
        route::get("/api/v1/chain/snapshot", snapshot)
            .summary("Writes a snapshot of the head while everything runs on, one at a time")
            .description(
                "The state after the head and what proves that the head was decided, as `purlin chain snapshot restore` and \
                 `chain.snapshot` of other nodes read it. An answer that breaks off is no snapshot.",
            )
            .answers_as(200, "application/octet-stream", schema::string("A file of docs/formats/chain.md."))
            .errors(&[409, 503]),
    ];
    Routes::new("chain", handle, drafts).component("ChainStatus", document())
}
