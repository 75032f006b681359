//! Servers that lie, hang or never end: the client stays whole, says what is wrong, and goes on elsewhere.

use crate::rig::{Rig, is_here, soon, until};
use crate::standalone::switch;
use purlin_ovsdb::client::{Client, CommitError, Config, Endpoint, Spec, TableSpec};
use purlin_ovsdb::session::Limits;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Takes every connection and treats it so.
async fn server<F: Future<Output = ()> + Send + 'static>(
    treat: impl Fn(TcpStream) -> F + Send + 'static,
) -> Endpoint {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    Endpoint::Tcp("127.0.0.1".to_owned(), port)
}

fn config(endpoints: Vec<Endpoint>) -> Config {
    let mut config = Config::new("OVN_Northbound", endpoints);
    config.connect_timeout = Duration::from_millis(300);
    config.limits = Limits {
        message_max: 1 << 20,
        depth_max: 64,
    };
    config
}

async fn trouble(client: &Client, words: &str) {
    let said = || {
        client.members()[0]
            .1
            .trouble
            .clone()
            .is_some_and(|trouble| trouble.contains(words))
    };
    until(words, said).await;
    assert!(!client.members()[0].1.connected);
}

/// What it says when it is asked anything.
async fn answers(text: &'static str) -> Client {
    let endpoint = server(move |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.read(&mut [0; 4096]).await;
    });
    Client::start(config(vec![endpoint.await]))
}

#[tokio::test]
async fn what_is_no_ovsdb_is_named() {
    trouble(&answers("HTTP/1.1 400 Bad Request\r\n\r\n").await, "octet 0x48").await;
    trouble(
        &answers(r#"{"id":99,"result":[],"error":null}"#).await,
        "never sent",
    )
    .await;
    trouble(
        &answers(r#"{"id":1,"result":"no schema","error":null}"#).await,
        "cannot be used",
    )
    .await;
    trouble(
        &answers(r#"{"id":1,"result":null,"error":{"error":"unknown database"}}"#).await,
        "unknown database",
    )
    .await;
    trouble(&answers("").await, "does not answer").await;
}

/// Who has not even said a schema gets less than a server that holds a large database.
#[tokio::test]
async fn a_stranger_gets_little_memory_however_much_a_server_may_have() {
    let endless = server(|mut stream| async move {
        let _ = stream.write_all(b"{\"x\":\"").await;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    });
    let client = Client::start(Config::new("OVN_Northbound", vec![endless.await]));
    trouble(&client, "more than 4194304 octets").await;
}

/// Answers to what a server asks wait until it takes them; nobody's memory is the place for that.
#[tokio::test]
async fn who_asks_for_ever_and_takes_no_answer_is_given_up() {
    let asking = server(|mut stream| async move {
        let carried = "1,".repeat(2000);
        let echo = format!(r#"{{"id":"e","method":"echo","params":[{carried}1]}}"#);
        while stream.write_all(echo.as_bytes()).await.is_ok() {}
    });
    let mut config = config(vec![asking.await]);
    config.connect_timeout = Duration::from_secs(30);
    trouble(&Client::start(config), "does not take the answers").await;
}

#[tokio::test]
async fn a_message_without_an_end_costs_no_more_than_the_limit() {
    let endless = server(|mut stream| async move {
        let _ = stream.write_all(b"{\"x\":\"").await;
        while stream.write_all(&[b'x'; 8192]).await.is_ok() {}
    });
    let client = Client::start(config(vec![endless.await]));
    trouble(&client, "more than 1048576 octets").await;
    let deep = server(|mut stream| async move { while stream.write_all(b"{\"x\":[").await.is_ok() {} });
    let client = Client::start(config(vec![deep.await]));
    trouble(&client, "nests deeper").await;
}

#[tokio::test]
async fn nobody_to_write_to_is_said_in_time() {
    let client = Client::start(config(vec![Endpoint::Tcp("127.0.0.1".to_owned(), 1)]));
    let answer = client
        .commit_within(switch("x"), Duration::from_millis(200))
        .await;
    assert_eq!(answer, Err(CommitError::Unreachable(Duration::from_millis(200))));
    trouble(&client, "cannot connect").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_good_server_among_bad_ones_is_enough() {
    if !is_here() {
        return;
    }
    let rig = Rig::standalone().await;
    let hangs = server(|stream| async move {
        let _kept = stream;
        std::future::pending::<()>().await;
    });
    let garbage = server(|mut stream| async move { while stream.write_all(&[0xff; 99]).await.is_ok() {} });
    let mut endpoints = vec![hangs.await, garbage.await];
    endpoints.extend(rig.endpoints());
    let client = Client::start(config(endpoints));
    let replica = client.replicate(Spec::new().table("Logical_Switch", TableSpec::all()));
    soon("a write", client.commit(switch("x"))).await.unwrap();
    soon(
        "a row",
        replica.when(|s| s.table("Logical_Switch").is_some_and(|table| table.len() == 1)),
    )
    .await;
    assert_eq!(client.leader(), Some(2));
}
