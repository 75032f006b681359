//! `Idempotency-Key`: a POST that is sent twice happens once.
//!
//! The first answer is kept in memory, bounded in number and octets, and given again to the same caller for the
//! same request. Failures of the server are not kept: repeating those is what a client should do.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::access::{CallerSlot, Known};
use crate::asked::PATIENCE;
use crate::problem::Problem;
use crate::reasons;
use crate::tokens::short_digest;

/// Answers that are kept.
const ANSWERS_MAX: usize = 1024;
/// Octets of all kept answers.
const OCTETS_MAX: usize = 8 << 20;
/// Largest answer that is kept.
const ANSWER_MAX: usize = 256 << 10;

/// Marks a response that was given before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replayed;

/// The answers that may be asked for again. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    kept: Arc<Mutex<Kept>>,
    /// Largest body of a request, in octets.
    body_max: usize,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<String, Slot>,
    order: VecDeque<String>,
    octets: usize,
}

#[derive(Debug, Clone)]
struct Slot {
    /// Digest of method, path, query and body.
    request: String,
    /// `None` while the first request runs.
    answer: Option<Answer>,
}

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Memory {
    pub(crate) fn new(body_max: usize) -> Self {
        Self {
            kept: Arc::default(),
            body_max,
        }
    }

    /// Runs the request, or answers from memory.
    pub(crate) async fn around(&self, request: Request, next: Next) -> Response {
        match self.keyed(request, next).await {
            Ok(response) => response,
            Err(problem) => problem.into_response(),
        }
    }

    async fn keyed(&self, request: Request, next: Next) -> Result<Response, Problem> {
        let Some(key) = request.headers().get("idempotency-key") else {
            return Ok(next.run(request).await);
        };
        let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
        let key =
            key.ok_or_else(|| Problem::parameter("Idempotency-Key must have 1 to 255 printable characters"))?;
        let key = key.to_owned();
        let (parts, body) = request.into_parts();
        let key = format!("{}/{key}", login(&parts)?);
        let body = self.read(body).await?;
        let digest = short_digest(&[format!("{} {}\n", parts.method, parts.uri).as_bytes(), &body].concat());
        if let Some(answer) = self.begin(&key, digest)? {
            return Ok(again(answer));
        }
        let running = Running {
            memory: self,
            key: &key,
            finished: false,
        };
        let response = next.run(Request::from_parts(parts, Body::from(body))).await;
        Ok(running.finish(response).await)
    }

    async fn read(&self, body: Body) -> Result<Bytes, Problem> {
        match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, self.body_max)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(_)) => {
                let detail = format!("a body may have {} octets", self.body_max);
                Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    &reasons::BODY_TOO_LARGE,
                    detail,
                ))
            }
            Err(_) => {
                let detail = format!("the body did not arrive within {} s", PATIENCE.as_secs());
                Err(Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    &reasons::TOO_SLOW,
                    detail,
                ))
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept
            .lock()
            .expect("no code panics while it holds the answers")
    }

    /// The kept answer; `None` when this is the first time and the caller shall run it.
    fn begin(&self, key: &str, request: String) -> Result<Option<Answer>, Problem> {
        let mut kept = self.kept();
        match kept.answers.get(key) {
            None => {
                kept.make_room();
                kept.answers.insert(
                    key.to_owned(),
                    Slot {
                        request,
                        answer: None,
                    },
                );
                kept.order.push_back(key.to_owned());
                Ok(None)
            }
            Some(slot) if slot.request != request => {
                let detail = "this Idempotency-Key came with another path or body before";
                Err(Problem::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &reasons::KEY_USED_DIFFERENTLY,
                    detail,
                ))
            }
            Some(Slot {
                answer: Some(answer), ..
            }) => Ok(Some(answer.clone())),
            Some(_) => {
                let detail = "the first request with this Idempotency-Key has not been answered yet";
                Err(Problem::new(
                    StatusCode::CONFLICT,
                    &reasons::STILL_RUNNING,
                    detail,
                ))
            }
        }
    }
}

impl Kept {
    fn make_room(&mut self) {
        while self.answers.len() >= ANSWERS_MAX || self.octets > OCTETS_MAX {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, key: &str) {
        if let Some(Slot {
            answer: Some(answer), ..
        }) = self.answers.remove(key)
        {
            self.octets -= answer.body.len();
        }
    }
}

/// A first request on its way. Dropped without an answer (the client went away), it leaves no trace.
struct Running<'a> {
    memory: &'a Memory,
    key: &'a str,
    finished: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if !self.finished {
            let mut kept = self.memory.kept();
            kept.forget(self.key);
            kept.order.retain(|key| key != self.key);
        }
    }
}

impl Running<'_> {
    async fn finish(mut self, response: Response) -> Response {
        let status = response.status();
        let size = axum::body::HttpBody::size_hint(response.body()).upper();
        let small = size.is_some_and(|size| size <= ANSWER_MAX as u64);
        if status.is_server_error() || [401, 403, 429].contains(&status.as_u16()) || !small {
            return response;
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = axum::body::to_bytes(body, ANSWER_MAX).await else {
            return Problem::broken("an answer of known size could not be read").into_response();
        };
        let answer = Answer {
            status,
            headers: parts.headers.clone(),
            body: body.clone(),
        };
        let mut kept = self.memory.kept();
        if let Some(slot) = kept.answers.get_mut(self.key) {
            slot.answer = Some(answer);
            kept.octets += body.len();
        }
        drop(kept);
        self.finished = true;
        Response::from_parts(parts, Body::from(body))
    }
}

/// The caller's token id, so that one caller's keys are not another's.
fn login(parts: &axum::http::request::Parts) -> Result<String, Problem> {
    let Some(Known { caller, .. }) = parts.extensions.get::<Known>() else {
        return Err(Problem::parameter(
            "Idempotency-Key belongs to a token, and this path has none",
        ));
    };
    let tenant = caller.tenant.as_ref().map_or("", |tenant| tenant.id.as_str());
    let mine = format!("{}/{tenant}", caller.token);
    if let Some(slot) = parts.extensions.get::<CallerSlot>() {
        slot.0.get_or_init(|| caller.clone());
    }
    Ok(mine)
}

fn again(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
        .headers_mut()
        .insert("idempotent-replayed", HeaderValue::from_static("true"));
    response.extensions_mut().insert(Replayed);
    response
}
