//! What went wrong on a connection, for people.

use rustls::{AlertDescription, Error as Tls};
use std::io::{Error, ErrorKind};

/// An I/O error in one line: what TLS found, where it was TLS.
pub(crate) fn io(error: &Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    match (tls, error.kind()) {
        (Some(Tls::InvalidMessage(_)), _) => "what it says is no TLS".to_owned(),
        (Some(Tls::NoApplicationProtocol), _) => "it is no node of a Purlin chain".to_owned(),
        (Some(Tls::AlertReceived(AlertDescription::NoApplicationProtocol)), _) => {
            "it is no node of a Purlin chain: it speaks another language".to_owned()
        }
        (Some(Tls::PeerIncompatible(_)), _) => "it does not speak TLS 1.3".to_owned(),
        (Some(other), _) => other.to_string(),
        (None, ErrorKind::UnexpectedEof) => "it closed the connection without a word".to_owned(),
        (None, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => "it cut the connection".to_owned(),
        (None, ErrorKind::ConnectionRefused) => "nobody listens there".to_owned(),
        (None, _) => error.to_string(),
    }
}
