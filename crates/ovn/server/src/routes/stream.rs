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
use futures_util::stream;
use purlin_api::asked::Asked;
use purlin_api::route::{self, Draft};
use purlin_api::serve::Shutdown;
use purlin_api::{Problem, Viewer, schema};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long one message may wait for a client that does not read.
const SEND_MAX: Duration = Duration::from_secs(30);

pub(super) fn drafts() -> [Draft<Platform>; 1] {
    let message = schema::open_object(
        &["id", "event"],
        &[
            ("id", schema::string("The transaction; for `since`.")),
            (
                "event",
                schema::one_of(
                    &["here", "changes", "anew"],
                    "What it is: from where on you follow, what a transaction has changed, or that your lists must be read again.",
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
        .description("Each message is one transaction: `{id, event: changes, changes: [{table, uuid, name, change, columns}]}`, of sets and maps the elements that were removed and added. The first message is `{event: here, id}`: read your lists then, and apply what follows. Whoever comes back with `since` (or `Last-Event-ID`) gets what followed, at any node of a clustered database; `{event: anew, id}` says that this is not kept any more: read your lists again, and go on from there. Within a tenant only its rows are told, and a row that enters or leaves its part comes or goes.")
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
        shutdown: shutdown.map(|Extension(shutdown)| shutdown).unwrap_or_default(),
        _permit: permit,
    };
    Ok(match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(|socket| client.tell(socket)),
        Err(_) => client.events(),
    })
}

struct Client {
    reader: Reader,
    first: Option<Message>,
    shutdown: Shutdown,
    _permit: OwnedSemaphorePermit,
}

/// What comes next for a client.
enum Turn {
    Messages(Vec<Message>),
    Silence,
    End,
}

impl Client {
    async fn turn(&mut self) -> Turn {
        if let Some(first) = self.first.take() {
            return Turn::Messages(vec![first]);
        }
        tokio::select! {
            () = self.shutdown.wait() => Turn::End,
            messages = timeout(HEARTBEAT, self.reader.next()) => messages.map_or(Turn::Silence, Turn::Messages),
        }
    }

    fn events(self) -> Response {
        let frames = stream::unfold(self, async |mut client| {
            let octets: Bytes = match client.turn().await {
                Turn::End => return None,
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
                Turn::End => {
                    let going = CloseFrame {
                        code: close_code::AWAY,
                        reason: "the node ends".into(),
                    };
                    vec![ws::Message::Close(Some(going))]
                }
            };
            let ends = matches!(messages.last(), Some(ws::Message::Close(_)));
            for message in messages {
                if !matches!(timeout(SEND_MAX, socket.send(message)).await, Ok(Ok(()))) {
                    return;
                }
            }
            if ends {
                return;
            }
        }
    }
}
