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
const LIMIT: Duration = Duration::from_secs(20);

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
                if matches!(cause.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => {
                let broken = || (1006, error.to_string());
                self.closed.get_or_insert_with(broken);
            }
        }
    }
}
