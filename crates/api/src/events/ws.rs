//! The same events over a WebSocket (RFC 6455). A client may send `{"topics": ["dhcp.lease"]}` to change them.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::routes::Streams;
use super::{Follower, Topics};
use crate::standing::Standing;

/// Largest message of a client, in octets.
pub(super) const MESSAGE_MAX: usize = 4096;
/// Heartbeats without any answer after which a client counts as gone.
pub(super) const SILENCE_MAX: u32 = 3;
/// How long one message may wait for a client that does not read.
pub(super) const SEND_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    topics: Vec<String>,
}

pub(super) fn respond(
    streams: &Streams,
    upgrade: WebSocketUpgrade,
    (follower, standing): (Follower, Standing),
    permit: OwnedSemaphorePermit,
) -> Response {
    let streams = streams.clone();
    upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .on_upgrade(async move |socket| {
            tell(socket, follower, standing, &streams).await;
            drop(permit);
        })
}

/// Until the client goes, is too slow, or the server ends. Whoever was cut off resumes with its last id.
async fn tell(mut socket: WebSocket, mut follower: Follower, standing: Standing, streams: &Streams) {
    let mut silence = 0;
    let mut over = std::pin::pin!(standing.over());
    loop {
        let message = tokio::select! {
            () = streams.shutdown.wait() => {
                let going = CloseFrame { code: close_code::AWAY, reason: "the server ends".into() };
                let _ = timeout(SEND_TIMEOUT, socket.send(Message::Close(Some(going)))).await;
                return;
            }
            over = &mut over => {
                let going = CloseFrame { code: over.close_code(), reason: over.reason().into() };
                let _ = timeout(SEND_TIMEOUT, socket.send(Message::Close(Some(going)))).await;
                return;
            }
            received = socket.recv() => match heard(received, &mut follower) {
                Some(reply) => { silence = 0; reply }
                None => return,
            },
            item = timeout(streams.heartbeat, follower.next()) => match item {
                Ok(item) => Some(Message::Text(item.to_json().to_string().into())),
                Err(_) if silence >= SILENCE_MAX => return,
                Err(_) => { silence += 1; Some(Message::Ping(Vec::new().into())) }
            },
        };
        let Some(message) = message else { continue };
        match timeout(SEND_TIMEOUT, socket.send(message)).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}

/// `None` ends the connection; `Some(None)` goes on without a word.
fn heard(received: Option<Result<Message, axum::Error>>, follower: &mut Follower) -> Option<Option<Message>> {
    match received? {
        Ok(Message::Text(text)) => match serde_json::from_str::<Wish>(&text) {
            Ok(wish) => {
                follower.set_topics(Topics::parse(&wish.topics.join(",")));
                Some(None)
            }
            Err(cause) => {
                let reply = serde_json::json!({ "topic": "error", "data": { "text": cause.to_string() } });
                Some(Some(Message::Text(reply.to_string().into())))
            }
        },
        Ok(Message::Close(_)) | Err(_) => None,
        Ok(_) => Some(None),
    }
}
