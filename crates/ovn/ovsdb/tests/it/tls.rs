//! TLS with certificates of both sides, as OVN is run over networks.

use crate::rig::{NB, Rig, is_here, soon, until};
use crate::standalone::switch;
use purlin_ovsdb::client::{Client, Config, Endpoint, Tls};
use std::fs;
use std::path::Path;
use std::process::Command;

fn openssl(folder: &Path, line: &str) {
    let output = Command::new("openssl")
        .args(line.split(' '))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// An authority, and certificates that name nobody, as members reached by address have them.
fn authority(folder: &Path, name: &str, members: &[&str]) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let ca = "-addext basicConstraints=critical,CA:TRUE";
    openssl(
        folder,
        &format!("req -x509 {key} -days 2 -keyout {name}.key -out {name}.pem -subj /CN={name} {ca}"),
    );
    fs::write(
        folder.join("extensions"),
        "extendedKeyUsage=serverAuth,clientAuth\n",
    )
    .unwrap();
    for member in members {
        openssl(
            folder,
            &format!("req {key} -keyout {member}.key -out {member}.csr -subj /CN={member}"),
        );
        let by = format!("-CA {name}.pem -CAkey {name}.key -CAcreateserial");
        openssl(
            folder,
            &format!("x509 -req -in {member}.csr {by} -days 2 -out {member}.pem -extfile extensions"),
        );
    }
}

fn tls(folder: &Path, member: &str, authority: &str) -> Tls {
    let read = |name: String| fs::read(folder.join(name)).unwrap();
    let (certificate, key) = (read(format!("{member}.pem")), read(format!("{member}.key")));
    Tls::from_pem(&certificate, &key, &read(format!("{authority}.pem"))).unwrap()
}

/// The port that the server chose, out of its log.
async fn port(log: &Path) -> u16 {
    let found = || {
        let text = fs::read_to_string(log).ok()?;
        let (_, rest) = text.split_once("listening on port ")?;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    };
    until("the server says its port", || found().is_some()).await;
    found().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sides_show_certificates_of_one_authority() {
    if !is_here() {
        return;
    }
    let pki = tempfile::tempdir().unwrap();
    authority(pki.path(), "ca", &["server", "client"]);
    authority(pki.path(), "other", &["stranger"]);
    let file = |name: &str| pki.path().join(name).display().to_string();
    let extra = [
        "--remote=pssl:0:127.0.0.1".to_owned(),
        format!("--private-key={}", file("server.key")),
        format!("--certificate={}", file("server.pem")),
        format!("--ca-cert={}", file("ca.pem")),
    ];
    let rig = Rig::standalone_of(Path::new(NB), &extra).await;
    let log = rig.servers[0].socket().with_extension("log");
    let endpoint = Endpoint::Ssl("127.0.0.1".to_owned(), port(&log).await);
    let config = || Config::new(crate::rig::DATABASE, vec![endpoint.clone()]);
    let client = Client::start(config().with_tls(tls(pki.path(), "client", "ca")));
    soon("a write over TLS", client.commit(switch("x")))
        .await
        .unwrap();
    let said = |client: &Client, words: &str| {
        client.members()[0]
            .1
            .trouble
            .clone()
            .is_some_and(|t| t.contains(words))
    };
    let fooled = Client::start(config().with_tls(tls(pki.path(), "client", "other")));
    until("a server of another authority is not trusted", || {
        said(&fooled, "cannot connect")
    })
    .await;
    let stranger = Client::start(config().with_tls(tls(pki.path(), "stranger", "ca")));
    until("a client of another authority is not let in", || {
        stranger.members()[0].1.trouble.is_some()
    })
    .await;
    assert!(!stranger.members()[0].1.connected);
    let bare = Client::start(config());
    until("certificates are asked for", || {
        said(&bare, "needs a certificate")
    })
    .await;
}

#[test]
fn a_text_that_is_no_certificate_is_named() {
    let fault = Tls::from_pem(b"x", b"y", b"z").unwrap_err().to_string();
    assert!(fault.contains("client certificate cannot be read"), "{fault}");
}
