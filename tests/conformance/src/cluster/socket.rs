//! A client that follows a node's events over a WebSocket, and comes back to where it was.

use super::Member;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::handshake::client::Response;
use tungstenite::{HandshakeError, Message, WebSocket, client};

/// How long a read waits before it looks at its own deadline.
const LOOK: Duration = Duration::from_millis(50);
/// Longest wait for anything that must come.
const LIMIT: Duration = Duration::from_secs(45);
/// The same where a node has to be missed first: its silence of 30 s counts anew after each look that got no answer.
const LATE_LIMIT: Duration = Duration::from_secs(150);

/// A connection, and all that came over it.
#[derive(Debug)]
pub struct Socket {
    inner: WebSocket<TcpStream>,
    token: String,
    /// What the node said of the session last.
    pub session: Value,
    /// Subjects of events, by their numbers.
    pub events: BTreeMap<u64, Value>,
    /// Gaps that were told.
    pub gaps: Vec<Value>,
    /// Code and reason of the close, when it came.
    pub closed: Option<(u16, String)>,
}

impl Socket {
    /// Follows events of `topics` at a node, as whoever has `token`.
    ///
    /// # Errors
    /// Status and body of a refusal.
    pub fn open(node: &Member, token: &str, query: &str) -> Result<Self, (u16, Value)> {
        let stream = TcpStream::connect(node.api()).expect("the node listens");
        stream.set_read_timeout(Some(LIMIT)).expect("a time");
        let url = format!("ws://{}/ws?access_token={token}&{query}", node.api());
        let (inner, _) = match client(url, stream) {
            Ok(connected) => connected,
            Err(HandshakeError::Failure(tungstenite::Error::Http(refusal))) => return Err(told(&refusal)),
            Err(error) => panic!("no WebSocket at {}: {error}", node.id),
        };
        inner.get_ref().set_read_timeout(Some(LOOK)).expect("a time");
        let mut socket = Self {
            inner,
            token: token.to_owned(),
            session: Value::Null,
            events: BTreeMap::new(),
            gaps: Vec::new(),
            closed: None,
        };
        socket.until("the node told of the session", |socket| !socket.session.is_null());
        Ok(socket)
    }

    /// The session's id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.session["id"].as_str().expect("told first")
    }

    /// The number of the newest event.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.events.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// The place behind the newest event.
    #[must_use]
    pub fn place(&self) -> String {
        let newest = self.events.last_key_value();
        newest.map_or_else(String::new, |(_, event)| {
            event["id"].as_str().unwrap_or_default().to_owned()
        })
    }

    /// What the client gives to go on: the token of the close, or its id where the connection broke.
    #[must_use]
    pub fn way_on(&self) -> String {
        let (seen, place) = (self.seen(), self.place());
        let reason = self.closed.as_ref().map_or("", |(_, reason)| reason);
        let told: Value = serde_json::from_str(reason).unwrap_or_default();
        match told["resume"].as_str() {
            Some(token) => format!("resume={token}&seen={seen}&after={place}"),
            None => format!("session={}&seen={seen}&after={place}", self.id()),
        }
    }

    /// Goes on at `node`, with what came before.
    ///
    /// # Errors
    /// Status and body of a refusal.
    pub fn go_on(self, node: &Member, topics: &str) -> Result<Self, (u16, Value)> {
        let mut next = Self::open(node, &self.token, &format!("topics={topics}&{}", self.way_on()))?;
        for (number, event) in self.events {
            assert!(next.events.insert(number, event).is_none(), "{number} came twice");
        }
        next.gaps.extend(self.gaps);
        Ok(next)
    }

    /// Reads until `holds`.
    ///
    /// # Panics
    /// When it does not; with what came.
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        self.wait(LIMIT, what, holds);
    }

    /// The same for what takes a node's time-out.
    ///
    /// # Panics
    /// As [`Self::until`].
    pub fn until_late(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        self.wait(LATE_LIMIT, what, holds);
    }

    fn wait(&mut self, limit: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = Instant::now() + limit;
        while !holds(self) {
            assert!(Instant::now() < end, "waited in vain until {what}: {self:?}");
            self.read();
        }
    }

    /// Reads one message, if there is one, and answers pings.
    fn read(&mut self) {
        match self.inner.read() {
            Ok(Message::Text(text)) => self.take(&text),
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

    fn take(&mut self, text: &str) {
        let message: Value = serde_json::from_str(text).expect("messages are JSON");
        match (message["topic"].as_str(), message["n"].as_u64()) {
            (Some("session"), _) => self.session = message["data"].clone(),
            (Some("gap"), _) => self.gaps.push(message),
            (_, Some(number)) => {
                let twice = self.events.insert(number, message);
                assert_eq!(twice, None, "{number} came twice");
            }
            _ => panic!("{text}"),
        }
    }

    /// Breaks the connection without a word.
    pub fn cut(&mut self) {
        // One that is broken already is as good.
        let _ = self.inner.get_ref().shutdown(std::net::Shutdown::Both);
        self.closed = None;
    }

    /// Says something to the node.
    pub fn say(&mut self, message: &Value) {
        let text = Message::text(message.to_string());
        self.inner.send(text).expect("the connection holds");
    }

    /// What each event is about, in the order of their numbers.
    #[must_use]
    pub fn subjects(&self) -> Vec<&str> {
        let all = self.events.values();
        all.filter_map(|event| event["data"]["subject"].as_str())
            .collect()
    }
}

pub(super) fn told(refusal: &Response) -> (u16, Value) {
    let body = refusal.body().as_deref().unwrap_or_default();
    (
        refusal.status().as_u16(),
        serde_json::from_slice(body).unwrap_or_default(),
    )
}
