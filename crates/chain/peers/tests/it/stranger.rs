//! Somebody who speaks TLS and frames, and says what he likes.

use crate::rig::{NETWORK, PATIENCE, hello, id};
use alloy_primitives::B256;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

pub(crate) const HELLO: u8 = 1;
pub(crate) const WELCOME: u8 = 2;
pub(crate) const FAREWELL: u8 = 3;
pub(crate) const PING: u8 = 4;
pub(crate) const WHOLE: u8 = 6;
pub(crate) const BEGIN: u8 = 7;
pub(crate) const PART: u8 = 8;

pub(crate) struct Stranger {
    pub(crate) stream: TlsStream<TcpStream>,
    pub(crate) exporter: B256,
}

impl Stranger {
    /// Dials; has said nothing yet.
    pub(crate) async fn dial(to: SocketAddr) -> Self {
        Self::speaking(to, &[b"purlin-peer"]).await.unwrap()
    }

    pub(crate) async fn speaking(to: SocketAddr, languages: &[&[u8]]) -> std::io::Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything))
            .with_no_client_auth();
        config.alpn_protocols = languages.iter().map(|one| one.to_vec()).collect();
        let stream = TcpStream::connect(to).await?;
        let name = ServerName::try_from("stranger.invalid").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let exporter = exported(stream.get_ref().1.export_keying_material([0; 32], LABEL, CONTEXT));
        let stream = stream.into();
        Ok(Self { stream, exporter })
    }

    /// Answers who dials a listener of this stranger's own.
    pub(crate) async fn accept(stream: TcpStream) -> Self {
        let made = rcgen::generate_simple_self_signed(["stranger.invalid".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"purlin-peer".to_vec()];
        let stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let exporter = exported(stream.get_ref().1.export_keying_material([0; 32], LABEL, CONTEXT));
        let stream = stream.into();
        Self { stream, exporter }
    }

    /// Dials and is met as the owner of a key.
    pub(crate) async fn met(to: SocketAddr, key: u8) -> Self {
        let mut stranger = Self::dial(to).await;
        let said = hello(key, id(key), stranger.exporter, false);
        stranger.say(HELLO, &said).await;
        assert_eq!(stranger.hear().await.unwrap().0, HELLO);
        stranger.say(WELCOME, &[]).await;
        assert_eq!(stranger.hear().await.unwrap().0, WELCOME);
        stranger
    }

    pub(crate) async fn say(&mut self, kind: u8, rest: &[u8]) {
        self.say_head(kind, rest.len() as u32).await;
        let _ = self.stream.write_all(rest).await;
        let _ = self.stream.flush().await;
    }

    /// The beginning of a frame that may never have its end.
    pub(crate) async fn say_head(&mut self, kind: u8, length: u32) {
        let mut head = vec![kind];
        head.extend(length.to_be_bytes());
        let _ = self.stream.write_all(&head).await;
        let _ = self.stream.flush().await;
    }

    /// The next frame; `None`: the other side has closed.
    pub(crate) async fn hear(&mut self) -> Option<(u8, Vec<u8>)> {
        let frame = async {
            let kind = self.stream.read_u8().await.ok()?;
            let length = self.stream.read_u32().await.ok()?;
            let mut rest = vec![0; length as usize];
            self.stream.read_exact(&mut rest).await.ok()?;
            Some((kind, rest))
        };
        timeout(PATIENCE, frame)
            .await
            .expect("the other side says nothing")
    }

    /// The reason with which the other side ends it, whatever it says before.
    pub(crate) async fn farewell(&mut self) -> String {
        loop {
            match self.hear().await {
                Some((FAREWELL, why)) => return String::from_utf8(why).unwrap(),
                Some(_) => {}
                None => panic!("closed without a reason"),
            }
        }
    }
}

const LABEL: &[u8] = b"EXPORTER-purlin-chain-peer";
const CONTEXT: Option<&[u8]> = Some(NETWORK.genesis.as_slice());

fn exported(exporter: Result<[u8; 32], Error>) -> B256 {
    exporter.unwrap().into()
}

/// Believes any certificate.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
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
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = ring::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
