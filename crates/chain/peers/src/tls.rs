//! TLS 1.3 between nodes. Certificates are made anew at each start and say nothing: who somebody is, his hello says,
//! which is signed for the very session. TLS sees to it that nobody else reads or changes what goes through.

use crate::StartError;
use crate::hello::Session;
use crate::{Direction, Network};
use alloy_primitives::B256;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::version::TLS13;
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// The language (RFC 7301); its version is in the hello, so that another one can be refused in words.
const LANGUAGE: &[u8] = b"purlin-peer";
const LABEL: &[u8] = b"EXPORTER-purlin-chain-peer";
/// Names mean nothing between nodes.
const NAME: &str = "purlin.invalid";

/// Both sides of TLS, for one start of the node.
pub(crate) struct Tls {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    pub(crate) fn new() -> Result<Self, StartError> {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let provider = Arc::new(ring::default_provider());
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        server.alpn_protocols = vec![LANGUAGE.to_vec()];
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth();
        client.alpn_protocols = vec![LANGUAGE.to_vec()];
        client.resumption = Resumption::disabled();
        Ok(Self {
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }

    /// The session is this side's.
    pub(crate) async fn dial(
        &self,
        stream: TcpStream,
        network: Network,
    ) -> io::Result<(TlsStream<TcpStream>, Session)> {
        let name = ServerName::try_from(NAME).expect("a name by RFC 2606");
        let connector = TlsConnector::from(Arc::clone(&self.client));
        let stream = connector.connect(name, stream).await?;
        let tls = stream.get_ref().1;
        let exporter = tls.export_keying_material([0; 32], LABEL, Some(&network.genesis[..]));
        let session = session(exporter, tls.alpn_protocol(), Direction::Outbound)?;
        Ok((stream.into(), session))
    }

    /// The session is this side's.
    pub(crate) async fn accept(
        &self,
        stream: TcpStream,
        network: Network,
    ) -> io::Result<(TlsStream<TcpStream>, Session)> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.server));
        let stream = acceptor.accept(stream).await?;
        let tls = stream.get_ref().1;
        let exporter = tls.export_keying_material([0; 32], LABEL, Some(&network.genesis[..]));
        let session = session(exporter, tls.alpn_protocol(), Direction::Inbound)?;
        Ok((stream.into(), session))
    }
}

fn session(
    exporter: Result<[u8; 32], Error>,
    language: Option<&[u8]>,
    direction: Direction,
) -> io::Result<Session> {
    // Whoever offers no language at all gets through TLS without one.
    if language != Some(LANGUAGE) {
        return Err(io::Error::other(Error::NoApplicationProtocol));
    }
    let exporter = B256::from(exporter.map_err(io::Error::other)?);
    Ok(Session { exporter, direction })
}

/// Takes any certificate whose key signed the handshake: then exactly one machine is at the other end, and its hello
/// says which.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
