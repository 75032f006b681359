//! One TCP or TLS connection to a node.

use super::{Endpoint, Sender};
use crate::exit::{Exit, Failure, chain};
use hyper_util::rt::TokioIo;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Where distributions keep their bundle of public authorities.
const SYSTEM_BUNDLES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

pub(super) async fn connect(endpoint: &Endpoint) -> Result<Sender, Failure> {
    let url = &endpoint.url;
    let dial = TcpStream::connect((url.host.as_str(), url.port));
    let stream = match tokio::time::timeout(CONNECT_PATIENCE, dial).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(cause)) => return Err(unreachable(endpoint, &cause.to_string())),
        Err(_) => return Err(unreachable(endpoint, "no answer within 5 s")),
    };
    // Requests are one small write; waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    if url.tls {
        let name = ServerName::try_from(url.host.clone())
            .map_err(|_| Failure::usage(format!("{} is no host name", url.host), "check --server"))?;
        let config = Arc::new(tls_config(endpoint.ca.as_deref())?);
        let stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|cause| untrusted(endpoint, &cause))?;
        return handshake(stream, endpoint).await;
    }
    handshake(stream, endpoint).await
}

async fn handshake<S>(stream: S, endpoint: &Endpoint) -> Result<Sender, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|cause| unreachable(endpoint, &chain(&cause)))?;
    // Errors of the connection reach the caller through its pending request.
    tokio::spawn(async move {
        let _ = connection.with_upgrades().await;
    });
    Ok(sender)
}

fn tls_config(ca: Option<&Path>) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(path) => add_bundle(&mut roots, path).map_err(|cause| {
            let what = format!("cannot read the CA certificate in {}: {cause}", path.display());
            Failure::failed(
                what,
                "name the file that `purlin up` printed: --ca DATA_DIR/ca.pem",
            )
        })?,
        None => {
            for path in SYSTEM_BUNDLES {
                // No bundle means no public authority is trusted; the handshake will say so.
                let _ = add_bundle(&mut roots, Path::new(path));
            }
        }
    }
    Ok(ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn add_bundle(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|cause| cause.to_string())?;
    let certificates: Vec<_> = certificates
        .collect::<Result<_, _>>()
        .map_err(|cause| cause.to_string())?;
    if roots.add_parsable_certificates(certificates).0 == 0 {
        return Err("it holds no certificate".to_owned());
    }
    Ok(())
}

fn unreachable(endpoint: &Endpoint, cause: &str) -> Failure {
    let what = format!("no node answers at {}: {cause}", endpoint.url);
    Failure::new(
        Exit::Unreachable,
        what,
        "start one with `purlin up`, or name another with --server URL",
    )
}

fn untrusted(endpoint: &Endpoint, cause: &std::io::Error) -> Failure {
    let what = format!("no trusted connection to {}: {cause}", endpoint.url);
    Failure::new(
        Exit::Unreachable,
        what,
        "name the node's CA certificate with --ca FILE",
    )
}
