//! `/health`, `/health/live`, `/health/ready`, `/health/startup`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use purlin_telemetry::health::Health;
use std::sync::Arc;

use crate::access::Open;
use crate::problem::Problem;
use crate::route::{self, Draft, Routes};
use crate::schema;

/// Who knows how the node is.
pub trait HealthSource: Send + Sync {
    /// Must answer at once: probes come every few seconds and must not pile up. Everybody may read it: no secrets.
    fn health(&self) -> Health;
}

type Source = Arc<dyn HealthSource>;

fn answer(health: &Health, good: bool) -> Response {
    let mut response = Response::new(Body::from(health.to_json()));
    if !good {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn whole(_: Open, State(source): State<Source>) -> Response {
    let health = source.health();
    answer(&health, health.ready())
}

async fn live(_: Open, State(source): State<Source>) -> Response {
    let health = source.health();
    answer(&health, health.live())
}

async fn ready(_: Open, State(source): State<Source>) -> Response {
    let health = source.health();
    answer(&health, health.ready())
}

async fn startup(_: Open, State(source): State<Source>) -> Response {
    let health = source.health();
    answer(&health, health.started())
}

/// The same four paths without the rest of the API, for a listener that whoever balances may ask.
pub fn router(source: &Source) -> axum::Router {
    use axum::routing::get;
    axum::Router::new()
        .route("/health", get(whole))
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/health/startup", get(startup))
        .with_state(Arc::clone(source))
}

/// The same four paths of a node that has not started: whoever asks for anything else is told to come again.
pub fn starting(source: &Source) -> axum::Router {
    let source = Arc::clone(source);
    router(&source).fallback(move || {
        let health = source.health();
        let why = health.obstacles().map(|check| check.says.as_str());
        let why: Vec<&str> = why.collect();
        let problem = Problem::not_ready(why.join("; "));
        async move { problem.header(header::RETRY_AFTER, HeaderValue::from_static("1")) }
    })
}

/// The four health paths. They answer 503 with the same body when it is not well.
#[must_use]
pub fn routes(source: &Source) -> Routes {
    let finish = |draft: Draft<Source>, words: &'static str| {
        draft
            .summary(words)
            .answers(200, schema::reference("Health"))
            .answers(503, schema::reference("Health"))
    };
    let drafts = [
        finish(route::get("/health", whole), "Whether the node is live and ready"),
        finish(route::get("/health/live", live), "Whether the process works"),
        finish(
            route::get("/health/ready", ready),
            "Whether the node should get work",
        ),
        finish(
            route::get("/health/startup", startup),
            "Whether the node has finished starting",
        ),
    ];
    let states = ["pass", "warn", "fail"];
    Routes::new("health", source, drafts)
        .component(
            "Health",
            schema::object(&[
                ("state", schema::one_of(&states, "The worst of all checks.")),
                (
                    "live",
                    schema::boolean("The process works; when false it should be restarted."),
                ),
                ("ready", schema::boolean("It should get work.")),
                ("started", schema::boolean("It has finished starting.")),
                ("checks", schema::array(schema::reference("HealthCheck"))),
            ]),
        )
        .component(
            "HealthCheck",
            schema::object(&[
                ("name", schema::string("Part and matter: `store.journal`.")),
                (
                    "bears",
                    schema::one_of(
                        &["live", "ready", "startup", "advice"],
                        "Which question it decides.",
                    ),
                ),
                ("state", schema::one_of(&states, "How it ended.")),
                ("says", schema::string("The facts in one sentence.")),
                ("fix", schema::string("What to do; empty when it passes.")),
            ]),
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;
    use purlin_telemetry::health::{Bears, Check};
    use tower::ServiceExt;

    struct Waiting;

    impl HealthSource for Waiting {
        fn health(&self) -> Health {
            let says = "the node waits for its database: db:5432: Connection refused";
            Health {
                checks: vec![Check::fail(
                    "node.start",
                    Bears::Startup,
                    says,
                    "see whether it runs",
                )],
            }
        }
    }

    #[tokio::test]
    async fn a_node_that_has_not_started_lives_and_says_what_it_waits_for() {
        let source: Source = Arc::new(Waiting);
        let router = starting(&source);
        for (path, expected) in [
            ("/health/live", 200),
            ("/health", 503),
            ("/health/ready", 503),
            ("/health/startup", 503),
            ("/api/v1/dhcp/leases", 503),
        ] {
            let request = Request::builder().uri(path).body(Body::empty());
            let answered = router.clone().oneshot(request.expect("a request")).await;
            let Ok(response) = answered;
            assert_eq!(response.status(), expected, "{path}");
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await;
            let body = String::from_utf8(body.expect("short").to_vec()).expect("JSON");
            assert!(body.contains("db:5432"), "{path}: {body}");
        }
    }
}
