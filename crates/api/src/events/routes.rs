//! `/api/v1/events` and `/ws`.

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::keeper::Opened;
use super::lounge::Lounge;
use super::session::{self, Visit};
use super::{Cursor, EventSource, Follower, SessionKeeper, Topics, sse, ws};
use crate::access::Viewer;
use crate::asked::Asked;
use crate::problem::Problem;
use crate::reasons;
use crate::route::{self, Draft, Routes};
use crate::schema;
use crate::serve::Shutdown;
use crate::standing::Standing;
use crate::tokens::random_octets;

/// Streams that may be open at one time.
pub const STREAMS_MAX: usize = 256;

/// What both kinds of stream need. Clones share it.
#[derive(Clone)]
pub struct Streams {
    source: Arc<dyn EventSource>,
    pub(super) shutdown: Shutdown,
    pub(super) heartbeat: Duration,
    life: u32,
    room: Arc<Semaphore>,
    sessions: Option<Arc<dyn SessionKeeper>>,
    pub(super) lounge: Lounge,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streams({:08x})", self.life)
    }
}

impl Streams {
    /// Streams of `source` that end at `shutdown`, with a sign of life every `heartbeat`.
    #[must_use]
    pub fn new(source: Arc<dyn EventSource>, shutdown: Shutdown, heartbeat: Duration) -> Self {
        let life = u32::from_ne_bytes(random_octets());
        Self {
            source,
            shutdown,
            heartbeat,
            life,
            room: Arc::new(Semaphore::new(STREAMS_MAX)),
            sessions: None,
            lounge: Lounge::default(),
        }
    }

    /// Takes no new streams and ends those that are open, sessions with their way on; returns when all have ended, or after
    /// `patience`. Says whether they have. Whoever stops a node begins with it: a session is handed over while the node
    /// is still one of its cluster.
    pub async fn end(&self, patience: Duration) -> bool {
        self.shutdown.begin();
        let all = u32::try_from(STREAMS_MAX).expect("a few hundred");
        timeout(patience, self.room.acquire_many(all)).await.is_ok()
    }

    /// WebSockets are sessions from now on, where somebody keeps them.
    #[must_use]
    pub fn with_sessions(mut self, keeper: Option<Arc<dyn SessionKeeper>>) -> Self {
        self.sessions = keeper;
        self
    }

    /// The session that a socket asks for: the one it had, or a new one.
    async fn visit(
        &self,
        keeper: &dyn SessionKeeper,
        user: &str,
        (asked, headers): (&Asked, &HeaderMap),
    ) -> Result<(Opened, Follower), Problem> {
        let seen = asked.parsed("seen", "a number of an event")?.unwrap_or(0);
        let topics = Topics::parse(asked.text("topics").unwrap_or_default());
        let after = self.after(asked, headers).await?;
        let (mut opened, stayed) = match (asked.text("resume"), asked.text("session")) {
            (Some(token), _) => (keeper.resume(user, token, seen).await?, false),
            (None, Some(id)) => {
                // Nobody else's connection is ended for it.
                if keeper.is_of(user, id) {
                    self.lounge.call_back(id).await;
                }
                keeper.come_back(user, id, seen).await?
            }
            (None, None) => {
                let opened = keeper.begin(user).await?;
                let follower = Follower::new(Arc::clone(&self.source), self.life, topics, after).await;
                return Ok((opened, follower));
            }
        };
        let parked = asked.text("session").filter(|_| stayed);
        let parked = parked.and_then(|id| self.lounge.take(id));
        let source = Arc::clone(&self.source);
        let follower = match (parked, after) {
            (Some(mut follower), _) => {
                if !topics.is_all() {
                    follower.set_topics(topics);
                }
                follower
            }
            // What was kept for the client is gone, and it knows where it was in what all nodes have.
            (None, Some(after)) if opened.replay.is_err() => {
                opened.replay = Ok(Vec::new());
                Follower::new(source, self.life, topics, Some(after)).await
            }
            (None, _) => Follower::moved(source, self.life, topics, &opened.place, stayed).await,
        };
        Ok((opened, follower))
    }

    async fn follow(&self, asked: &Asked, headers: &HeaderMap) -> Result<Follower, Problem> {
        let topics = Topics::parse(asked.text("topics").unwrap_or_default());
        let after = self.after(asked, headers).await?;
        Ok(Follower::new(Arc::clone(&self.source), self.life, topics, after).await)
    }

