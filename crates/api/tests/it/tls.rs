//! Real sockets: plain HTTP, HTTPS with the self-made authority, and a graceful end.

use crate::support::Node;
use axum::routing::get;
use purlin_api::serve::{BindError, Conduct, HandshakeFailure, Plan, Running, Shutdown, Tally};
use purlin_api::tls::TlsFiles;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The ClientHello of OVMF 2022.11.
#[rustfmt::skip]
const OLD_HELLO: [u8; 116] = [
    0x16, 0x03, 0x01, 0x00, 0x6f, 0x01, 0x00, 0x00, 0x6b, 0x03, 0x03, 0xbc, 0xf8, 0x70, 0x99, 0x7c,
    0x54, 0x8d, 0x76, 0x64, 0x41, 0x7c, 0x53, 0xfc, 0x3d, 0x67, 0x68, 0x5a, 0xf2, 0x93, 0x6c, 0x99,
    0x98, 0x85, 0xaf, 0xa7, 0x00, 0x53, 0x0e, 0x88, 0x25, 0xfe, 0x7b, 0x00, 0x00, 0x1a, 0x00, 0x9f,
    0x00, 0x9e, 0x00, 0x6b, 0x00, 0x67, 0x00, 0x39, 0x00, 0x33, 0x00, 0x9d, 0x00, 0x9c, 0x00, 0x3d,
    0x00, 0x3c, 0x00, 0x35, 0x00, 0x2f, 0x00, 0xff, 0x01, 0x00, 0x00, 0x28, 0x00, 0x23, 0x00, 0x00,
    0x00, 0x16, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00, 0x00, 0x0d, 0x00, 0x18, 0x00, 0x16, 0x08, 0x09,
    0x08, 0x0a, 0x08, 0x0b, 0x08, 0x04, 0x08, 0x05, 0x08, 0x06, 0x04, 0x01, 0x05, 0x01, 0x06, 0x01,
    0x03, 0x01, 0x02, 0x01,
];

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

async fn ask<T: AsyncRead + AsyncWrite + Unpin>(stream: &mut T, token: &str) -> String {
    let request = format!(
        "GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn client(ca: &std::path::Path) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn https_is_trusted_by_whoever_trusts_the_authority() {
    let node = Node::new().await;
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        folder: folder.path().to_owned(),
        names: vec!["node-1".into()],
    };
    let tls = files.prepare(jiff::Timestamp::now()).unwrap();
    let plan = Plan {
        https: vec![any()],
        tls: Some(tls),
        ..Plan::default()
    };
    let tally = Arc::new(Tally::new("api"));
    let (told, mut failures) = tokio::sync::mpsc::unbounded_channel();
    let bound = plan.bind().await.unwrap().count(Arc::clone(&tally));
    let bound = bound.failed_handshakes(move |client, why| told.send((client, why)).unwrap());
    let address = bound.https()[0];
    let router = node.api([]).router;
    let running = bound.start(&router, &axum::Router::new(), Shutdown::default());
    for name in ["localhost", "127.0.0.1", "::1", "node-1"] {
        let stream = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from(name).unwrap();
        let mut stream = client(&files.ca()).connect(name, stream).await.unwrap();
        let answer = ask(&mut stream, &node.admin).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("\"admin\""),
            "{answer}"
        );
    }
    assert_eq!(tally.handshakes(), 0);
    let stream = TcpStream::connect(address).await.unwrap();
    let own = stream.local_addr().unwrap();
    assert!(
        client(&files.ca())
            .connect("other.example".try_into().unwrap(), stream)
            .await
            .is_err()
    );
    // 42: bad_certificate, which is how a client says that it is another's.
    assert_eq!(failures.recv().await, Some((own, HandshakeFailure::Alert(42))));
    // What EDK2 offers without elliptic curves: TLS 1.2, key exchange by RSA and DHE alone.
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&OLD_HELLO).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let (_, why) = failures.recv().await.unwrap();
    assert_eq!(why, HandshakeFailure::NothingInCommon);
    drop(TcpStream::connect(address).await.unwrap());
    let (_, why) = failures.recv().await.unwrap();
    assert_eq!((why, tally.handshakes()), (HandshakeFailure::Other, 3));
    assert!(running.stop(Duration::from_secs(10)).await);
}

#[tokio::test]
async fn plain_http_stays_on_loopback_unless_asked() {
    let open: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = Plan {
        http: vec![open],
        ..Plan::default()
    }
    .bind()
    .await;
    assert!(matches!(refused, Err(BindError::RemoteHttp(address)) if address == open));
    assert!(
        Plan {
            http: vec![open],
            allow_remote_http: true,
            ..Plan::default()
        }
        .bind()
        .await
        .is_ok()
    );
}

