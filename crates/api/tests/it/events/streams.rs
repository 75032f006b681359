//! The streams over real connections.

use crate::support::{Api, Node};
use futures_util::{SinkExt, StreamExt};
use purlin_api::events::routes::{Streams, routes};
use purlin_api::events::{EventSource, LogSource};
use purlin_api::serve::{Plan, Running, Shutdown};
use purlin_telemetry::{Event, EventLog};
use purlin_types::WallTime;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

pub(super) struct Bench {
    pub(super) node: Node,
    api: Api,
    log: Arc<EventLog>,
    address: SocketAddr,
    streams: Streams,
    running: Running,
}

impl Bench {
    pub(super) async fn new(heartbeat: Duration) -> Self {
        let node = Node::new().await;
        let log = Arc::new(EventLog::new(1000, 0));
        let source: Arc<dyn EventSource> = Arc::new(LogSource::new(log.clone()));
        let shutdown = Shutdown::default();
        let streams = Streams::new(source, shutdown.clone(), heartbeat);
        let api = node.api([routes(&streams)]);
        let bound = Plan {
            http: vec!["127.0.0.1:0".parse().unwrap()],
            ..Plan::default()
        }
        .bind()
        .await
        .unwrap();
        let address = bound.http()[0];
        let running = bound.start(&api.router, &axum::Router::new(), shutdown);
        Self {
            node,
            api,
            log,
            address,
            streams,
            running,
        }
    }

    pub(super) fn push(&self, subject: u64) {
        self.log.push(Event::new(
            WallTime(1_000),
            "node",
            "happened",
            subject.to_string(),
            "",
        ));
    }

    async fn sse(&self, query: &str, last: Option<&str>) -> Sse {
        self.sse_as(&self.node.admin, query, last).await
    }

    pub(super) async fn sse_as(&self, token: &str, query: &str, last: Option<&str>) -> Sse {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let last = last
            .map(|id| format!("Last-Event-ID: {id}\r\n"))
            .unwrap_or_default();
        let head = format!(
            "GET /api/v1/events{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{last}\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut sse = Sse(BufReader::new(stream));
        while !sse.line().await.is_empty() {}
        sse
    }

    pub(super) async fn ws(&self, query: &str) -> WebSocketStream<TcpStream> {
        self.ws_as(&self.node.admin, query).await
    }

    pub(super) async fn ws_as(&self, token: &str, query: &str) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let url = format!("ws://x/ws?access_token={token}{query}");
        client_async(url, stream).await.unwrap().0
    }
}

pub(super) struct Sse(BufReader<TcpStream>);

impl Sse {
    async fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).await.unwrap();
        line.trim_end().to_owned()
    }

    /// The next line; `None` at the end.
    pub(super) async fn raw(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.0.read_line(&mut line).await.unwrap();
        // The body comes in chunks, whose sizes are lines of their own.
        (read > 0 && line != "0\r\n").then(|| line.trim_end().to_owned())
    }

    /// The next event's data and id.
    pub(super) async fn next(&mut self) -> (Value, String) {
        let mut id = String::new();
        loop {
            let line = self.line().await;
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ") {
                let data: Value = serde_json::from_str(data).unwrap();
                let own = data["id"].as_str().unwrap().to_owned();
                return (data, if id.is_empty() { own } else { id });
            }
        }
    }
}

pub(super) async fn next(socket: &mut WebSocketStream<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            return serde_json::from_str(&text).unwrap();
        }
    }
}

#[tokio::test]
async fn sse_resumes_behind_the_last_id() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let mut stream = bench.sse("", None).await;
    for n in 0..4 {
        bench.push(n);
    }
    stream.next().await;
    let (second, id) = stream.next().await;
    assert_eq!(
        (second["data"]["subject"].as_str(), second["at"].as_str()),
        (Some("1"), Some("1970-01-01T00:00:01.000Z"))
    );
    drop(stream);
    bench.push(4);
    let mut again = bench.sse("", Some(&id)).await;
    for expected in ["2", "3", "4"] {
        assert_eq!(again.next().await.0["data"]["subject"], expected);
    }
    let mut all = bench.sse("?after=0", None).await;
    assert_eq!(all.next().await.0["data"]["subject"], "0");
}

#[tokio::test]
async fn the_websocket_tells_the_same_and_resumes_by_the_same_ids() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let mut socket = bench.ws("").await;
    for n in 0..3 {
        bench.push(n);
    }
    let first = next(&mut socket).await;
    assert_eq!(
        (first["topic"].as_str(), first["data"]["subject"].as_str()),
        (Some("node"), Some("0"))
    );
    drop(socket);
    let mut again = bench
        .ws(&format!("&after={}", first["id"].as_str().unwrap()))
        .await;
    assert_eq!(next(&mut again).await["data"]["subject"], "1");
    let mut sse = bench.sse("", first["id"].as_str()).await;
    assert_eq!(sse.next().await.0["data"]["subject"], "1");
}

#[tokio::test]
async fn a_websocket_client_changes_its_topics() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let mut socket = bench.ws("&topics=none").await;
    socket.send(Message::text("nonsense")).await.unwrap();
    assert_eq!(next(&mut socket).await["topic"], "error");
    socket
        .send(Message::text(json!({ "topics": ["node"] }).to_string()))
        .await
        .unwrap();
    socket.send(Message::text("nonsense")).await.unwrap();
    assert_eq!(
        next(&mut socket).await["topic"],
        "error",
        "the wish before it has been heard"
    );
    bench.push(1);
    assert_eq!(next(&mut socket).await["data"]["subject"], "1");
}

#[tokio::test]
async fn heartbeats_carry_the_place() {
    let bench = Bench::new(Duration::from_millis(20)).await;
    let mut stream = bench.sse("?topics=none", None).await;
    bench.push(0);
    // The comment line of the heartbeat comes with an id line; sooner or later it is behind the filtered event.
    loop {
        let line = stream.line().await;
        if line.starts_with("id: ") && line.ends_with("-1") {
            break;
        }
    }
}

#[tokio::test]
async fn streams_end_with_the_server() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let mut stream = bench.sse("", None).await;
    let mut socket = bench.ws("").await;
    assert!(
        bench.running.stop(Duration::from_secs(10)).await,
        "nothing had to be cut off"
    );
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(_)))));
    let mut rest = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream.0, &mut rest)
        .await
        .unwrap();
}

#[tokio::test]
async fn streams_may_end_before_the_server_and_none_begins_anew() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let mut socket = bench.ws("").await;
    let mut stream = bench.sse("", None).await;
    let reading = tokio::spawn(async move { while stream.raw().await.is_some() {} });
    let told = tokio::spawn(async move { socket.next().await });
    assert!(bench.streams.end(Duration::from_secs(10)).await);
    assert!(matches!(told.await.unwrap(), Some(Ok(Message::Close(_)))));
    reading.await.unwrap();
    assert_eq!(bench.api.get("/api/v1/events").await.code(), "PUR-9503");
}

#[tokio::test]
async fn bad_tokens_and_plain_requests_get_problems() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    assert_eq!(
        bench.api.get("/api/v1/events?after=nonsense").await.code(),
        "PUR-9407"
    );
    assert_eq!(bench.api.get("/ws").await.code(), "PUR-9400");
    assert_eq!(bench.api.anonymous().get("/ws").await.code(), "PUR-9401");
    assert_eq!(
        bench
            .api
            .anonymous()
            .get("/api/v1/events?access_token=x")
            .await
            .code(),
        "PUR-9402"
    );
}
