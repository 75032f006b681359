//! `/api/v1/cluster/grow`: a node alone becomes the first of several.

use crate::routes::Books;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures_util::future::BoxFuture;
use purlin_api::asked::{Asked, Input};
use purlin_api::route::{self, Routes};
use purlin_api::{Admin, Problem, Viewer, reasons, schema};
use serde_json::{Value, json};
use std::fmt;

/// How a node alone becomes the first of several. What is ordered is the implementer's to read.
pub trait Growing: Send + Sync + fmt::Debug {
    /// What would be done; nothing is.
    fn plan<'a>(&'a self, order: &'a Value) -> BoxFuture<'a, Result<Value, Problem>>;

    /// Begins, when nothing is in the way. It goes on by itself.
    fn begin<'a>(&'a self, order: &'a Value) -> BoxFuture<'a, Result<Value, Problem>>;

    /// How far it is.
    fn state(&self) -> Value;
}

pub(crate) fn routes(books: &Books) -> Routes {
    let drafts = [
        route::get("/api/v1/cluster/grow", state)
            .summary("How far this node is on its way from one to several")
            .answers(200, schema::reference("Growth")),
        route::post("/api/v1/cluster/grow", begin)
            .summary("Makes a node that is alone the first of several")
            .description("Leases, revisions and tokens are copied into a database while the node serves; then packets wait for a moment while the rest is copied, and it goes on as a node of a cluster; the API is away for about a second. Until that moment its own store is the truth, so it can be broken off at any time and asked for again.")
            .body(schema::object(&[
                ("store", schema::string("URL of the PostgreSQL database: empty, and used by nobody else.")),
                ("coordination?", schema::nullable(schema::string("URL of a Redis; without, nodes meet in the database."))),
                ("node_ip?", schema::nullable(schema::string("IPv4 address where other nodes will reach this one."))),
                ("peer_port?", schema::nullable(schema::whole(1, 65_535, "Port for other nodes, 8067 when absent."))),
            ]))
            .answers(202, schema::reference("Growth"))
            .errors(&[409, 503]),
    ];
    Routes::new("cluster", books, drafts).component(
        "Growth",
        schema::object(&[
            ("node", schema::string("This node.")),
            (
                "state",
                schema::one_of(
                    &[
                        "alone",
                        "checking",
                        "claiming",
                        "copying",
                        "handing_over",
                        "failed",
                        "clustered",
                    ],
                    "Where it is; clustered is a node that is one of several.",
                ),
            ),
            ("rows", schema::count("Leases that are in the database.")),
            ("pass", schema::count("How often all leases were gone through.")),
            ("changed", schema::count("Leases that were written in this pass.")),
            ("detail", schema::nullable(schema::string("Why it failed."))),
            ("steps?", schema::array(schema::string("What is done, in order."))),
            ("revision?", schema::count("The revision that it goes on with.")),
        ]),
    )
}

async fn state(_: Viewer, State(books): State<Books>) -> Json<Value> {
    Json(match &books.grow {
        Some(growing) => growing.state(),
        None => json!({
            "node": books.fabric.me().id.as_str(),
            "state": "clustered", "rows": 0, "pass": 0, "changed": 0, "detail": null,
        }),
    })
}

async fn begin(
    _: Admin,
    State(books): State<Books>,
    asked: Asked,
    Input(order): Input<Value>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Some(growing) = &books.grow else {
        let what = "this node is one of several already; other machines join with a token: purlin cluster token create";
        return Err(Problem::new(StatusCode::CONFLICT, &reasons::NOT_POSSIBLE, what));
    };
    let told = if asked.dry_run()? {
        growing.plan(&order).await?
    } else {
        growing.begin(&order).await?
    };
    Ok((StatusCode::ACCEPTED, Json(told)))
}
