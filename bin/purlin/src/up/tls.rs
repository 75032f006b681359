//! The certificate of the API and of HTTPS boot: the one that was named, or one from the node's own authority.

use crate::exit::{Failure, chain};
use crate::settings::Settings;
use purlin_api::tls::TlsFiles;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
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
    let listens = settings.api.https.iter().chain(settings.services.https());
    let interfaces = purlin_netio::interfaces().unwrap_or_default();
    let own = interfaces.iter().flat_map(|interface| &interface.addresses);
    names.extend(hosts(
        listens.map(SocketAddr::ip),
        own.map(|(address, _)| *address),
    ));
    names.sort();
    names.dedup();
    names
}

/// The addresses at which somebody who listens there is found. Who listens on all of them is found at those that the
/// machine has now; one that it gets later is a name for `api.tls_names`, or is there with the next start.
fn hosts(listens: impl Iterator<Item = IpAddr>, own: impl Iterator<Item = Ipv4Addr>) -> Vec<String> {
    let (all, some): (Vec<_>, Vec<_>) = listens.partition(IpAddr::is_unspecified);
    let mut hosts: Vec<String> = some.iter().map(IpAddr::to_string).collect();
    if !all.is_empty() {
        hosts.extend(own.map(|address| address.to_string()));
    }
    hosts
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_has_the_names_of_all_addresses() {
        let own = [[10, 0, 0, 1], [192, 168, 7, 1]].map(Ipv4Addr::from);
        let hosts = |listens: &[&str]| {
            let listens = listens.iter().map(|text| text.parse().unwrap());
            hosts(listens, own.into_iter())
        };
        assert_eq!(hosts(&["10.0.0.1", "fd00::1"]), ["10.0.0.1", "fd00::1"]);
        assert_eq!(hosts(&["0.0.0.0"]), ["10.0.0.1", "192.168.7.1"]);
        assert_eq!(hosts(&["::", "fd00::1"]), ["fd00::1", "10.0.0.1", "192.168.7.1"]);
        assert!(hosts(&[]).is_empty());
    }
}
