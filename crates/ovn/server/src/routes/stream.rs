//! The northbound's transactions as they happen, over server-sent events or a WebSocket.

mod seat;

use crate::platform::Platform;
use crate::stream::{Message, READERS_MAX, Reader};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade, close_code};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, stream};
use purlin_api::asked::Asked;
use purlin_api::events::{GONE, RESTART, way_on};
use purlin_api::route::{self, Draft};
use purlin_api::standing::{Ending, Lasting, Over};
use purlin_api::{Problem, Viewer, schema};
use seat::{Fate, Seat};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};

/// How often a stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Heartbeats without any answer after which a client counts as gone.
const SILENCE_MAX: u32 = 3;
/// How long messages may wait for a client that does not read.
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
                    &["session", "here", "changes", "anew", "over"],
                    "What it is: under which name you come back, from where on you follow, what a transaction has changed, that your lists must be read again, or why the stream ends.",
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
        .description("Each message is one transaction: `{id, event: changes, changes: [{table, uuid, name, change, columns}]}`, of sets and maps the elements that were removed and added. The first message is `{event: here, id}`: read your lists then, and apply what follows. Whoever comes back with `since` (or `Last-Event-ID`) gets what followed, at any node of a clustered database; `{event: anew, id}` says that this is not kept any more: read your lists again, and go on from there. Within a tenant only its rows are told, and a row that enters or leaves its part comes or goes. A stream is a session of the cluster, listed at `/api/v1/cluster/sessions`; a WebSocket whose node drains is closed with 1012 and `{resume, delay_ms}`, and goes on with `resume` at any node. The stream ends with its token, session or key: with `{event: over, over: {status, code, detail}}`, or with the close codes 4401 (log in again), 4403 (you may not see this any more) and 4409 (you may see something else now: read your lists again).")
        .query("since", schema::string("The transaction that was seen last: the id of a message."))
        .query("resume", schema::string("The token of a close with code 1012: goes on at this node."))
        .query("session", schema::string("The id of a session whose connection broke."))
        .query("access_token", schema::string("The bearer token, for browsers."))
        .header("Last-Event-ID", schema::string("The same as `since`."))
        .answers_as(200, "text/event-stream", message)
        .errors(&[403, 404, 409, 503])
        .tenants()]
}

async fn follow(
    Viewer(caller): Viewer,
    State(platform): State<Platform>,
    asked: Asked,
    headers: HeaderMap,
    lasting: Lasting,
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
    let (seat, place) = match lasting.sessions.clone() {
        Some(keeper) => {
            let (seat, place) = Seat::take(keeper, &caller.name, &asked).await?;
            (Some(seat), place)
        }
        None => (None, String::new()),
    };
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let seen = header.or_else(|| asked.text("since")).unwrap_or(&place);
    let seen = Some(seen).filter(|seen| !seen.is_empty());
    if let Some(seen) = seen {
        stream.arrived(seen).await;
    }
    let (reader, first) = stream.follow(seen, platform.eyes());
    let client = Client::new(
        (reader, first),
        (seat, seen.unwrap_or_default()),
        lasting.ending(),
        permit,
    );
    Ok(match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(|socket| client.tell(socket)),
        Err(_) => client.events(),
    })
}

struct Client {
    reader: Reader,
    /// To be told before everything else.
    first: Vec<Message>,
    /// The transaction that was told last.
    place: String,
    seat: Option<Seat>,
    ending: BoxFuture<'static, Ending>,
    ended: bool,
    ticks: Interval,
    _permit: OwnedSemaphorePermit,
}

/// What comes next for a client.
enum Turn {
    Messages(Vec<Message>),
    Tick,
    End(End),
}

/// Why a stream ends here.
enum End {
    /// The node does.
    Node,
    /// The node drains.
    Part,
    /// The session has ended, or lives elsewhere.
    Gone,
    /// The client may have no more of it.
    Over(Over),
}

impl Client {
    fn new(
        (reader, first): (Reader, Option<Message>),
        (seat, seen): (Option<Seat>, &str),
        ending: BoxFuture<'static, Ending>,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        // A client that answers is heard of several times before its session would lapse.
        let every = seat
            .as_ref()
            .map_or(HEARTBEAT, |seat| HEARTBEAT.min(seat.ttl() / 3));
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let introduction = seat.as_ref().map(introduced);
        Self {
            reader,
            first: introduction.into_iter().chain(first).collect(),
            place: seen.to_owned(),
            seat,
            ending,
            ended: false,
            ticks,
            _permit: permit,
        }
    }

