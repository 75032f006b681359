//! The self-made certificate authority and the server certificate that it signs.
//!
//! ```text
//!   <data_dir>/tls/ca.pem       what clients trust: curl --cacert ca.pem https://127.0.0.1:8081/
//!                  ca.key       signs the next server certificate; mode 0600 like all keys here
//!                  server.pem   server certificate, then the authority's
//!                  server.key
//!                  server.json  names and last day of server.pem, so that nothing here has to parse X.509
//! ```
//!
//! Everything is used again while it is valid and names the same hosts; a new server certificate comes from the
//! same authority, so clients that trust it go on doing so.

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};
use thiserror::Error;

/// Days a server certificate is valid: what browsers accept at most is 398.
const SERVER_DAYS: i64 = 397;
/// Days before its end that it is replaced (at the next start).
const RENEW_DAYS: i64 = 30;
/// Years the authority is valid.
const CA_YEARS: i16 = 20;

/// Why there is no TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    #[error("{path} could not be {done}")]
    File {
        path: PathBuf,
        done: &'static str,
        source: io::Error,
    },
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    #[error("{path} holds no usable certificate or key")]
    Damaged { path: PathBuf },
    #[error("the certificate and its key do not fit")]
    Unfit(#[from] rustls::Error),
}

/// Where certificates lie, and for which hosts.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// Usually `<data_dir>/tls`.
    pub folder: PathBuf,
    /// Names and addresses besides `localhost`, `127.0.0.1` and `::1`.
    pub names: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, PartialEq, Eq)]
struct About {
    names: Vec<String>,
    /// Last day, RFC 3339.
    until: Timestamp,
}

impl TlsFiles {
    /// The authority's certificate, which clients are told to trust.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The TLS settings of the server; makes what is missing or about to end.
    ///
    /// # Errors
    /// When files cannot be read or written, or are damaged.
    pub fn prepare(&self, now: Timestamp) -> Result<Arc<ServerConfig>, TlsError> {
        let mut folder = fs::DirBuilder::new();
        folder.recursive(true).mode(0o700);
        folder
            .create(&self.folder)
            .map_err(|source| fault(&self.folder, "made", source))?;
        let names = self.all_names();
        if !self.still_good(&names, now) {
            self.make(names, now)?;
        }
        self.load()
    }

    fn all_names(&self) -> Vec<String> {
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        for name in &self.names {
            if !name.is_empty() && !all.contains(name) {
                all.push(name.clone());
            }
        }
        all
    }

    fn still_good(&self, names: &[String], now: Timestamp) -> bool {
        let about = fs::read(self.folder.join("server.json")).ok();
        let about: Option<About> = about.and_then(|text| serde_json::from_slice(&text).ok());
        let files = ["ca.pem", "ca.key", "server.pem", "server.key"];
        about.is_some_and(|about| about.names == names && days_later(now, RENEW_DAYS) < about.until)
            && files.iter().all(|file| self.folder.join(file).exists())
    }

