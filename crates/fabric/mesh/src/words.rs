//! What went wrong on a connection, for people.

use rustls::{AlertDescription, CertificateError, Error as Tls, PeerIncompatible};
use std::error::Error;

/// The cause in one line: what TLS found, where it was TLS, else what the innermost error says.
pub(crate) fn words(error: &(dyn Error + 'static)) -> String {
    let mut next = Some(error);
    let mut last = error.to_string();
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<Tls>() {
            return tls_words(tls);
        }
        // An I/O error may carry another one that `source` does not show.
        if let Some(inner) = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            .and_then(|inner| inner.downcast_ref::<Tls>())
        {
            return tls_words(inner);
        }
        last = error.to_string();
        next = error.source();
    }
    last
}

fn tls_words(error: &Tls) -> String {
    match error {
        Tls::InvalidCertificate(why) => certificate(why),
        Tls::NoCertificatesPresented => "it showed no certificate".to_owned(),
        Tls::AlertReceived(alert) => refused(*alert),
        Tls::NoApplicationProtocol => "it speaks no language of nodes".to_owned(),
        Tls::InvalidMessage(_) => "what it says is no TLS".to_owned(),
        Tls::PeerIncompatible(PeerIncompatible::SupportedVersionsExtensionRequired) => {
            "it does not speak TLS 1.3".to_owned()
        }
        other => other.to_string(),
    }
}

/// What this side finds wrong with the other's certificate.
fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet: see the clocks of both machines".to_owned()
        }
        CertificateError::Revoked => "its certificate is revoked: the node was removed".to_owned(),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is from another authority: it belongs to another cluster".to_owned()
        }
        CertificateError::Other(what) => what.0.to_string(),
        other => format!("its certificate is no node's: {other:?}"),
    }
}

/// What the other side finds wrong with this one's.
fn refused(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateExpired => "it says that this node's certificate has expired",
        AlertDescription::CertificateRevoked => {
            "it says that this node's certificate is revoked: this node was removed"
        }
        AlertDescription::UnknownCA | AlertDescription::DecryptError => {
            "it does not know the authority of this node's certificate: it belongs to another cluster"
        }
        AlertDescription::CertificateRequired => "it wants a certificate",
        AlertDescription::NoApplicationProtocol => "it speaks no language of nodes",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => "it does not take this node's certificate",
        other => return format!("it refused the connection ({other:?})"),
    }
    .to_owned()
}
