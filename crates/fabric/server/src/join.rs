//! `/api/v1/cluster/tokens`: tokens by which machines become nodes.

use crate::peers::peer_at;
use crate::routes::Books;
use crate::text;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use purlin_api::asked::{Asked, Input, Name};
use purlin_api::clock::rfc3339_secs;
use purlin_api::route::{self, Routes};
use purlin_api::{Admin, Problem, reasons, schema};
use purlin_fabric::Suspicion;
use purlin_fabric_mesh::{Mesh, MeshError, Offer, TokenView};
use purlin_types::NodeId;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// An hour, unless something else is asked.
const TTL: u64 = 3600;
/// A minute to thirty days, in seconds.
const TTL_MIN: u64 = 60;
const TTL_MAX: u64 = 30 * 86_400;
/// Members named in a token.
const ADDRESSES: usize = 3;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    node: Option<String>,
    ttl_seconds: Option<u64>,
}

pub(crate) fn routes(books: &Books) -> Routes {
    let drafts = [
        route::get("/api/v1/cluster/tokens", list)
            .summary("Lists the join tokens; their secrets are known to nobody but their holders")
            .paged()
            .answers(200, schema::page_of("JoinToken"))
            .errors(&[409, 503]),
        route::post("/api/v1/cluster/tokens", create)
            .summary("Creates a join token: whoever holds it may become a node, once")
            .description("The answer holds the token's text. It is told this once; only a hash is stored. A token for a node replaces an open one for the same node.")
            .body(schema::object(&[
                (
                    "node?",
                    schema::nullable(schema::matching("^[A-Za-z0-9._-]{1,64}$", "The only node that may use it.")),
                ),
                (
                    "ttl_seconds?",
                    schema::nullable(schema::whole(TTL_MIN, TTL_MAX, "How long it works; an hour when absent.")),
                ),
            ]))
            .answers(201, schema::reference("NewJoinToken"))
            .errors(&[409, 503]),
        route::delete("/api/v1/cluster/tokens/{id}", revoke)
            .summary("Ends a join token at once")
            .answers(200, schema::reference("JoinToken"))
            .errors(&[404, 409, 503]),
    ];
    components(Routes::new("cluster", books, drafts))
}

async fn list(_: Admin, State(books): State<Books>, asked: Asked) -> Result<Json<Value>, Problem> {
    let all = mesh(&books)?.tokens().list().await.map_err(away)?;
    asked.page_of_all(all.iter().map(shown).collect()).map(Json)
}

async fn create(
    _: Admin,
    State(books): State<Books>,
    asked: Asked,
    Input(order): Input<Order>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let mesh = mesh(&books)?;
    let node = order.node.as_deref().map(NodeId::parse).transpose();
    let node = node.map_err(|cause| wrong(&cause.to_string()))?;
    let seconds = order.ttl_seconds.unwrap_or(TTL);
    if !(TTL_MIN..=TTL_MAX).contains(&seconds) {
        return Err(wrong(&format!("ttl_seconds must be {TTL_MIN} to {TTL_MAX}")));
    }
    if let Some(there) = node.as_ref().and_then(|id| living(&books, id)) {
        let what =
            format!("{there}; choose another name, or take that one out first: purlin cluster remove NODE");
        return Err(Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, what));
    }
    let offer = Offer {
        node,
        lasting: Duration::from_secs(seconds),
        addresses: addresses(&books),
    };
    if asked.dry_run()? {
        let view = json!({ "id": "", "state": "open", "node": offer.node.as_ref().map(NodeId::as_str),
            "created": null, "expires": null, "used_by": null, "token": null, "command": null });
        return Ok((StatusCode::CREATED, Json(view)));
    }
    let pin = mesh.pin().await.map_err(away)?;
    let (token, view) = mesh.tokens().create(pin, offer).await.map_err(away)?;
    let mut view = shown(&view);
    view["command"] = json!(format!("purlin join {token}"));
    view["token"] = json!(token.to_string());
    Ok((StatusCode::CREATED, Json(view)))
}

async fn revoke(
    _: Admin,
    State(books): State<Books>,
    name: Name,
    asked: Asked,
) -> Result<Json<Value>, Problem> {
    let tokens = mesh(&books)?.tokens();
    let found = if asked.dry_run()? {
        let all = tokens.list().await.map_err(away)?;
        all.into_iter().find(|view| view.id == name.0)
    } else {
        tokens.revoke(&name.0).await.map_err(away)?
    };
    let view = found.ok_or_else(|| Problem::no_such("join token", &name.0))?;
    Ok(Json(shown(&view)))
}

/// Why no other node can take this id: one is a member under it and is heard.
#[must_use]
pub fn living(books: &Books, id: &NodeId) -> Option<String> {
    let snapshot = books.fabric.snapshot();
    let member = snapshot.members.iter().find(|member| member.id == *id)?;
    let status = text::status(member);
    (!matches!(status, "removed" | "gone")).then(|| format!("{id} is a member already ({status})"))
}

/// This node first, then others that are heard.
fn addresses(books: &Books) -> Vec<SocketAddr> {
    let snapshot = books.fabric.snapshot();
    let me = &books.fabric.me().id;
    let mut members: Vec<_> = snapshot
        .members
        .iter()
        .filter(|member| member.id == *me || member.suspicion == Suspicion::None)
        .collect();
    members.sort_by_key(|member| member.id != *me);
    members.into_iter().filter_map(peer_at).take(ADDRESSES).collect()
}

fn mesh(books: &Books) -> Result<&Mesh, Problem> {
    books.mesh.as_ref().ok_or_else(|| {
        let what = "this node serves alone: other nodes need a database that they share ([store] engine = \"postgres\", [cluster] enabled = true)";
        let fix = "purlin cluster grow --store postgresql://... makes this node the first of several while it serves.";
        Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, what).with("fix", fix)
    })
}

fn shown(view: &TokenView) -> Value {
    let time = |secs: u64| rfc3339_secs(u32::try_from(secs).unwrap_or(u32::MAX));
    json!({
        "id": view.id,
        "state": view.state,
        "node": view.node,
        "created": time(view.created),
        "expires": time(view.expires),
        "used_by": view.used_by,
    })
}

fn wrong(detail: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, &reasons::WRONG_SHAPE, detail)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is used as a function of map_err"
)]
fn away(cause: MeshError) -> Problem {
    Problem::not_ready(cause.to_string())
}

/// A node is out, but others would still believe that it is who it says.
pub(crate) fn unrevoked(id: &NodeId, cause: &MeshError) -> Problem {
    Problem::not_ready(format!(
        "{id} is removed, but its certificates are not revoked yet: {cause}; ask for the same again"
    ))
}

fn components(routes: Routes) -> Routes {
    let token = [
        ("id", schema::string("Names it without giving it away.")),
        (
            "state",
            schema::one_of(&["open", "used", "expired", "revoked"], "Whether it works."),
        ),
        (
            "node",
            schema::nullable(schema::string("The only node that may use it; null is any.")),
        ),
        (
            "created",
            schema::nullable(schema::formatted("date-time", "When it was made.")),
        ),
        (
            "expires",
            schema::nullable(schema::formatted("date-time", "When it stops to work.")),
        ),
        (
            "used_by",
            schema::nullable(schema::string("The node that used it.")),
        ),
    ];
    let mut made = token.to_vec();
    made.push(("token", schema::nullable(schema::string("The token itself."))));
    made.push((
        "command",
        schema::nullable(schema::string("What to run on the new machine.")),
    ));
    routes
        .component("JoinToken", schema::object(&token))
        .component("NewJoinToken", schema::object(&made))
}