    async fn turn(&mut self) -> Turn {
        if !self.first.is_empty() {
            return Turn::Messages(std::mem::take(&mut self.first));
        }
        let Self {
            reader,
            seat,
            ending,
            ticks,
            ..
        } = self;
        let fate = async {
            match seat {
                Some(seat) => seat.fate().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            end = ending => Turn::End(match end {
                Ending::Node => End::Node,
                Ending::Over(over) => End::Over(over),
            }),
            fate = fate => Turn::End(match fate {
                Fate::Gone => End::Gone,
                Fate::Part => End::Part,
            }),
            _ = ticks.tick() => Turn::Tick,
            messages = reader.next() => Turn::Messages(messages),
        }
    }

    /// The client has these.
    fn told(&mut self, messages: &[Message]) {
        let last = messages.iter().rev().find(|message| !message.id().is_empty());
        if let Some(last) = last {
            self.place.clear();
            self.place.push_str(last.id());
        }
    }

    /// The client's session was heard of; `None` when it is not here any more. Its new name, when it has got one.
    async fn heard(&mut self) -> Option<Option<Message>> {
        let Some(seat) = &mut self.seat else {
            return Some(None);
        };
        if !seat.touch().await {
            return None;
        }
        Some(seat.rotate().await.then(|| introduced(seat)))
    }

    fn events(self) -> Response {
        let frames = stream::unfold(self, async |mut client| {
            let octets = client.frames().await?;
            Some((Ok::<_, Infallible>(octets), client))
        });
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, Body::from_stream(frames)).into_response()
    }

    /// What comes next of server-sent events. Whoever was cut off comes back with its last id, and needs no session for it.
    async fn frames(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        let messages = match self.turn().await {
            Turn::Messages(messages) => messages,
            // It is asked for more: the client reads.
            Turn::Tick => match self.heard().await {
                Some(Some(introduction)) => vec![introduction],
                Some(None) => return Some(Bytes::from_static(b": alive\n\n")),
                None => return None,
            },
            Turn::End(end) => {
                self.ended = true;
                if let Some(seat) = &mut self.seat {
                    seat.end().await;
                }
                let End::Over(over) = end else { return None };
                vec![Message::about("over", over.to_json())]
            }
        };
        self.told(&messages);
        Some(match messages.as_slice() {
            [one] => one.frame().clone(),
            many => many
                .iter()
                .flat_map(|message| message.frame().iter().copied())
                .collect(),
        })
    }

    /// Until the client goes, is too slow, or the stream ends here. Whoever was cut off comes back with its last id.
    async fn tell(mut self, mut socket: WebSocket) {
        let mut silence = 0;
        let end = loop {
            let turn = tokio::select! {
                turn = self.turn() => turn,
                heard = socket.recv() => match heard {
                    Some(Ok(ws::Message::Close(_))) => return,
                    Some(Ok(_)) => {
                        silence = 0;
                        match self.heard().await {
                            Some(introduction) => Turn::Messages(introduction.into_iter().collect()),
                            None => Turn::End(End::Gone),
                        }
                    }
                    Some(Err(_)) | None => return self.leave(),
                },
            };
            let sent = match turn {
                Turn::Messages(messages) => {
                    let sent = send(&mut socket, &messages).await;
                    self.told(&messages);
                    sent
                }
                Turn::Tick => {
                    silence += 1;
                    let ping = timeout(SEND_MAX, socket.send(ws::Message::Ping(Bytes::new())));
                    silence <= SILENCE_MAX && matches!(ping.await, Ok(Ok(())))
                }
                Turn::End(end) => break end,
            };
            if !sent {
                return self.leave();
            }
        };
        let (code, reason) = self.close(end).await;
        let reason = reason.into();
        let close = ws::Message::Close(Some(CloseFrame { code, reason }));
        if matches!(timeout(SEND_MAX, socket.send(close)).await, Ok(Ok(()))) {
            farewell(&mut socket).await;
        }
    }

    /// The connection broke: the client may come back to its session.
    fn leave(mut self) {
        if let Some(seat) = &mut self.seat {
            seat.leave();
        }
    }

    /// Code and reason of the close.
    async fn close(&mut self, end: End) -> (u16, String) {
        let node = matches!(end, End::Node);
        let away = (close_code::AWAY, "the node ends".to_owned());
        let Some(seat) = &mut self.seat else {
            return match end {
                End::Over(over) => (over.close_code(), over.reason()),
                _ => away,
            };
        };
        match end {
            End::Over(over) => {
                seat.end().await;
                (over.close_code(), over.reason())
            }
            End::Gone => {
                seat.leave();
                (GONE, "the session lives elsewhere or has ended".to_owned())
            }
            End::Node | End::Part => match seat.part(&self.place).await {
                Some(token) => way_on(&token),
                None if node => away,
                None => (RESTART, "{}".to_owned()),
            },
        }
    }
}

fn introduced(seat: &Seat) -> Message {
    Message::about("session", seat.introduction())
}

/// Written together: one message or many are one call of the system, if the client reads.
async fn send(socket: &mut WebSocket, messages: &[Message]) -> bool {
    let sent = async {
        for message in messages {
            socket.feed(ws::Message::Text(message.text().clone())).await?;
        }
        socket.flush().await
    };
    matches!(timeout(SEND_MAX, sent).await, Ok(Ok(())))
}

/// Reads on until the client has answered the close: the connection of one that still sends would be reset, and the reason
/// lost (RFC 6455, section 7.1.1).
async fn farewell(socket: &mut WebSocket) {
    let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
    // One that does not answer has had its time.
    let _ = timeout(FAREWELL, answered).await;
}
