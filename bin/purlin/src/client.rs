//! The commands' way to a node: HTTP/1.1 over TCP or TLS to its API, one connection used again and again.
//!
//! Knows the API only as paths, JSON values and problem documents (RFC 9457).

mod connect;
mod endpoint;
pub(crate) mod life;
mod problem;
#[cfg(feature = "ovn")]
mod socket;
mod stream;

pub(crate) use endpoint::{Endpoint, NodeFile, Wishes};
#[cfg(feature = "ovn")]
pub(crate) use socket::Socket;
pub(crate) use stream::Lines;

use crate::exit::{Exit, Failure};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, IF_MATCH};
use hyper::{Method, Request, Response};
use serde_json::Value;
use std::time::Duration;

/// How long a node may take to begin an answer. Applying a revision is the slowest thing there is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Largest answer that is read whole.
const ANSWER_MAX: usize = 256 << 20;

type Sender = SendRequest<Full<Bytes>>;

/// A client of one node.
pub(crate) struct Client {
    endpoint: Endpoint,
    open: Option<Sender>,
}

/// What to ask.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    path: String,
    body: Option<(&'static str, Vec<u8>)>,
    accept: &'static str,
    if_match: Option<String>,
    patience: Duration,
    /// Whether a WebSocket is wanted.
    socket: bool,
}

impl Ask {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: None,
            accept: "application/json",
            if_match: None,
            patience: PATIENCE,
            socket: false,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Some(("application/json", body.to_string().into_bytes()));
        self
    }

    /// A body of another form.
    #[cfg_attr(
        not(feature = "ovn"),
        expect(dead_code, reason = "only documents of OVN are sent as they are")
    )]
    pub(crate) fn text(mut self, kind: &'static str, body: String) -> Self {
        self.body = Some((kind, body.into_bytes()));
        self
    }

    /// Only if what is asked about still has this entity tag, quotes included.
    #[cfg_attr(
        not(feature = "ovn"),
        expect(dead_code, reason = "only rows of OVN are changed so")
    )]
    pub(crate) fn if_match(mut self, tag: &str) -> Self {
        self.if_match = Some(tag.to_owned());
        self
    }

    /// How long the node may take to begin its answer.
    #[cfg_attr(
        not(feature = "ovn"),
        expect(dead_code, reason = "only changes of OVN wait for others")
    )]
    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    pub(crate) fn accept(mut self, kind: &'static str) -> Self {
        self.accept = kind;
        self
    }
}

/// An answer that was no problem document.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON; `Null` when there is none.
    pub(crate) fn value(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&self.body).map_err(|cause| {
            Failure::failed(
                format!("the answer is no JSON: {cause}"),
                "check that --server names a Purlin node",
            )
        })
    }
}

