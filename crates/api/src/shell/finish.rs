//! The last hand on every response.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::problem::{self, PROBLEM_JSON, Problem, Told};
use crate::tokens::{hex, random_octets};

/// The header that carries the request id in both directions.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: the client's own when it is a decent one.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Longest error text of somebody else that is quoted in a problem.
const QUOTE_MAX: usize = 1024;

/// What differs from path to path in how errors are told.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    with_error_members: Arc<HashSet<&'static str>>,
}

impl Manners {
    /// `with_error_members` are paths whose problems also have `error` and `details`.
    pub(crate) fn new(with_error_members: HashSet<&'static str>) -> Self {
        Self {
            with_error_members: Arc::new(with_error_members),
        }
    }

    fn dress(&self, problem: &Problem, matched: Option<&MatchedPath>) -> Problem {
        match matched {
            Some(path) if self.with_error_members.contains(path.as_str()) => problem.with_error_members(),
            _ => problem.clone(),
        }
    }
}

pub(crate) async fn finish(State(manners): State<Manners>, mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let id = request_id(request.headers());
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let if_none_match = request.headers().get(header::IF_NONE_MATCH).cloned();
    request.extensions_mut().insert(RequestId(id.clone()));
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response =
        answer.unwrap_or_else(|_| Problem::broken("the handler of this path panicked").into_response());
    let response = not_modified(&method, if_none_match.as_ref(), response);
    let dress = |problem: &Problem| manners.dress(problem, matched.as_ref());
    let mut response = as_problem(response, &method, &path, &id, dress).await;
    secure(response.headers_mut());
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn request_id(headers: &HeaderMap) -> String {
    let own = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let decent = |id: &&str| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c))
    };
    own.filter(decent)
        .map_or_else(|| hex(&random_octets::<8>()), str::to_owned)
}

fn not_modified(method: &Method, wanted: Option<&HeaderValue>, response: Response) -> Response {
    let same = match (wanted, response.headers().get(header::ETAG)) {
        (Some(wanted), Some(tag)) => {
            let tag = tag.as_bytes();
            wanted
                .as_bytes()
                .split(|&c| c == b',')
                .any(|one| one.trim_ascii() == tag)
        }
        _ => false,
    };
    if !same || method != Method::GET || response.status() != StatusCode::OK {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

/// Every error leaves as a problem document that names the request.
async fn as_problem(
    response: Response,
    method: &Method,
    path: &str,
    id: &str,
    dress: impl Fn(&Problem) -> Problem,
) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    if let Some(told) = response.extensions().get::<Told>() {
        let mut whole = dress(&told.0).respond(Some(path), Some(id));
        for (name, value) in response.headers() {
            whole.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        whole.headers_mut().remove(header::CONTENT_LENGTH);
        return whole;
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind == PROBLEM_JSON || kind == "application/json") {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = axum::body::to_bytes(body, QUOTE_MAX).await.unwrap_or_default();
    let mut detail = String::from_utf8_lossy(&words).into_owned();
    if detail.is_empty() {
        detail = format!("{method} {path}: {status}");
    }
    let mut problem = problem::of_status(status, detail);
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        problem = problem.header(header::ALLOW, allow.clone());
    }
    dress(&problem).respond(Some(path), Some(id))
}

/// Headers that make a browser refuse what an API never needs.
fn secure(headers: &mut HeaderMap) {
    const FIXED: [(HeaderName, &str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in FIXED {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}
