//! Callers that are no node of today: another version, no certificate, no language of nodes.

use crate::rig::{Cluster, Node};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Believes everybody: what the server does is looked at here.
#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
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
        default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// What the node says to `POST path` in the given language, without a certificate.
async fn said(node: &Node, languages: &[&str], path: &str) -> Result<String, String> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous))
        .with_no_client_auth();
    config.alpn_protocols = languages.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(node.at()).await.unwrap();
    let name = ServerName::try_from("node").unwrap();
    let talk = async {
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut said = String::new();
        stream.read_to_string(&mut said).await.map(|_| said)
    };
    talk.await.map_err(|cause: std::io::Error| cause.to_string())
}

#[tokio::test]
async fn an_old_version_is_refused_in_words() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    for version in ["purlin-mesh/0", "purlin-mesh/2", "purlin-join/0"] {
        let said = said(&one, &[version], "/mesh/v1/hello").await.unwrap();
        assert!(said.starts_with("HTTP/1.1 426"), "{said}");
        let words = format!("this node speaks purlin-mesh/1, the caller {version}");
        assert!(said.contains(&words), "{said}");
        assert!(
            one.refused().contains(&format!("it speaks {version}")),
            "{}",
            one.refused()
        );
    }
}

#[tokio::test]
async fn a_newer_node_that_speaks_this_version_too_is_a_node() {
    // It gets as far as the question for its certificate, which this one has not.
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let refused = said(&one, &["purlin-mesh/2", "purlin-mesh/1"], "/mesh/v1/hello").await;
    assert!(refused.unwrap_err().contains("CertificateRequired"));
}

#[tokio::test]
async fn a_caller_without_a_certificate_is_refused() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let refused = said(&one, &["purlin-mesh/1"], "/mesh/v1/hello").await;
    assert!(refused.unwrap_err().contains("CertificateRequired"));
    assert!(
        one.refused().contains("it showed no certificate"),
        "{}",
        one.refused()
    );
}

#[tokio::test]
async fn without_a_certificate_only_joining_is_open() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    let answer = said(&one, &["purlin-join/1"], "/mesh/v1/hello").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let answer = said(&one, &["purlin-join/1"], "/join/v1").await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
}

#[tokio::test]
async fn a_browser_is_told_where_it_is() {
    let cluster = Cluster::new();
    let one = cluster.node("n1").await;
    for languages in [&["h2", "http/1.1"][..], &["http/1.1"], &[]] {
        let answer = said(&one, languages, "/").await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
        assert!(answer.contains("ask the node's API instead"), "{answer}");
    }
}