impl Client {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, open: None }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The JSON answer to a question.
    pub(crate) async fn value(&mut self, ask: Ask) -> Result<Value, Failure> {
        self.answer(ask).await?.value()
    }

    /// The whole answer to a question; problem documents become failures.
    pub(crate) async fn answer(&mut self, ask: Ask) -> Result<Answer, Failure> {
        let answer = self.any_status(ask).await?;
        problem::check(&answer)?;
        Ok(answer)
    }

    /// Whether an answer is one, or a problem document.
    ///
    /// # Errors
    /// With the problem.
    pub(crate) fn judge(answer: &Answer) -> Result<(), Failure> {
        problem::check(answer)
    }

    /// The whole answer, whatever its status (health checks answer 503 with a body worth reading).
    pub(crate) async fn any_status(&mut self, ask: Ask) -> Result<Answer, Failure> {
        let (parts, body) = self.send(ask).await?.into_parts();
        let body = http_body_util::Limited::new(body, ANSWER_MAX);
        let body = body.collect().await.map_err(|cause| {
            Failure::new(
                Exit::Unreachable,
                format!("the answer broke off: {cause}"),
                "try again",
            )
        })?;
        Ok(Answer {
            status: parts.status.as_u16(),
            body: body.to_bytes(),
        })
    }

    /// An answer that is read as it comes: event streams and downloads.
    pub(crate) async fn stream(&mut self, ask: Ask) -> Result<Lines, Failure> {
        let response = self.send(ask).await?;
        // The connection now belongs to the stream.
        self.open = None;
        let status = response.status().as_u16();
        if status < 400 {
            return Ok(Lines::new(response.into_body()));
        }
        let body = response
            .into_body()
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes)
            .unwrap_or_default();
        problem::check(&Answer { status, body })?;
        Err(Failure::failed(format!("the node answered {status}"), ""))
    }

    /// A WebSocket (RFC 6455) at this path.
    #[cfg(feature = "ovn")]
    pub(crate) async fn socket(&mut self, path: &str) -> Result<Socket, Failure> {
        let mut ask = Ask::get(path);
        ask.socket = true;
        let response = self.send(ask).await?;
        self.open = None;
        let status = response.status().as_u16();
        if status == 101 {
            let upgraded = hyper::upgrade::on(response).await;
            return upgraded.map(Socket::new).map_err(|cause| self.broken(&cause));
        }
        let body = response.into_body().collect().await;
        let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        problem::check(&Answer { status, body })?;
        Err(Failure::failed(format!("{path} is no WebSocket: {status}"), ""))
    }

    async fn send(&mut self, ask: Ask) -> Result<Response<Incoming>, Failure> {
        let reused = self.open.as_ref().is_some_and(SendRequest::is_ready);
        let mut sender = self.sender().await?;
        let first = tokio::time::timeout(ask.patience, sender.send_request(self.request(&ask)?)).await;
        let response = match first {
            Err(_) => {
                let secs = ask.patience.as_secs();
                let what = format!("{} did not answer within {secs} s", self.endpoint.url);
                return Err(Failure::new(Exit::Unreachable, what, "purlin doctor"));
            }
            Ok(Ok(response)) => response,
            // A kept connection may have been closed by the node meanwhile; reading again is harmless.
            Ok(Err(_)) if reused && ask.method == Method::GET => {
                self.open = None;
                sender = self.sender().await?;
                sender
                    .send_request(self.request(&ask)?)
                    .await
                    .map_err(|cause| self.broken(&cause))?
            }
            Ok(Err(cause)) => return Err(self.broken(&cause)),
        };
        self.open = Some(sender);
        Ok(response)
    }

    async fn sender(&mut self) -> Result<Sender, Failure> {
        if let Some(mut open) = self.open.take()
            && open.ready().await.is_ok()
        {
            return Ok(open);
        }
        connect::connect(&self.endpoint).await
    }

    fn request(&self, ask: &Ask) -> Result<Request<Full<Bytes>>, Failure> {
        let body = ask
            .body
            .as_ref()
            .map(|(_, bytes)| bytes.clone())
            .unwrap_or_default();
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(&ask.path)
            .header(HOST, self.endpoint.url.authority())
            .header(ACCEPT, ask.accept);
        if let Some((kind, _)) = &ask.body {
            request = request.header(CONTENT_TYPE, *kind);
        }
        if let Some(tag) = &ask.if_match {
            request = request.header(IF_MATCH, tag);
        }
        if ask.socket {
            // The key only proves that the server speaks the protocol, which its 101 says too.
            request = request
                .header(hyper::header::CONNECTION, "upgrade")
                .header(hyper::header::UPGRADE, "websocket")
                .header(hyper::header::SEC_WEBSOCKET_VERSION, "13")
                .header(hyper::header::SEC_WEBSOCKET_KEY, "cHVybGluIGJlbmNoIG92bg==");
        }
        if let Some(token) = &self.endpoint.token {
            request = request.header(AUTHORIZATION, bearer(token)?);
        }
        request
            .body(Full::new(Bytes::from(body)))
            .map_err(|cause| Failure::usage(format!("{} is no valid path: {cause}", ask.path), ""))
    }

    fn broken(&self, cause: &hyper::Error) -> Failure {
        let what = format!("{} closed the connection: {cause}", self.endpoint.url);
        Failure::new(Exit::Unreachable, what, "see the node's log, then try again")
    }
}

fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
        Failure::usage(
            "the token holds characters that no token has",
            "check --token or --token-file",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Percent-encodes one path segment or query value (RFC 3986, section 2.3).
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// `path?a=1&b=2`, leaving out what is empty.
pub(crate) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query: Vec<String> = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key}={}", encode(value)))
        .collect();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_leave_out_what_is_empty_and_encode_the_rest() {
        assert_eq!(with_query("/a", &[("q", ""), ("s", "x y&z")]), "/a?s=x%20y%26z");
        assert_eq!(with_query("/a", &[]), "/a");
    }
}
