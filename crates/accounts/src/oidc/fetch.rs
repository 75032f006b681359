//! Small documents over HTTPS: bounded in size and time, and no redirects.

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Longest answer, and longest time for it.
const OCTETS_MAX: usize = 1 << 20;
const PATIENCE: Duration = Duration::from_secs(10);

/// Where distributions keep their bundle of public authorities.
const SYSTEM_BUNDLES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// Asks hosts that are believed by certain authorities.
#[derive(Clone)]
pub(super) struct Fetch(Arc<ClientConfig>);

impl Fetch {
    /// With the authorities of a file, else those of the system.
    pub(super) fn new(authorities: Option<&str>) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        match authorities {
            Some(file) => add(&mut roots, Path::new(file))
                .map_err(|cause| format!("oidc.ca_certificate: {file}: {cause}"))?,
            // No bundle means no public authority is believed; the first request will say so.
            None => SYSTEM_BUNDLES
                .iter()
                .for_each(|file| drop(add(&mut roots, Path::new(file)))),
        }
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Asks with an access token where one is given.
    pub(super) async fn get(&self, url: &str, bearer: Option<&str>) -> Result<Value, String> {
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        let asked = self.ask(Method::GET, url, authorization.as_deref(), String::new());
        let (status, body) = asked.await?;
        match status {
            StatusCode::OK => Ok(body),
            status => Err(format!("GET {url}: {status}")),
        }
    }

    /// Sends a form; status and answer, whatever they are.
    pub(super) async fn post(
        &self,
        url: &str,
        authorization: Option<&str>,
        form: String,
    ) -> Result<(StatusCode, Value), String> {
        self.ask(Method::POST, url, authorization, form).await
    }

    async fn ask(
        &self,
        method: Method,
        url: &str,
        authorization: Option<&str>,
        form: String,
    ) -> Result<(StatusCode, Value), String> {
        let asked = tokio::time::timeout(PATIENCE, self.talk(method, url, authorization, form));
        let told = asked
            .await
            .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
        told.map_err(|cause| format!("{url}: {cause}"))
    }

    async fn talk(
        &self,
        method: Method,
        url: &str,
        authorization: Option<&str>,
        form: String,
    ) -> Result<(StatusCode, Value), String> {
        let uri: Uri = url.parse().map_err(|_| "no address".to_owned())?;
        let host = uri
            .host()
            .ok_or("an address without a host")?
            .trim_matches(['[', ']'])
            .to_owned();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if matches!(host.as_str(), "127.0.0.1" | "localhost" | "::1") => false,
            _ => return Err("neither https nor this machine".to_owned()),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let request = Request::builder()
            .method(method)
            .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(
                header::HOST,
                uri.authority().map_or("", |authority| authority.as_str()),
            )
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = match authorization {
            Some(value) => request.header(header::AUTHORIZATION, value),
            None => request,
        };
        let request = request
            .body(Body::from(form))
            .map_err(|cause| cause.to_string())?;
        let stream = TcpStream::connect((host.as_str(), port))
            .await
            .map_err(|cause| cause.to_string())?;
        if !secure {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(host).map_err(|cause| cause.to_string())?;
        let stream = TlsConnector::from(Arc::clone(&self.0))
            .connect(name, stream)
            .await;
        exchange(stream.map_err(|cause| cause.to_string())?, request).await
    }
}

async fn exchange<S>(stream: S, request: Request<Body>) -> Result<(StatusCode, Value), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|cause| cause.to_string())?;
    let driver = tokio::spawn(connection);
    let told = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|cause| cause.to_string())?;
        let status = response.status();
        let octets = to_bytes(Body::new(response.into_body()), OCTETS_MAX).await;
        let octets = octets.map_err(|_| format!("more than {OCTETS_MAX} octets, or cut off"))?;
        // What is no JSON says nothing that is wanted.
        Ok((status, serde_json::from_slice(&octets).unwrap_or_default()))
    };
    let told = told.await;
    driver.abort();
    told
}

fn add(roots: &mut RootCertStore, file: &Path) -> Result<(), String> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|cause| cause.to_string())?;
    let certificates: Vec<_> = certificates
        .collect::<Result<_, _>>()
        .map_err(|cause| cause.to_string())?;
    match roots.add_parsable_certificates(certificates).0 {
        0 => Err("it holds no certificate".to_owned()),
        _ => Ok(()),
    }
}
