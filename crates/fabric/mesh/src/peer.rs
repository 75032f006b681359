//! Who a certificate says that somebody is.

use crate::octets;
use purlin_types::NodeId;
use rustls::pki_types::CertificateDer;
use std::fmt;
use webpki::EndEntityCert;

/// What stands before the node's id in the certificate's subject alternative name (a URI).
const SCHEME: &str = "purlin://node/";

/// The serial number of a certificate, as lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Serial(String);

impl Serial {
    pub(crate) fn of(octets: &[u8]) -> Self {
        Self(octets::hex(octets))
    }

    pub(crate) fn read(text: &str) -> Self {
        Self(text.to_owned())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The node at the other end of a connection, proved by its certificate. Handlers get it as
/// `axum::Extension<Peer>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    pub id: NodeId,
    pub serial: Serial,
}

/// The name of a node in a certificate.
pub(crate) fn uri(id: &NodeId) -> String {
    format!("{SCHEME}{id}")
}

impl Peer {
    /// Reads a certificate that was already found to come from the cluster's authority. `None` when it names no node,
    /// or more than one.
    pub(crate) fn read(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = EndEntityCert::try_from(certificate).ok()?;
        let mut nodes = parsed
            .valid_uri_names()
            .filter_map(|uri| uri.strip_prefix(SCHEME));
        let id = NodeId::parse(nodes.next()?).ok()?;
        nodes.next().is_none().then(|| Self {
            id,
            serial: Serial::of(parsed.serial()),
        })
    }
}
