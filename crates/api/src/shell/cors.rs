//! Cross-origin requests (WHATWG Fetch): off unless origins are named.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Origins whose scripts may call the API, as browsers write them: `https://console.example.com`.
#[derive(Debug, Clone)]
pub(crate) struct Origins(pub(crate) Arc<[String]>);

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const HEADERS: &str =
    "authorization, content-type, if-match, if-none-match, idempotency-key, last-event-id, x-request-id";
const EXPOSED: &str = "etag, x-request-id, idempotent-replayed, retry-after";

pub(crate) async fn cors(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let allowed = origin.filter(|origin| origins.0.iter().any(|known| origin == known.as_str()));
    let asks = request
        .headers()
        .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let preflight = asks && request.method() == Method::OPTIONS;
    let mut response = match &allowed {
        Some(_) if preflight => answer_preflight(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    // Answers differ by origin, also the one for a stranger.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

fn answer_preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    set(headers, header::ACCESS_CONTROL_MAX_AGE, "600");
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
