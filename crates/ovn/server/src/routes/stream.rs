//! The northbound's transactions as they happen, over server-sent events or a WebSocket.

use crate::platform::Platform;
use crate::stream::{Message, READERS_MAX, Reader};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, stream};
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::serve::Shutdown;
use purlin_api::standing::{Over, Standing};
use purlin_api::{Problem, Viewer, schema};
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long one message may wait for a client that does not read.
const SEND_MAX: Duration = Duration::from_secs(30);
/// How long a client has to answer a close.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) fn drafts() -> [Draft<Platform>; 1] {
    let message = schema::open_object(
        &["event"],
        &[
            ("id", schema::string("The transaction; for `since`.")),
            (
                "event",
                schema::one_of(
                    &["here", "changes", "anew", "over"],
                    "What it is: from where on you follow, what a transaction has changed, that your lists must be read again, or why the stream ends.",
                ),
            ),
            (
                "changes",
                schema::array(schema::anything(
                    "Table, UUID, name, what became of the row, and the columns that differ.",
                )),
            ),
        ],
    );
    [route::get("/api/v1/ovn/stream", follow)
        .summary("Follows the northbound, transaction by transaction, as server-sent events or over a WebSocket")
        .description("Each message is one transaction: `{id, event: changes, changes: [{table, uuid, name, change, columns}]}`, of sets and maps the elements that were removed and added. The first message is `{event: here, id}`: read your lists then, and apply what follows. Whoever comes back with `since` (or `Last-Event-ID`) gets what followed, at any node of a clustered database; `{event: anew, id}` says that this is not kept any more: read your lists again, and go on from there. Within a tenant only its rows are told, and a row that enters or leaves its part comes or goes. The stream ends with its token, session or key: with `{event: over, over: {status, code, detail}}`, or with the close codes 4401 (log in again), 4403 (you may not see this any more) and 4409 (you may see something else now: read your lists again).")
        .query("since", schema::string("The transaction that was seen last: the id of a message."))
        .query("access_token", schema::string("The bearer token, for browsers."))
        .header("Last-Event-ID", schema::string("The same as `since`."))
        .answers_as(200, "text/event-stream", message)
        .errors(&[503])
        .tenants()]
}

async fn follow(
    _: Viewer,
    State(platform): State<Platform>,
    asked: Asked,
    headers: HeaderMap,
    shutdown: Option<Extension<Shutdown>>,
    standing: Standing,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let stream = platform.stream();
    let permit = stream.room.clone().try_acquire_owned().map_err(|_| {
        let detail = format!("{READERS_MAX} streams of changes are open");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            &purlin_api::reasons::TOO_BUSY,
            detail,
        )
    })?;
    // Whoever follows reads lists next.
    platform.north().read().await?;
    stream.begun().await;
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let seen = header.or_else(|| asked.text("since"));
    let (reader, first) = stream.follow(seen, platform.eyes());
    let client = Client {
        reader,
        first,
        ending: ending(
            shutdown.map(|Extension(shutdown)| shutdown).unwrap_or_default(),
            standing,
        ),
        ended: false,
        _permit: permit,
    };
    Ok(match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(|socket| client.tell(socket)),
        Err(_) => client.events(),
    })
}

/// Why a stream ends here.
enum End {
    /// The node does.
    Node,
    /// The client may have no more of it.
    Over(Over),
}

/// Made once for each stream, not for each message.
fn ending(shutdown: Shutdown, standing: Standing) -> BoxFuture<'static, End> {
    async move {
        tokio::select! {
            () = shutdown.wait() => End::Node,
            over = standing.over() => End::Over(over),
        }
    }
    .boxed()
}

struct Client {
    reader: Reader,
    first: Option<Message>,
    ending: BoxFuture<'static, End>,
    ended: bool,
    _permit: OwnedSemaphorePermit,
}

/// What comes next for a client.
enum Turn {
    Messages(Vec<Message>),
    Silence,
    End(End),
}

impl Client {
    async fn turn(&mut self) -> Turn {
        if let Some(first) = self.first.take() {
            return Turn::Messages(vec![first]);
        }
        tokio::select! {
            end = &mut self.ending => Turn::End(end),
            messages = timeout(HEARTBEAT, self.reader.next()) => messages.map_or(Turn::Silence, Turn::Messages),
        }
    }

    fn events(self) -> Response {
        let frames = stream::unfold(self, async |mut client| {
            if client.ended {
                return None;
            }
            let octets: Bytes = match client.turn().await {
                Turn::End(End::Node) => return None,
                Turn::End(End::Over(over)) => {
                    client.ended = true;
                    // Without an id: whoever comes back with another token goes on where it was.
                    let told = json!({ "event": "over", "over": over.to_json() });
                    format!("event: over\ndata: {told}\n\n").into()
                }
                Turn::Silence => Bytes::from_static(b": alive\n\n"),
                Turn::Messages(messages) => match messages.as_slice() {
                    [one] => one.frame().clone(),
                    many => many
                        .iter()
                        .flat_map(|message| message.frame().iter().copied())
                        .collect(),
                },
            };
            Some((Ok::<_, Infallible>(octets), client))
        });
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, Body::from_stream(frames)).into_response()
    }

    /// Until the client goes, is too slow, or the node ends. Whoever was cut off comes back with its last id.
    async fn tell(mut self, mut socket: WebSocket) {
        loop {
            let turn = tokio::select! {
                turn = self.turn() => turn,
                heard = socket.recv() => match heard {
                    Some(Ok(ws::Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                },
            };
            let messages: Vec<ws::Message> = match turn {
                Turn::Messages(messages) => messages
                    .into_iter()
                    .map(|message| ws::Message::Text(message.text().clone()))
                    .collect(),
                Turn::Silence => vec![ws::Message::Ping(Bytes::new())],
                Turn::End(end) => {
                    let (code, reason) = match end {
                        End::Node => (close_code::AWAY, "the node ends".to_owned()),
                        End::Over(over) => (over.close_code(), over.reason()),
                    };
                    let reason = reason.into();
                    vec![ws::Message::Close(Some(CloseFrame { code, reason }))]
                }
            };
            let ends = matches!(messages.last(), Some(ws::Message::Close(_)));
            for message in messages {
                if !matches!(timeout(SEND_MAX, socket.send(message)).await, Ok(Ok(()))) {
                    return;
                }
            }
            if ends {
                farewell(&mut socket).await;
                return;
            }
        }
    }
}

/// Reads on until the client has answered the close: the connection of one that still sends would be reset, and the reason
/// lost (RFC 6455, section 7.1.1).
async fn farewell(socket: &mut WebSocket) {
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    // One that does not answer has had its time.
    let _ = timeout(FAREWELL, answered).await;
}
