//! Encrypted lines, to a server whose certificate the store can check.

use std::sync::Arc;

use purlin_fabric::port::{ClaimStore, Fault};
use purlin_store_postgres::{Obstacle, Postgres, Settings, Target, obstacle};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use crate::rig::{Server, met, run, settings};

fn trusting(certificates: &[Vec<u8>]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = CertificateDer::from(certificate.clone());
        roots.add(certificate).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[test]
fn a_line_is_encrypted_to_a_server_that_is_trusted_and_to_no_other() {
    if !met() {
        return;
    }
    run(async {
        let server = Server::fresh();
        let certificate = server.encrypt().await;
        let url = format!(
            "postgresql://postgres@127.0.0.1:{}/postgres?sslmode=require",
            server.port()
        );
        let with = |tls| Settings {
            primary: Target::parse(&url).expect("well formed"),
            tls: Some(tls),
            start_patience: Some(std::time::Duration::ZERO),
            ..settings(server.port(), "postgres")
        };
        let store = Postgres::connect(with(trusting(&[certificate])), |_| {}).await;
        let store = store.expect("it is trusted");
        store.probe().await.expect("it answers");
        let watch = server.sql("postgres").await;
        let question = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name = 'purlin'";
        let encrypted = watch.query_one(question, &[]).await.expect("it answers");
        assert!(encrypted.get::<_, bool>(0));
        let patient = Settings {
            start_patience: None,
            ..with(trusting(&[]))
        };
        let refused = Postgres::connect(patient, |_| panic!("waiting does not help")).await;
        let fault = refused.expect_err("trusted without a reason");
        assert_eq!(obstacle(&fault), Obstacle::Certificate, "{fault:?}");
        let Fault::Unusable(cause) = fault else {
            panic!("{fault:?}")
        };
        assert!(cause.to_string().contains("certificate"), "{cause}");
        assert!(cause.to_string().contains(&server.port().to_string()), "{cause}");
    });
}

#[test]
fn a_server_without_tls_is_refused_where_tls_is_demanded() {
    if !met() {
        return;
    }
    run(async {
        let server = Server::shared();
        let url = format!(
            "postgresql://postgres@127.0.0.1:{}/postgres?sslmode=require",
            server.port()
        );
        let demanding = Settings {
            primary: Target::parse(&url).expect("well formed"),
            tls: Some(trusting(&[])),
            ..settings(server.port(), "postgres")
        };
        let refused = Postgres::connect(demanding, |_| panic!("waiting does not help")).await;
        let fault = refused.expect_err("there is none");
        assert_eq!(obstacle(&fault), Obstacle::NoTls, "{fault:?}");
    });
}