#[tokio::test]
async fn http_1_0_without_a_host_is_answered() {
    let node = Node::new().await;
    let bound = Plan {
        http: vec![any()],
        ..Plan::default()
    }
    .bind()
    .await
    .unwrap();
    let address = bound.http()[0];
    let _running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /api/v1/explain/9404 HTTP/1.0\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
}

#[tokio::test]
async fn names_of_headers_are_written_as_simple_clients_look_for_them() {
    let node = Node::new().await;
    let (address, _running) = conducted(&node, Conduct::default()).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /api/v1/explain/9404 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = hears(stream, request).await;
    // GRUB compares so, and waits for the end of the connection when it finds none.
    assert!(answer.contains("\r\nContent-Length: "), "{answer}");
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let node = Node::new().await;
    let bound = Plan {
        http: vec![any()],
        ..Plan::default()
    }
    .bind()
    .await
    .unwrap();
    let address = bound.http()[0];
    let running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /api/v1/explain/9404 HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 64];
    assert!(idle.read(&mut some).await.unwrap() > 0);
    assert!(running.stop(Duration::from_secs(10)).await);
    assert!(TcpStream::connect(address).await.is_err());
}

/// Asks for something that needs no login and keeps the connection.
async fn ask_and_stay(address: SocketAddr) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /api/v1/explain/9404 HTTP/1.1\r\nHost: x\r\n\r\n";
    // Closed at once, even writing may fail.
    let _ = stream.write_all(request).await;
    let mut some = [0; 12];
    let read = stream.read(&mut some).await.unwrap_or(0);
    (stream, String::from_utf8_lossy(&some[..read]).into_owned())
}

#[tokio::test]
async fn listeners_that_wait_take_no_place_and_a_full_house_says_so_at_once() {
    let node = Node::new().await;
    let plan = Plan {
        http: vec![any(), any(), any()],
        ..Plan::default()
    };
    let tally = Arc::new(Tally::new("api"));
    let bound = plan
        .bind()
        .await
        .unwrap()
        .connections_max(2)
        .count(Arc::clone(&tally));
    let addresses = bound.http();
    let _running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    let mut open = Vec::new();
    for (n, &address) in addresses.iter().enumerate() {
        let asked = tokio::time::timeout(Duration::from_secs(10), ask_and_stay(address)).await;
        let (stream, answer) = asked.expect("an answer at once");
        assert_eq!(
            answer,
            if n < 2 { "HTTP/1.1 200" } else { "HTTP/1.1 503" },
            "listener {n}"
        );
        open.push(stream);
    }
    assert_eq!(tally.full(), 1);
    open.clear();
    // The place is free once the listener has seen the end.
    let address = addresses[2];
    let served = async { while ask_and_stay(address).await.1 != "HTTP/1.1 200" {} };
    tokio::time::timeout(Duration::from_secs(10), served)
        .await
        .unwrap();
}

