//! Who is believed: the checks that both sides of a connection make of the other's certificate.

use crate::octets;
use crate::peer::{Peer, Serial};
use purlin_types::NodeId;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};
use std::collections::HashSet;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, RwLock};

/// The serials that are refused; renewed as the store's list is.
pub(crate) type RevokedList = Arc<RwLock<HashSet<Serial>>>;

pub(crate) fn is_revoked(list: &RevokedList, serial: &Serial) -> bool {
    list.read().expect("no thread panics with it").contains(serial)
}

/// What is wrong with a certificate that does come from the authority.
#[derive(Debug)]
pub(crate) enum Untrusted {
    NoNode,
    Another { is: NodeId, wanted: NodeId },
    Pin,
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode => f.write_str("its certificate names no node"),
            Self::Another { is, wanted } => {
                write!(f, "it is {is} and not {wanted}, as its certificate says")
            }
            Self::Pin => f.write_str("its authority is not the one that the token names"),
        }
    }
}

impl StdError for Untrusted {}

fn other(what: Untrusted) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(what))))
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

pub(crate) fn roots(authority: &CertificateDer<'static>) -> Result<Arc<RootCertStore>, Error> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone())?;
    Ok(Arc::new(roots))
}

/// At the server: a certificate of the cluster's authority that names a node and is not revoked.
#[derive(Debug)]
pub(crate) struct ClientGate {
    chain: Arc<dyn ClientCertVerifier>,
    revoked: RevokedList,
}

impl ClientGate {
    pub(crate) fn new(authority: &CertificateDer<'static>, revoked: RevokedList) -> Result<Self, Error> {
        let chain = WebPkiClientVerifier::builder_with_provider(roots(authority)?, provider())
            .build()
            .map_err(|cause| Error::General(cause.to_string()))?;
        Ok(Self { chain, revoked })
    }
}

impl ClientCertVerifier for ClientGate {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(end_entity, intermediates, now)?;
        let peer = Peer::read(end_entity).ok_or_else(|| other(Untrusted::NoNode))?;
        if is_revoked(&self.revoked, &peer.serial) {
            return Err(Error::InvalidCertificate(CertificateError::Revoked));
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// At the client: whom it wants to meet.
#[derive(Debug)]
pub(crate) enum Expected {
    /// This node of this cluster.
    Node {
        id: NodeId,
        authority: Arc<RootCertStore>,
        revoked: RevokedList,
    },
    /// Any node of the cluster whose authority has this SHA-256.
    Pinned([u8; 32]),
}

/// At the client: a certificate of the right authority that names the expected node. Host names and addresses mean
/// nothing here: they change, and anybody can answer at one.
#[derive(Debug)]
pub(crate) struct ServerGate {
    expected: Expected,
    provider: Arc<CryptoProvider>,
}

impl ServerGate {
    pub(crate) fn new(expected: Expected) -> Arc<Self> {
        Arc::new(Self {
            expected,
            provider: provider(),
        })
    }

    fn anchored(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &RootCertStore,
        now: UnixTime,
    ) -> Result<Peer, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)?;
        Peer::read(end_entity).ok_or_else(|| other(Untrusted::NoNode))
    }
}

impl ServerCertVerifier for ServerGate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.expected {
            Expected::Node {
                id,
                authority,
                revoked,
            } => {
                let peer = self.anchored(end_entity, intermediates, authority, now)?;
                if is_revoked(revoked, &peer.serial) {
                    return Err(Error::InvalidCertificate(CertificateError::Revoked));
                }
                if peer.id != *id {
                    let wanted = id.clone();
                    return Err(other(Untrusted::Another { is: peer.id, wanted }));
                }
            }
            Expected::Pinned(pin) => {
                let pinned = intermediates.iter().find(|one| octets::sha256(one) == *pin);
                let authority = pinned.ok_or_else(|| other(Untrusted::Pin))?;
                let authority = roots(&authority.clone().into_owned())?;
                self.anchored(end_entity, intermediates, &authority, now)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
