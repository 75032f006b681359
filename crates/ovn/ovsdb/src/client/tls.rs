//! TLS as OVS does it: both sides show certificates of one authority; names in them are not compared.
//!
//! Members of a cluster usually have certificates that name the machine or nothing at all, and are reached by address.
//! So a server is trusted when our authority signed it, as all tools of OVS do.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// What the client shows, and whom it trusts; ready to connect.
#[derive(Debug, Clone)]
pub struct Tls(pub(super) Arc<ClientConfig>);

/// PEM texts that make no TLS client.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the texts holds nothing of its kind, or is damaged.
    #[error("the {what} cannot be read: {reason}")]
    Unreadable {
        /// Which of the three.
        what: &'static str,
        /// What the reader said.
        reason: String,
    },
    /// They do not fit together.
    #[error("certificate and key do not make a client: {0}")]
    Unfit(#[from] Error),
}

impl Tls {
    /// Out of PEM texts: our certificate (with those between it and the authority), its key, the authority's
    /// certificates.
    ///
    /// # Errors
    ///
    /// Which text holds nothing of its kind, or why they do not fit together.
    pub fn from_pem(certificate: &[u8], key: &[u8], authority: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(certificate, "client certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|cause| unreadable("client key", &cause))?;
        let mut roots = RootCertStore::empty();
        for root in certificates(authority, "authority's certificate")? {
            roots.add(root)?;
        }
        let provider = Arc::new(ring::default_provider());
        let verifier = Arc::new(Signed {
            roots,
            provider: provider.clone(),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_client_auth_cert(chain, key)?;
        Ok(Self(Arc::new(config)))
    }
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let all = all.map_err(|cause| unreadable(what, &cause))?;
    if all.is_empty() {
        return Err(unreadable(what, &"no certificate in it"));
    }
    Ok(all)
}

fn unreadable(what: &'static str, cause: &dyn std::fmt::Display) -> TlsError {
    TlsError::Unreadable {
        what,
        reason: cause.to_string(),
    }
}

/// Trusts whom our authority signed, whatever the name.
#[derive(Debug)]
struct Signed {
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Signed {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&certificate, &self.roots, intermediates, now, algorithms)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
