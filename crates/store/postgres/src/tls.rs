//! Which servers are believed, as a connection URL says it: `sslmode` and `sslrootcert`, as PostgreSQL means them.
//!
//! | sslmode | encrypted | the server's certificate |
//! |---|---|---|
//! | disable | no | |
//! | prefer (default) | where the server can | not looked at |
//! | require | yes | not looked at; with a root certificate as verify-ca |
//! | verify-ca | yes | from the root certificate's authority |
//! | verify-full | yes | that, and for the host in the URL |
//!
//! Without `sslrootcert` (or with `system`) the authorities are the system's. Source: the manual of PostgreSQL, section
//! "SSL Support" of libpq.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::settings::{BadUrl, Settings, Target};
use crate::tls::words::{Words, taken_out};

mod words;

/// Where distributions keep their bundle of public authorities.
const SYSTEM_BUNDLES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];
/// The value of `sslrootcert` that stands for them.
const SYSTEM: &str = "system";

/// Why a URL, with what it says about TLS, cannot be used. Never quotes the URL: it may hold a password.
#[derive(Debug)]
pub enum UrlFault {
    Url(BadUrl),
    /// A word that `sslmode` does not have.
    Mode(String),
    /// Something of libpq's that is not there: `sslcert`, `sslkey`, `sslcrl` and the like.
    Unknown(String),
    /// The root certificates cannot be read.
    Root {
        path: PathBuf,
        cause: String,
    },
    /// The library refuses them.
    Library(Error),
}

/// How far a server is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn read(word: Option<&str>, system: bool) -> Result<Self, UrlFault> {
        match word {
            // The system's authorities sign for everybody: only the name tells servers apart.
            None if system => Ok(Self::VerifyFull),
            None | Some("prefer") => Ok(Self::Prefer),
            Some("disable") => Ok(Self::Disable),
            Some("require") => Ok(Self::Require),
            Some("verify-ca") => Ok(Self::VerifyCa),
            Some("verify-full") => Ok(Self::VerifyFull),
            Some(other) => Err(UrlFault::Mode(other.to_owned())),
        }
    }

    /// As the client library knows it, which leaves certificates to others.
    fn plain(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require | Self::VerifyCa | Self::VerifyFull => "require",
        }
    }
}

impl Settings {
    /// The usual settings for the server at `url`, with TLS as the URL says. `root` is a file of root certificates for a
    /// URL that names none.
    ///
    /// # Errors
    /// See [`UrlFault`].
    pub fn of_url(url: &str, root: Option<&Path>) -> Result<Self, UrlFault> {
        let Words {
            rest,
            mode,
            root: own,
            unknown,
        } = taken_out(url);
        if let Some(word) = unknown {
            return Err(UrlFault::Unknown(word));
        }
        let system = own.as_deref() == Some(SYSTEM);
        let file = match own {
            Some(own) if !system => Some(PathBuf::from(own)),
            Some(_) => None,
            None => root.map(Path::to_owned),
        };
        let mode = Mode::read(mode.as_deref(), system)?;
        let target = Target::parse(&words::with_mode(&rest, mode.plain())).map_err(UrlFault::Url)?;
        Ok(Self {
            tls: config(mode, file.as_deref())?,
            ..Self::new(target)
        })
    }
}

fn config(mode: Mode, root: Option<&Path>) -> Result<Option<ClientConfig>, UrlFault> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(UrlFault::Library)?;
    let roots = match mode {
        Mode::Disable => return Ok(None),
        Mode::Prefer => None,
        Mode::Require => root.map(read_roots).transpose()?,
        Mode::VerifyCa | Mode::VerifyFull => Some(root.map_or_else(system_roots, read_roots)?),
    };
    Ok(Some(match (mode, roots) {
        (Mode::VerifyFull, Some(roots)) => builder.with_root_certificates(roots).with_no_client_auth(),
        (_, roots) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Nameless { roots, provider }))
            .with_no_client_auth(),
    }))
}

fn read_roots(path: &Path) -> Result<RootCertStore, UrlFault> {
    let fault = |cause: String| UrlFault::Root {
        path: path.to_owned(),
        cause,
    };
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut roots = RootCertStore::empty();
    let (good, _) = roots.add_parsable_certificates(found.map_err(|cause| fault(cause.to_string()))?);
    if good == 0 {
        return Err(fault("it holds no certificate".to_owned()));
    }
    Ok(roots)
}

fn system_roots() -> Result<RootCertStore, UrlFault> {
    let mut found = SYSTEM_BUNDLES.iter().map(|path| read_roots(Path::new(path)));
    let first = found.next().expect("there are two places");
    found.fold(first, Result::or)
}

/// Looks at a server's authority, or at nothing, and never at its name.
#[derive(Debug)]
struct Nameless {
    roots: Option<RootCertStore>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Nameless {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(roots) = &self.roots {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            let algorithms = self.provider.signature_verification_algorithms.all;
            verify_server_cert_signed_by_trust_anchor(&parsed, roots, intermediates, now, algorithms)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl fmt::Display for UrlFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(bad) => bad.fmt(f),
            Self::Mode(word) => write!(
                f,
                "sslmode={word} is none of disable, prefer, require, verify-ca, verify-full"
            ),
            Self::Unknown(word) => write!(
                f,
                "{word} is not supported; of PostgreSQL's parameters for TLS, sslmode and sslrootcert are"
            ),
            Self::Root { path, cause } => {
                write!(
                    f,
                    "the root certificates in {} cannot be read: {cause}",
                    path.display()
                )
            }
            Self::Library(cause) => write!(f, "TLS cannot be set up: {cause}"),
        }
    }
}

impl std::error::Error for UrlFault {}
