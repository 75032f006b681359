//! The certificate of the API and of HTTPS boot: the one that was named, or one from the node's own authority.

use crate::exit::{Failure, chain};
use crate::settings::Settings;
use purlin_api::tls::TlsFiles;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The server's side, and the authority that clients should trust when it is our own.
pub(crate) struct Certificate {
    pub(crate) config: Arc<ServerConfig>,
    pub(super) ca: Option<PathBuf>,
}

/// `None` when nothing listens for HTTPS.
pub(crate) fn prepare(settings: &Settings, data_dir: &Path) -> Result<Option<Certificate>, Failure> {
    let api = settings.api.enabled && !settings.api.https.is_empty();
    let boot = !settings.services.https().is_empty();
    if !api && !boot {
        return Ok(None);
    }
    if let Some((chain, key)) = &settings.api.tls {
        let config = load(Path::new(chain), Path::new(key))?;
        return Ok(Some(Certificate { config, ca: None }));
    }
    let files = TlsFiles {
        folder: data_dir.join("tls"),
        names: names(settings),
    };
    let config = files.prepare(jiff::Timestamp::now()).map_err(|cause| {
        Failure::failed(
            format!("no certificate for the API: {}", chain(&cause)),
            "check the data directory and its owner",
        )
    })?;
    Ok(Some(Certificate {
        config,
        ca: Some(files.ca()),
    }))
}

/// The names clients may use: what was configured, this host, the addresses listened on.
fn names(settings: &Settings) -> Vec<String> {
    let mut names = settings.api.tls_names.clone();
    names.push(settings.node.id.to_string());
    names.extend(std::fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()));
    let specific = settings
        .api
        .https
        .iter()
        .chain(settings.services.https())
        .map(std::net::SocketAddr::ip)
        .filter(|ip| !ip.is_unspecified());
    names.extend(specific.map(|ip| ip.to_string()));
    names.sort();
    names.dedup();
    names
}

fn load(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, Failure> {
    let wrong = |path: &Path, cause: String| {
        let what = format!("{} holds no usable certificate or key: {cause}", path.display());
        Failure::failed(
            what,
            "check api.tls_cert and api.tls_key: PEM files, readable by this user",
        )
    };
    let certificates = CertificateDer::pem_file_iter(chain).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = certificates.map_err(|cause| wrong(chain, cause.to_string()))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|cause| wrong(key, cause.to_string()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .map_err(|cause| wrong(key, cause.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
