//! What happens around each handler: unknown parameters, idempotency, audit.

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use purlin_config::nearest;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::finish::RequestId;
use super::idempotency::{Memory, Replayed};
use crate::access::{Access, Caller, CallerSlot, Entered, Known, Role};
use crate::asked::Asked;
use crate::audit::{Audit, Deed, RevisionMark};
use crate::gate::{Gate, Peer};
use crate::problem::Problem;
use crate::rates::{Allowance, Class, Meter};
use crate::reasons;
use crate::route::{Entry, Place};

/// What one route's guard knows.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) entry: Arc<Entry>,
    /// What the parameter `fields` may name.
    pub(crate) fields: Arc<[String]>,
    pub(crate) audit: Audit,
    pub(crate) gate: Gate,
    pub(crate) meter: Meter,
    pub(crate) memory: Memory,
    pub(crate) timeout: Duration,
}

/// Gives every request a place for its caller.
pub(crate) async fn introduce(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(CallerSlot::default());
    next.run(request).await
}

pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let dry = match check_parameters(&guard, &request) {
        Ok(dry) => dry,
        Err(problem) => return problem.into_response(),
    };
    let (mut parts, body) = request.into_parts();
    let allowance = match guard.admit(&mut parts, dry).await {
        Ok(allowance) => allowance,
        Err(problem) => return problem.into_response(),
    };
    let request = Request::from_parts(parts, body);
    let mut response = if !guard.entry.writes || dry {
        match guard.entry.access {
            Access::Open => open(&guard, request, next).await,
            Access::Role(_) => read(guard.timeout, request, next).await,
        }
    } else {
        // On a task of its own: a client that goes away must not leave a change half done or without its audit row.
        match tokio::spawn(write(guard, request, next)).await {
            Ok(response) => response,
            Err(_) => Problem::broken("the handler of this path panicked").into_response(),
        }
    };
    if let Some(allowance) = allowance {
        allowance.tell(response.headers_mut());
    }
    response
}

impl Guard {
    /// Who it is, whether it may come so often, and what its tenant says to it.
    async fn admit(&self, parts: &mut Parts, dry: bool) -> Result<Option<Allowance>, Problem> {
        let entry = &self.entry;
        if entry.access == Access::Open {
            let source = source(&parts.extensions);
            return match source.filter(|_| entry.method != Method::GET) {
                Some(source) => self.meter.take(&source.to_string(), Class::Login),
                None => Ok(None),
            };
        }
        let mut caller = self.gate.admit(parts, entry).await?;
        if let Some(RequestId(id)) = parts.extensions.get() {
            caller.request.clone_from(id);
        }
        let class = if entry.writes { Class::Write } else { Class::Read };
        let allowance = self.meter.take(&caller.token, class)?;
        if let Some(tenant) = &caller.tenant {
            let writes = entry.writes && !dry;
            if !tenant.allows(parts.uri.path(), writes) {
                let detail = format!("the scopes of the key {:?} do not name this", caller.name);
                return Err(beyond(detail));
            }
            if writes && tenant.approval && tenant.role < Role::Admin {
                let detail = format!(
                    "the tenant {:?} wants the approval of its admins: dryRun=true shows the change, and an admin sends it",
                    tenant.name
                );
                return Err(beyond(detail));
            }
        }
        parts.extensions.insert(Known {
            caller,
            gate: self.gate.clone(),
            entry: Arc::clone(entry),
        });
        Ok(allowance)
    }
}

impl Guard {
    /// The deed is done; its client learns when the row about it is missing.
    async fn note(&self, caller: &Caller, deed: Deed, response: &mut Response) {
        if self.audit.note(caller, deed).await.is_err() {
            response
                .headers_mut()
                .insert("x-purlin-audit", HeaderValue::from_static("not-written"));
        }
    }
}

fn beyond(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, &reasons::BEYOND_TENANT, detail)
}

fn source(extensions: &Extensions) -> Option<IpAddr> {
    let peer = extensions.get::<Peer>();
    peer.map(|peer| peer.0.ip().to_canonical())
}

/// A route that anybody may call: whoever logs in by it is noted.
async fn open(guard: &Guard, request: Request, next: Next) -> Response {
    let (mut deed, source) = (Deed::of(&request), source(request.extensions()));
    let mut response = read(guard.timeout, request, next).await;
    if let Some(Entered(mut caller)) = response.extensions_mut().remove() {
        caller.source = source;
        deed.status = response.status().as_u16();
        guard.note(&caller, deed, &mut response).await;
    }
    response
}

async fn read(timeout: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("no answer was ready within {} s", timeout.as_secs());
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::TOO_BUSY, detail).into_response()
        }
    }
}

async fn write(guard: Guard, request: Request, next: Next) -> Response {
    let slot = request
        .extensions()
        .get::<CallerSlot>()
        .cloned()
        .unwrap_or_default();
    let mut deed = Deed::of(&request);
    let mut response = if guard.entry.method == Method::POST {
        guard.memory.around(request, next).await
    } else {
        next.run(request).await
    };
    let replayed = response.extensions().get::<Replayed>().is_some();
    let Some(caller) = slot.0.get().filter(|_| !replayed) else {
        return response;
    };
    deed.status = response.status().as_u16();
    deed.revision = response.extensions().get::<RevisionMark>().copied();
    deed.note = caller.note.take();
    guard.note(caller, deed, &mut response).await;
    response
}

impl Deed {
    /// What is asked for; what comes of it is not known yet.
    fn of(request: &Request) -> Self {
        let id = request.extensions().get::<RequestId>();
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            request_id: id.map(|id| id.0.clone()).unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// Whether it is a dry run; unknown parameters are refused, since a misspelt filter would answer about everything.
fn check_parameters(guard: &Guard, request: &Request) -> Result<bool, Problem> {
    let entry = &guard.entry;
    let asked = Asked::of(request.uri())?;
    let queries = entry.params.iter().filter(|param| param.place == Place::Query);
    let dry_run = entry.dry_run.then_some("dryRun");
    let known: Vec<&str> = queries.map(|param| param.name).chain(dry_run).collect();
    if !entry.any_query {
        if let Some(name) = asked.names().find(|name| !known.contains(name)) {
            return Err(unknown("parameter", name, &known));
        }
        if let Some(name) = asked.odd_field(&guard.fields) {
            let known: Vec<&str> = guard.fields.iter().map(String::as_str).collect();
            return Err(unknown("field", name, &known));
        }
    }
    if let Some(name) = asked.repeated() {
        return Err(Problem::parameter(format!("{name} is given more than once")));
    }
    Ok(entry.dry_run && asked.dry_run()?)
}

/// A name that is not known here, with the nearest that is, and all of them.
fn unknown(kind: &str, name: &str, known: &[&str]) -> Problem {
    let near = nearest(name, known.iter().copied());
    let guess = near.map_or_else(String::new, |near| format!("did you mean {near:?}? "));
    let list = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    Problem::parameter(format!(
        "there is no {kind} {name:?} here; {guess}known are: {list}"
    ))
    .with("unknown", name)
    .with("nearest", near)
    .with("known", known)
}
