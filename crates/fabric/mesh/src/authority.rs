//! The cluster's own certificate authority: made once, used by whichever node issues.

use crate::certificate::{AUTHORITY_DAYS, NODE_DAYS, Validity};
use crate::octets;
use crate::peer::{self, Serial};
use purlin_types::{NodeId, WallTime};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer};
use std::fmt;
use std::time::Duration;

/// Issues certificates of nodes. Its `Debug` does not show the key.
pub struct Authority {
    pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate as it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    pub pem: String,
    pub serial: Serial,
    pub validity: Validity,
}

/// A request for a certificate (PKCS #10, RFC 2986) whose signature proves that its sender has the key.
#[derive(Debug)]
pub struct Csr(CertificateSigningRequestParams);

impl Csr {
    /// The request of whoever holds `key`, in PEM.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn text(key: &KeyPair) -> Result<String, rcgen::Error> {
        let mut params = CertificateParams::default();
        // Which node it is for is not the sender's to say.
        params.distinguished_name = DistinguishedName::new();
        params.serialize_request(key)?.pem()
    }

    /// Reads and checks a request. Only its public key counts.
    ///
    /// # Errors
    /// When it is no request, its signature is wrong, or its key is of a kind that nodes do not use.
    pub fn read(text: &str) -> Result<Self, rcgen::Error> {
        let der = CertificateSigningRequestDer::from_pem_slice(text.as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseCertificationRequest)?;
        let csr = CertificateSigningRequestParams::from_der(&der)?;
        if csr.public_key.algorithm() != &rcgen::PKCS_ECDSA_P256_SHA256 {
            return Err(rcgen::Error::UnsupportedSignatureAlgorithm);
        }
        Ok(Self(csr))
    }
}

impl Authority {
    /// A new one, and its private key in PEM.
    ///
    /// # Errors
    /// When the library cannot make a key.
    pub fn make(now: WallTime) -> Result<(Self, String), rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        // A piece of its key in the name: the authorities of two clusters are told apart.
        let digest = octets::hex(&octets::sha256(key.der_bytes()));
        params.distinguished_name = named(&format!("Purlin cluster {}", &digest[..8]));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_validity(&mut params, &Validity::days(now, AUTHORITY_DAYS));
        let pem = params.self_signed(&key)?.pem();
        let secret = key.serialize_pem();
        Ok((Self::load(&pem, &secret)?, secret))
    }

    /// The one that a certificate and its private key, both in PEM, are.
    ///
    /// # Errors
    /// When one of them is damaged.
    pub fn load(pem: &str, key: &str) -> Result<Self, rcgen::Error> {
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        Ok(Self {
            issuer: Issuer::from_ca_cert_der(&certificate, KeyPair::from_pem(key)?)?,
            pem: pem.to_owned(),
            certificate,
        })
    }

    /// Its certificate in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of its certificate: what a join token pins.
    #[must_use]
    pub fn pin(&self) -> [u8; 32] {
        octets::sha256(&self.certificate)
    }

    /// A certificate for a node, valid from now for 30 days, as server and as client.
    ///
    /// # Errors
    /// When the library cannot sign.
    pub fn issue(&self, id: &NodeId, csr: &Csr, now: WallTime) -> Result<Issued, rcgen::Error> {
        self.issue_for(id, &csr.0.public_key, now)
    }

    pub(crate) fn issue_for(
        &self,
        id: &NodeId,
        key: &impl PublicKeyData,
        now: WallTime,
    ) -> Result<Issued, rcgen::Error> {
        let mut number = octets::random::<16>();
        // Positive and without a leading zero, so that its encoding is these octets.
        number[0] = (number[0] & 0x7f) | 0x40;
        let validity = Validity::days(now, NODE_DAYS);
        let mut params = CertificateParams::default();
        params.distinguished_name = named(id.as_str());
        params.subject_alt_names = vec![SanType::URI(peer::uri(id).try_into()?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params.use_authority_key_identifier_extension = true;
        params.serial_number = Some(SerialNumber::from_slice(&number));
        set_validity(&mut params, &validity);
        Ok(Issued {
            pem: params.signed_by(key, &self.issuer)?.pem(),
            serial: Serial::of(&number),
            validity,
        })
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({})", octets::hex(&self.pin()))
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn set_validity(params: &mut CertificateParams, validity: &Validity) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(validity.not_before);
    params.not_after = epoch + Duration::from_secs(validity.not_after);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Peer;

    const NOW: WallTime = WallTime(1_800_000_000_000);

    fn read(issued: &Issued) -> Peer {
        let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap();
        Peer::read(&der).unwrap()
    }

    #[test]
    fn a_certificate_names_its_node_and_its_number() {
        let (authority, _) = Authority::make(NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        for id in ["node-1", "node4.example.com", "a_b", "UPPER"] {
            let id = NodeId::parse(id).unwrap();
            let csr = Csr::read(&Csr::text(&key).unwrap()).unwrap();
            let issued = authority.issue(&id, &csr, NOW).unwrap();
            let peer = read(&issued);
            assert_eq!((peer.id, peer.serial), (id, issued.serial));
        }
    }

    #[test]
    fn loaded_again_it_is_the_same_authority() {
        let (authority, key) = Authority::make(NOW).unwrap();
        let again = Authority::load(authority.pem(), &key).unwrap();
        assert_eq!(again.pin(), authority.pin());
        assert!(!format!("{authority:?}").contains(&key[40..80]));
    }

    #[test]
    fn a_request_with_a_wrong_signature_is_refused() {
        let text = Csr::text(&KeyPair::generate().unwrap()).unwrap();
        let mut der = CertificateSigningRequestDer::from_pem_slice(text.as_bytes())
            .unwrap()
            .to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        let csr = CertificateSigningRequestParams::from_der(&der.into());
        assert_eq!(
            csr.err(),
            Some(rcgen::Error::InvalidCertificationRequestSignature)
        );
        assert!(Csr::read("no request").is_err());
    }

    #[test]
    fn a_request_cannot_choose_its_own_name() {
        let (authority, _) = Authority::make(NOW).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = vec![SanType::URI("purlin://node/node-9".try_into().unwrap())];
        let csr = Csr::read(&params.serialize_request(&key).unwrap().pem().unwrap()).unwrap();
        let id = NodeId::parse("node-4").unwrap();
        assert_eq!(read(&authority.issue(&id, &csr, NOW).unwrap()).id, id);
    }
}
