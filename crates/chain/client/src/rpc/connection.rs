//! One HTTP/1.1 connection, opened when it is needed and again when it broke.

use super::RpcError;
use crate::Endpoint;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::fmt::Write;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Largest answer that is read.
const ANSWER_MAX: usize = 256 << 20;

/// Octets of an answer that is no success which are shown.
const SHOWN_MAX: usize = 200;

/// A connection to one server; one request at a time.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    host: HeaderValue,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        let host = HeaderValue::from_str(&endpoint.authority());
        Self {
            host: host.unwrap_or_else(|_| HeaderValue::from_static("localhost")),
            endpoint,
            open: None,
        }
    }

    /// Posts JSON and reads the answer whole, within `patience`.
    ///
    /// # Errors
    /// [`RpcError::Transport`] when there is no answer, or one that is no success. The connection is then closed, and
    /// opened again by the next request.
    pub async fn post(&mut self, body: Bytes, patience: Duration) -> Result<Bytes, RpcError> {
        let answer = match timeout(patience, self.exchange(body)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} ms", patience.as_millis())),
        };
        answer.map_err(|cause| {
            self.open = None;
            RpcError::Transport(cause)
        })
    }

    async fn exchange(&mut self, body: Bytes) -> Result<Bytes, String> {
        if let Some(open) = &mut self.open
            && open.ready().await.is_err()
        {
            // An idle connection that the server has closed: nothing was sent on it.
            self.open = None;
        }
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.connect().await?,
        };
        let request = Request::post(self.endpoint.path.as_str())
            .header(HOST, self.host.clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(Full::new(body))
            .map_err(|cause| cause.to_string())?;
        let answer = open.send_request(request).await.map_err(|cause| whole(&cause))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_MAX);
        let text = body.collect().await.map_err(|cause| whole(&*cause))?.to_bytes();
        if !status.is_success() {
            let shown = String::from_utf8_lossy(&text[..text.len().min(SHOWN_MAX)]).into_owned();
            return Err(format!("HTTP status {status}: {shown}"));
        }
        self.open = Some(open);
        Ok(text)
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let address = (self.endpoint.host.as_str(), self.endpoint.port);
        let stream = TcpStream::connect(address)
            .await
            .map_err(|cause| format!("cannot connect: {cause}"))?;
        // Requests are written whole; waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let (open, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|cause| whole(&cause))?;
        // Errors of the connection reach the caller through its request.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(open)
    }
}

/// An error with its causes.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}
