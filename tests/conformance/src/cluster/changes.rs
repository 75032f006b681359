//! A client that follows the transactions of OVN's northbound at a node, over a WebSocket.

use super::Member;
use super::socket::told;
use serde_json::Value;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::{HandshakeError, Message, WebSocket, client};

/// How long a read waits before it looks at its own deadline.
const LOOK: Duration = Duration::from_millis(50);
/// Longest wait for anything that must come.
const LIMIT: Duration = Duration::from_secs(45);

/// A connection, and all that came over it.
#[derive(Debug)]
pub struct Changes {
    inner: WebSocket<TcpStream>,
    /// In the order in which they came.
    pub messages: Vec<Value>,
    /// Code and reason of the close, when it came.
    pub closed: Option<(u16, String)>,
}

impl Changes {
    /// Follows at a node, as whoever has `token`.
    ///
    /// # Errors
    /// Status and body of a refusal.
    pub fn open(node: &Member, token: &str, query: &str) -> Result<Self, (u16, Value)> {
        let stream = TcpStream::connect(node.api()).expect("the node listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a time");
        let url = format!(
            "ws://{}/api/v1/ovn/stream?access_token={token}&{query}",
            node.api()
        );
        let (inner, _) = match client(url, stream) {
            Ok(connected) => connected,
            Err(HandshakeError::Failure(tungstenite::Error::Http(refusal))) => return Err(told(&refusal)),
            Err(error) => panic!("no WebSocket at {}: {error}", node.id),
        };
        inner.get_ref().set_read_timeout(Some(LOOK)).expect("a time");
        Ok(Self {
            inner,
            messages: Vec::new(),
            closed: None,
        })
    }

    /// What the node said of the session last.
    #[must_use]
    pub fn session(&self) -> &Value {
        let said = self
            .messages
            .iter()
            .rev()
            .find(|message| message["event"] == "session");
        said.map_or(&Value::Null, |message| &message["session"])
    }

    /// How many messages of this kind came.
    #[must_use]
    pub fn count(&self, event: &str) -> usize {
        self.messages
            .iter()
            .filter(|message| message["event"] == event)
            .count()
    }

    /// The transaction that was told last.
    #[must_use]
    pub fn last(&self) -> &str {
        let mut ids = self
            .messages
            .iter()
            .rev()
            .filter_map(|message| message["id"].as_str());
        ids.next().unwrap_or_default()
    }

    /// Names of the rows of a table that were told as new, in that order.
    #[must_use]
    pub fn added(&self, table: &str) -> Vec<&str> {
        let changes = self
            .messages
            .iter()
            .filter_map(|message| message["changes"].as_array());
        let new = changes
            .flatten()
            .filter(|row| row["table"] == table && row["change"] == "added");
        new.filter_map(|row| row["name"].as_str()).collect()
    }

    /// Goes on at `node`, with what came before: by the token of the close, or by the session's id and the last
    /// transaction where the connection broke.
    ///
    /// # Errors
    /// Status and body of a refusal.
    pub fn go_on(self, node: &Member, token: &str) -> Result<Self, (u16, Value)> {
        let reason = self.closed.as_ref().map_or("", |(_, reason)| reason);
        let told: Value = serde_json::from_str(reason).unwrap_or_default();
        let way_on = match told["resume"].as_str() {
            Some(token) => format!("resume={token}"),
            None => {
                let id = self.session()["id"].as_str().expect("told first");
                format!("session={id}&since={}", self.last())
            }
        };
        let mut next = Self::open(node, token, &way_on)?;
        next.messages = self.messages;
        Ok(next)
    }

    /// Reads until `holds`.
    ///
    /// # Panics
    /// When it does not; with what came.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + LIMIT;
        while !holds(self) {
            assert!(Instant::now() < end, "waited in vain until {what}: {self:?}");
            self.read();
        }
    }

    /// Reads one message, if there is one, and answers pings.
    fn read(&mut self) {
        match self.inner.read() {
            Ok(Message::Text(text)) => {
                let message = serde_json::from_str(&text).expect("messages are JSON");
                self.messages.push(message);
            }
            Ok(Message::Close(Some(frame))) => {
                self.closed = Some((frame.code.into(), frame.reason.to_string()));
            }
            Ok(_) => {}
            Err(tungstenite::Error::Io(cause))
                if matches!(
                    cause.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(error) => {
                let broken = || (1006, error.to_string());
                self.closed.get_or_insert_with(broken);
            }
        }
    }
}