    /// Behind which event the client wants to go on.
    async fn after(&self, asked: &Asked, headers: &HeaderMap) -> Result<Option<Cursor>, Problem> {
        let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
        let text = header.or_else(|| asked.text("after"));
        match text.filter(|text| !text.is_empty()) {
            None => Ok(None),
            // Before everything: what is still kept comes first.
            Some("0") => Ok(Some(Cursor::new(self.life, self.source.oldest().await))),
            Some(text) => text.parse::<Cursor>().map(Some).map_err(|()| {
                let detail = format!("{text:?} is no id of an event");
                Problem::new(StatusCode::BAD_REQUEST, &reasons::BAD_CURSOR, detail)
            }),
        }
    }

    fn room(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if self.shutdown.begun() {
            return Err(Problem::not_ready("this node stops: connect to another one"));
        }
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            let detail = format!("{STREAMS_MAX} event streams are open");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, &reasons::TOO_BUSY, detail)
        })
    }
}

async fn events(
    _: Viewer,
    State(streams): State<Streams>,
    asked: Asked,
    headers: HeaderMap,
    standing: Standing,
) -> Result<Response, Problem> {
    let permit = streams.room()?;
    let follower = streams.follow(&asked, &headers).await?;
    Ok(sse::respond(&streams, (follower, standing), permit))
}

async fn socket(
    Viewer(caller): Viewer,
    State(streams): State<Streams>,
    asked: Asked,
    headers: HeaderMap,
    standing: Standing,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|rejection| {
        Problem::new(rejection.status(), &reasons::BAD_REQUEST, rejection.body_text())
    })?;
    let permit = streams.room()?;
    if let Some(keeper) = streams.sessions.clone() {
        let (opened, follower) = streams.visit(&*keeper, &caller.name, (&asked, &headers)).await?;
        let visit = Visit {
            opened,
            follower,
            standing,
        };
        return Ok(session::respond(&streams, keeper, upgrade, visit, permit));
    }
    let follower = streams.follow(&asked, &headers).await?;
    Ok(ws::respond(&streams, upgrade, (follower, standing), permit))
}

/// The two event streams.
#[must_use]
pub fn routes(streams: &Streams) -> Routes {
    let about = "Every event has an id; the id of the last one seen, given as `after` (or as `Last-Event-ID`), \
        resumes behind it without loss or repetition. What has left the server's memory meanwhile is told by an event \
        of topic `gap` with the number `missed` (null when unknown, as after a restart): read the present state \
        again then. Browsers, which cannot set headers here, may send the token as `access_token`. The stream ends with \
        its token or session: with an event `over` that says why, or with the close codes 4401 (log in again) and 4403 (you \
        may not see this any more).";
    let finish = |draft: Draft<Streams>| {
        draft
            .description(about)
            .query(
                "topics",
                schema::string("Comma-separated; a topic includes those below it. All when absent."),
            )
            .query(
                "after",
                schema::string(
                    "Id of the last event seen; 0 begins with the oldest kept; new events only when absent.",
                ),
            )
            .query("access_token", schema::string("The bearer token, for browsers."))
            .errors(&[503])
    };
    let event = schema::reference("Event");
    let drafts = [
        finish(route::get("/api/v1/events", events))
            .summary("Follows events as server-sent events")
            .header("Last-Event-ID", schema::string("Id of the last event seen."))
            .answers_as(200, "text/event-stream", event.clone()),
        finish(route::get("/ws", socket))
            .summary("Follows events over a WebSocket, as a session that moves between nodes")
            .query(
                "resume",
                schema::string("The token of a close with code 1012: goes on at this node."),
            )
            .query(
                "session",
                schema::string("The id of a session whose connection broke."),
            )
            .query(
                "seen",
                schema::count("Number `n` of the last event that the client has got."),
            )
            .errors(&[403, 404, 409, 426])
            .answers_as(101, "application/json", event.clone())
            .answers(200, event),
    ];
    Routes::new("events", streams, drafts).component(
        "Event",
        schema::object(&[
            ("id", schema::string("Resume token.")),
            (
                "topic",
                schema::string("`dhcp.decision`, `config.revision`, `gap`."),
            ),
            (
                "at",
                schema::nullable(schema::formatted("date-time", "When; null for a gap.")),
            ),
            ("data", schema::anything("What happened; depends on the topic.")),
        ]),
    )
}