/// The whole answer on a connection that the server closes.
async fn hears(mut stream: TcpStream, request: &[u8]) -> String {
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn who_finds_no_place_is_told_when_to_try_again_and_a_flood_is_not_told_for_long() {
    let node = Node::new().await;
    let plan = Plan {
        http: vec![any()],
        ..Plan::default()
    };
    let tally = Arc::new(Tally::new("api"));
    let bound = plan.bind().await.unwrap().connections_max(1);
    let bound = bound.count(Arc::clone(&tally));
    let address = bound.http()[0];
    let _running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    let (_held, answer) = ask_and_stay(address).await;
    assert_eq!(answer, "HTTP/1.1 200");
    // A request larger than what the kernel has taken when the answer leaves must not turn it into a reset.
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "x".repeat(30_000));
    let stream = TcpStream::connect(address).await.unwrap();
    let answer = hears(stream, request.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nRetry-After: 1\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("\r\n\r\ntoo many connections are open; try again\n"),
        "{answer}"
    );
    // Those who say nothing are told and waited for, a few at a time; others are closed.
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut told = 0;
    for stream in silent {
        told += usize::from(!hears(stream, b"").await.is_empty());
    }
    assert!((1..=64).contains(&told), "{told}");
    assert_eq!(tally.full(), 201);
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_bounds_change_while_listening() {
    let node = Node::new().await;
    let plan = Plan {
        http: vec![any()],
        ..Plan::default()
    };
    let tally = Arc::new(Tally::new("api"));
    let bound = plan.bind().await.unwrap().connections_each(1);
    let bound = bound.count(Arc::clone(&tally));
    let address = bound.http()[0];
    let running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    let (_first, answer) = ask_and_stay(address).await;
    assert_eq!(answer, "HTTP/1.1 200");
    assert_eq!(ask_and_stay(address).await.1, "HTTP/1.1 503", "refused at once");
    assert_eq!((tally.crowded(), tally.full()), (1, 0));
    let conduct = Conduct {
        idle: Duration::from_millis(100),
        ..Conduct::default()
    };
    running.change(conduct, 2, 0);
    let (second, answer) = ask_and_stay(address).await;
    assert_eq!(answer, "HTTP/1.1 200", "as many as there are places");
    assert_eq!(ask_and_stay(address).await.1, "HTTP/1.1 503", "and no more");
    assert_eq!((tally.crowded(), tally.full()), (1, 1));
    assert!(
        ends(second).await < Duration::from_secs(20),
        "and it may be idle for as long as is said now"
    );
}

/// A node whose connections are idle and slow for as long as `conduct` says, and its address.
async fn conducted(node: &Node, conduct: Conduct) -> (SocketAddr, Running) {
    let plan = Plan {
        http: vec![any()],
        ..Plan::default()
    };
    let bound = plan.bind().await.unwrap().conduct(conduct);
    let address = bound.http()[0];
    let running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    (address, running)
}

/// How long until the server ends the connection.
async fn ends(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
    began.elapsed()
}

#[tokio::test]
async fn a_kept_connection_is_idle_longer_than_a_head_may_take() {
    let node = Node::new().await;
    let conduct = Conduct {
        idle: Duration::from_secs(3),
        head: Duration::from_millis(200),
        ..Conduct::default()
    };
    let (address, _running) = conducted(&node, conduct).await;
    let (kept, answer) = ask_and_stay(address).await;
    assert_eq!(answer, "HTTP/1.1 200");
    let fresh = TcpStream::connect(address).await.unwrap();
    let (kept, fresh) = tokio::join!(ends(kept), ends(fresh));
    let about = Duration::from_secs(2)..Duration::from_secs(30);
    assert!(
        about.contains(&kept) && about.contains(&fresh),
        "{kept:?} {fresh:?}"
    );
}

#[tokio::test]
async fn a_head_that_does_not_come_on_ends_before_idleness_would() {
    let node = Node::new().await;
    let conduct = Conduct {
        idle: Duration::from_secs(50),
        head: Duration::from_millis(200),
        ..Conduct::default()
    };
    let (address, _running) = conducted(&node, conduct).await;
    let (mut second, _) = ask_and_stay(address).await;
    second.write_all(b"GET / HT").await.unwrap();
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET / HT").await.unwrap();
    let (first, second) = tokio::join!(ends(first), ends(second));
    let soon = Duration::from_secs(25);
    assert!(first < soon && second < soon, "{first:?} {second:?}");
}

#[tokio::test]
async fn a_request_that_takes_long_is_not_idle() {
    let slow = get(|| async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        "slow"
    });
    let conduct = Conduct {
        idle: Duration::from_millis(200),
        head: Duration::from_millis(200),
        ..Conduct::default()
    };
    let plan = Plan {
        http: vec![any()],
        ..Plan::default()
    };
    let bound = plan.bind().await.unwrap().conduct(conduct);
    let address = bound.http()[0];
    let _running = bound.start_site(&axum::Router::new().route("/", slow), Shutdown::default());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("slow"), "{answer}");
}

#[tokio::test]
async fn what_is_refused_before_it_has_a_path_is_counted() {
    let node = Node::new().await;
    let plan = Plan {
        http: vec![any()],
        ..Plan::default()
    };
    let tally = Arc::new(Tally::new("api"));
    let bound = plan.bind().await.unwrap().count(Arc::clone(&tally));
    let address = bound.http()[0];
    let _running = bound.start(&node.api([]).router, &axum::Router::new(), Shutdown::default());
    // hyper measures between reads, so a head may come out somewhat longer than it may be.
    let long = "x".repeat(512 << 10);
    let cases = [
        ("no HTTP at all\r\n\r\n".to_owned(), "400"),
        (format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"), "4"),
        (
            format!("GET / HTTP/1.1\r\nHost: x\r\nLong: {long}\r\n\r\n"),
            "431",
        ),
    ];
    for (n, (request, status)) in cases.into_iter().enumerate() {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let mut head = [0; 12];
        // The rest of a long head that nobody reads may end the connection before its answer is read.
        if stream.read_exact(&mut head).await.is_ok() {
            let head = String::from_utf8_lossy(&head).into_owned();
            assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        }
        let counted = async {
            while tally.garbled() < n as u64 + 1 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), counted)
            .await
            .unwrap();
    }
    assert_eq!(ask_and_stay(address).await.1, "HTTP/1.1 200");
    assert_eq!(tally.garbled(), 3);
}
