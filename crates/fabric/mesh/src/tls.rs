//! TLS settings for each kind of connection. Only TLS 1.3, and nothing is resumed: every connection shows its
//! certificate anew, so that one that has ended or was revoked meanwhile does not slip through.

use crate::clock::Clock;
use crate::files::Identity;
use crate::gates::{self, ClientGate, Expected, RevokedList, ServerGate};
use crate::mesh::MeshError;
use crate::protocol::{JOIN, MESH};
use purlin_types::NodeId;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::sync::Arc;

/// What a node shows and believes while it has one certificate.
pub(crate) struct Live {
    pub(crate) identity: Identity,
    /// For nodes: they show a certificate too.
    pub(crate) mesh: Arc<ServerConfig>,
    /// For machines with a token, and for those who must be told that they are wrong here.
    pub(crate) open: Arc<ServerConfig>,
    chain: Vec<CertificateDer<'static>>,
    authority: Arc<RootCertStore>,
    clock: Clock,
}

impl Live {
    pub(crate) fn new(identity: Identity, revoked: &RevokedList, clock: &Clock) -> Result<Self, MeshError> {
        let node = certificate(&identity.certificate)?;
        let authority = certificate(&identity.authority)?;
        // The authority goes along: a machine with a token knows it by its digest only.
        let chain = vec![node, authority.clone()];
        let gate = Arc::new(ClientGate::new(&authority, Arc::clone(revoked))?);
        let builder = || {
            ServerConfig::builder_with_details(gates::provider(), Arc::new(clock.clone()))
                .with_protocol_versions(&[&TLS13])
        };
        let mesh = builder()?
            .with_client_cert_verifier(gate)
            .with_single_cert(chain.clone(), key(&identity)?)?;
        let open = builder()?
            .with_no_client_auth()
            .with_single_cert(chain.clone(), key(&identity)?)?;
        Ok(Self {
            mesh: Arc::new(speaking(mesh, MESH)),
            open: Arc::new(speaking(open, JOIN)),
            chain,
            authority: gates::roots(&authority)?,
            clock: clock.clone(),
            identity,
        })
    }

    /// For a call to one node.
    pub(crate) fn client(&self, to: &NodeId, revoked: &RevokedList) -> Result<Arc<ClientConfig>, MeshError> {
        let expected = Expected::Node {
            id: to.clone(),
            authority: Arc::clone(&self.authority),
            revoked: Arc::clone(revoked),
        };
        let mut config = client_builder(expected, &self.clock)?
            .with_client_auth_cert(self.chain.clone(), key(&self.identity)?)?;
        config.alpn_protocols = vec![MESH.into()];
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }

    /// For somebody who offers another language: the answer that tells it goes out in that one.
    pub(crate) fn in_words(&self, offered: Option<&str>) -> Arc<ServerConfig> {
        let mut config = ServerConfig::clone(&self.open);
        config.alpn_protocols = offered.map(Into::into).into_iter().collect();
        Arc::new(config)
    }
}

/// For a machine that has nothing but a token.
pub(crate) fn joiner(pin: [u8; 32], clock: &Clock) -> Result<Arc<ClientConfig>, MeshError> {
    let mut config = client_builder(Expected::Pinned(pin), clock)?.with_no_client_auth();
    config.alpn_protocols = vec![JOIN.into()];
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

type WantsClientCert = rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>;

fn client_builder(expected: Expected, clock: &Clock) -> Result<WantsClientCert, MeshError> {
    Ok(
        ClientConfig::builder_with_details(gates::provider(), Arc::new(clock.clone()))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(ServerGate::new(expected)),
    )
}

fn speaking(mut config: ServerConfig, language: &str) -> ServerConfig {
    config.alpn_protocols = vec![language.into()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, MeshError> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| MeshError::Damaged("a certificate"))
}

fn key(identity: &Identity) -> Result<PrivateKeyDer<'static>, MeshError> {
    PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).map_err(|_| MeshError::Damaged("the node's key"))
}
