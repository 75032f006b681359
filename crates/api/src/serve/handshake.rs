//! TLS connections that did not come to be: who tried, and why it failed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

/// Why the two sides did not come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeFailure {
    /// No version, cipher suite, group or signature scheme that both know.
    NothingInCommon,
    /// The client ended it with this alert (RFC 8446, section 6): 48 when it does not know the authority.
    Alert(u8),
    /// The client went away, was too slow, or spoke something else.
    Other,
}

impl HandshakeFailure {
    pub(super) fn of(cause: &io::Error) -> Self {
        match cause.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(rustls::Error::PeerIncompatible(_)) => Self::NothingInCommon,
            Some(rustls::Error::AlertReceived(alert)) => Self::Alert(u8::from(*alert)),
            _ => Self::Other,
        }
    }
}

/// Somebody who wants to know of every handshake that failed; nobody by default.
#[derive(Clone, Default)]
pub(super) struct Listener(Option<Arc<dyn Fn(SocketAddr, HandshakeFailure) + Send + Sync>>);

impl Listener {
    pub(super) fn new(told: impl Fn(SocketAddr, HandshakeFailure) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }

    pub(super) fn tell(&self, client: SocketAddr, why: HandshakeFailure) {
        if let Some(told) = &self.0 {
            told(client, why);
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Listener" } else { "nobody" })
    }
}