    fn make(&self, names: Vec<String>, now: Timestamp) -> Result<(), TlsError> {
        let ca = self.authority(now)?;
        let until = days_later(now, SERVER_DAYS);
        let mut params = CertificateParams::new(names.clone())?;
        params.distinguished_name = named("Purlin node");
        set_validity(&mut params, now, until);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &ca.issuer)?;
        self.write("server.key", &key.serialize_pem())?;
        self.write("server.pem", &format!("{}{}", certificate.pem(), ca.pem))?;
        // Last, so that a crash before it makes the pair anew instead of leaving a key that does not fit.
        let about = serde_json::to_string(&About { names, until }).expect("names and a time are JSON");
        self.write("server.json", &about)
    }

    fn authority(&self, now: Timestamp) -> Result<Authority, TlsError> {
        let (pem, key) = (self.folder.join("ca.pem"), self.folder.join("ca.key"));
        if pem.exists() && key.exists() {
            let text = fs::read_to_string(&key).map_err(|source| fault(&key, "read", source))?;
            let pair = KeyPair::from_pem(&text).map_err(|_| TlsError::Damaged { path: key })?;
            let text = fs::read_to_string(&pem).map_err(|source| fault(&pem, "read", source))?;
            // The issuer needs only the authority's name and key, which do not change with its dates.
            return Ok(Authority {
                issuer: Issuer::new(ca_params(&pair, now)?, pair),
                pem: text,
            });
        }
        let pair = KeyPair::generate()?;
        let params = ca_params(&pair, now)?;
        let text = params.self_signed(&pair)?.pem();
        self.write("ca.key", &pair.serialize_pem())?;
        self.write("ca.pem", &text)?;
        Ok(Authority {
            issuer: Issuer::new(params, pair),
            pem: text,
        })
    }

    fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let (pem, key) = (self.folder.join("server.pem"), self.folder.join("server.key"));
        let chain: Result<Vec<_>, _> = match CertificateDer::pem_file_iter(&pem) {
            Ok(found) => found.collect(),
            Err(cause) => Err(cause),
        };
        let chain = chain.map_err(|_| TlsError::Damaged { path: pem })?;
        let key = PrivateKeyDer::from_pem_file(&key).map_err(|_| TlsError::Damaged { path: key })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), TlsError> {
        let path = self.folder.join(name);
        write_secret(&path, text).map_err(|source| fault(&path, "written", source))
    }
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub fn write_secret(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn fault(path: &Path, done: &'static str, source: io::Error) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        done,
        source,
    }
}

/// The authority's certificate. Its name carries a piece of its key: two nodes' authorities differ in a trust store.
fn ca_params(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, TlsError> {
    let mut params = CertificateParams::new(Vec::new())?;
    let digest = crate::tokens::short_digest(key.public_key_raw());
    params.distinguished_name = named(&format!("Purlin CA {}", &digest[..8]));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, days_later(now, i64::from(CA_YEARS) * 365));
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn days_later(now: Timestamp, days: i64) -> Timestamp {
    now.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX)
}

/// From the day before `now`, because the clocks of clients differ, to `until`.
fn set_validity(params: &mut CertificateParams, now: Timestamp, until: Timestamp) {
    let day = |at: Timestamp| {
        let date = at.to_zoned(TimeZone::UTC).date();
        let (month, day) = (date.month().unsigned_abs(), date.day().unsigned_abs());
        date_time_ymd(i32::from(date.year()), month, day)
    };
    params.not_before = day(days_later(now, -1));
    params.not_after = day(until);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn certificates_are_used_again_until_they_are_about_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles {
            folder: folder.path().join("tls"),
            names: vec!["node-1".into()],
        };
        let read = |name: &str| fs::read_to_string(files.folder.join(name)).unwrap();
        files.prepare(now()).unwrap();
        let (ca, server) = (read("ca.pem"), read("server.pem"));
        files.prepare(days_later(now(), 300)).unwrap();
        assert_eq!((read("ca.pem"), read("server.pem")), (ca.clone(), server.clone()));
        files.prepare(days_later(now(), 380)).unwrap();
        assert_eq!(read("ca.pem"), ca);
        assert_ne!(read("server.pem"), server);
    }

    #[test]
    fn another_host_name_makes_another_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = TlsFiles {
            folder: folder.path().to_owned(),
            names: Vec::new(),
        };
        files.prepare(now()).unwrap();
        let before = fs::read(folder.path().join("server.pem")).unwrap();
        files.names.push("node-2".into());
        files.prepare(now()).unwrap();
        assert_ne!(fs::read(folder.path().join("server.pem")).unwrap(), before);
    }

    #[test]
    fn keys_are_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        TlsFiles {
            folder: folder.path().to_owned(),
            names: Vec::new(),
        }
        .prepare(now())
        .unwrap();
        for key in ["ca.key", "server.key"] {
            let mode = fs::metadata(folder.path().join(key))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{key}");
        }
    }
}
