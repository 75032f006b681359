//! `/metrics` in the Prometheus text format 0.0.4, on the API's port and on one of its own.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use std::sync::Arc;

use crate::access::{Open, Viewer};
use crate::route::{self, Routes};
use crate::schema;

/// The media type that Prometheus expects.
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Who can write down the metrics.
pub trait MetricsSource: Send + Sync {
    /// All metrics with HELP and TYPE lines.
    fn render(&self) -> BoxFuture<'_, String>;
}

type Source = Arc<dyn MetricsSource>;

async fn render(source: &Source) -> Response {
    let kind = HeaderValue::from_static(TEXT_FORMAT);
    ([(header::CONTENT_TYPE, kind)], source.render().await).into_response()
}

async fn for_viewers(_: Viewer, State(source): State<Source>) -> Response {
    render(&source).await
}

async fn for_all(_: Open, State(source): State<Source>) -> Response {
    render(&source).await
}

/// `/metrics` among the other routes, with login.
#[must_use]
pub fn routes(source: &Source) -> Routes {
    let draft = route::get("/metrics", for_viewers)
        .summary("The metrics in the Prometheus text format")
        .description("The metrics port serves the same without login.")
        .answers_as(200, "text/plain", schema::string("Text format 0.0.4."));
    Routes::new("metrics", source, [draft])
}

/// The router of the metrics port: `/metrics` without login, and nothing else.
pub fn router(source: Source) -> Router {
    Router::new()
        .route("/metrics", axum::routing::get(for_all))
        .with_state(source)
}
