//! Streams end with what they rest on: the token that opened them.

use super::streams::{Bench, Sse};
use futures_util::StreamExt;
use purlin_api::access::Role;
use purlin_api::tokens::NewToken;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Longest wait for an end that must come.
const LIMIT: Duration = Duration::from_secs(20);

/// A viewer's token for so long, and both kinds of stream that it has opened.
async fn followed(bench: &Bench, hours: Option<i64>) -> (String, Sse, WebSocketStream<TcpStream>) {
    let end = |hours: i64| bench.node.clock.now() + jiff::SignedDuration::from_hours(hours);
    let new = NewToken {
        name: "reader".into(),
        role: Role::Viewer,
        expires: hours.map(end),
    };
    let (view, text) = bench.node.tokens.create(new).await.unwrap();
    let (sse, socket) = (
        bench.sse_as(text.reveal(), "", None).await,
        bench.ws_as(text.reveal(), "").await,
    );
    (view.id, sse, socket)
}

/// What the close said.
async fn closed(socket: &mut WebSocketStream<TcpStream>) -> (u16, String) {
    let closed = async {
        loop {
            if let Message::Close(frame) = socket.next().await.unwrap().unwrap() {
                let frame = frame.expect("it says why");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    };
    tokio::time::timeout(LIMIT, closed).await.expect("it is closed")
}

/// What the last event said, once nothing comes after it.
async fn over(sse: &mut Sse) -> Value {
    let over = async {
        let mut last = String::new();
        loop {
            match sse.raw().await {
                None => return serde_json::from_str(&last).expect("JSON"),
                Some(line) => {
                    assert!(
                        !line.starts_with("id:"),
                        "who comes back goes on where it was: {line}"
                    );
                    if let Some(data) = line.strip_prefix("data: ") {
                        data.clone_into(&mut last);
                    }
                }
            }
        }
    };
    tokio::time::timeout(LIMIT, over).await.expect("it ends")
}

async fn ends(sse: &mut Sse, socket: &mut WebSocketStream<TcpStream>) {
    let (code, reason) = closed(socket).await;
    assert_eq!(code, 4401, "{reason}");
    assert!(reason.starts_with("PUR-9402: "), "{reason}");
    let over = over(sse).await;
    assert_eq!(
        (&over["topic"], &over["data"]["status"]),
        (&"over".into(), &401.into())
    );
    assert_eq!(over["data"]["code"], "PUR-9402");
}

#[tokio::test]
async fn a_token_that_is_revoked_ends_its_streams_and_no_others() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let mut other = bench.ws("").await;
    let (id, mut sse, mut socket) = followed(&bench, None).await;
    bench.node.tokens.revoke(&id, true).await.unwrap();
    bench.push(1);
    assert_eq!(sse.next().await.0["data"]["subject"], "1", "that was a dry run");
    bench.node.tokens.revoke(&id, false).await.unwrap();
    ends(&mut sse, &mut socket).await;
    bench.push(2);
    for subject in ["1", "2"] {
        assert_eq!(super::streams::next(&mut other).await["data"]["subject"], subject);
    }
}

#[tokio::test]
async fn what_another_node_has_revoked_ends_the_streams_here() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let (id, mut sse, mut socket) = followed(&bench, None).await;
    let elsewhere = purlin_api::tokens::Tokens::open(bench.node.ledger.clone(), bench.node.clock.clone());
    elsewhere.await.unwrap().revoke(&id, false).await.unwrap();
    bench.node.tokens.refresh().await.unwrap();
    ends(&mut sse, &mut socket).await;
}

#[tokio::test]
async fn a_token_whose_time_is_over_ends_its_streams() {
    let bench = Bench::new(Duration::from_secs(60)).await;
    let (_, mut sse, mut socket) = followed(&bench, Some(1)).await;
    bench.node.clock.step(Duration::from_secs(3601));
    ends(&mut sse, &mut socket).await;
}
