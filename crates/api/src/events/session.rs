//! A WebSocket that is a session: every event has a number, and the client goes on after the last one it has got,
//! here or at another node.
//!
//! A client may send `{"topics": ["dhcp.lease"]}` to change them, and `{"seen": 17}` so that what it has need not be
//! kept for it.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until, timeout};

use super::follower::Item;
use super::keeper::{self, Opened, SessionKeeper};
use super::routes::Streams;
use super::ws::{MESSAGE_MAX, SEND_TIMEOUT, SILENCE_MAX};
use super::{Follower, Topics};
use crate::standing::{Over, Standing};

/// "Service Restart": the client comes back, to another node (IANA's registry of RFC 6455 close codes).
pub const RESTART: u16 = 1012;
/// The session lives elsewhere or has ended: the client begins anew.
pub const GONE: u16 = 4410;
/// The longest that a client waits before it comes back; the shortest half of that. So that not all come at once.
const DELAY_MAX: Duration = Duration::from_secs(1);
/// How long a client has to answer a close.
const FAREWELL: Duration = Duration::from_secs(1);
/// The registry need not hear of every message.
const TOUCH_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    topics: Option<Vec<String>>,
    seen: Option<u64>,
}

/// A client that has just come.
pub(super) struct Visit {
    pub(super) opened: Opened,
    pub(super) follower: Follower,
    pub(super) standing: Standing,
}

pub(super) fn respond(
    streams: &Streams,
    keeper: Arc<dyn SessionKeeper>,
    upgrade: WebSocketUpgrade,
    visit: Visit,
    permit: OwnedSemaphorePermit,
) -> Response {
    let streams = streams.clone();
    upgrade
        .max_message_size(MESSAGE_MAX)
        .max_frame_size(MESSAGE_MAX)
        .on_upgrade(async move |socket| {
            let mut line = Line::new(socket, streams, keeper, visit);
            let end = line.tell().await;
            line.close(end).await;
            drop(permit);
        })
}

/// How a connection ends.
enum End {
    /// The client said so.
    Done,
    /// Broken, or too slow: the client may come back to where it was.
    Cut,
    /// The client goes on elsewhere; `whole` when this process ends.
    Part {
        whole: bool,
    },
    Gone,
    /// The caller may have no more of it.
    Over(Over),
}

/// What a turn of the loop has brought.
enum Turn {
    Event(Item),
    Heard(Option<Result<Message, axum::Error>>),
    Tick,
    End(End),
}

struct Line {
    socket: WebSocket,
    streams: Streams,
    keeper: Arc<dyn SessionKeeper>,
    follower: Follower,
    id: String,
    generation: u64,
    node: String,
    ttl: Duration,
    /// To be sent before everything else.
    first: Vec<String>,
    over: BoxFuture<'static, keeper::Over>,
    /// When the caller may have no more of it.
    forbidden: BoxFuture<'static, Over>,
    part_at: Option<Instant>,
    /// Told when the client is back over another connection.
    called: Arc<Notify>,
    ticks: Interval,
    silence: u32,
    touched: Instant,
    rotated: Instant,
}

impl Line {
    fn new(socket: WebSocket, streams: Streams, keeper: Arc<dyn SessionKeeper>, visit: Visit) -> Self {
        let Visit {
            opened,
            follower,
            standing,
        } = visit;
        // A client that answers is heard of several times before it would count as silent.
        let mut ticks = interval(streams.heartbeat.min(opened.ttl / 3));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (over, now) = (keeper.over(&opened.id, opened.generation), Instant::now());
        let called = streams.lounge.enter(&opened.id);
        let mut line = Self {
            called,
            socket,
            streams,
            keeper,
            follower,
            id: opened.id,
            generation: opened.generation,
            node: opened.node,
            ttl: opened.ttl,
            first: Vec::new(),
            over,
            forbidden: standing.over().boxed(),
            part_at: None,
            ticks,
            silence: 0,
            touched: now,
            rotated: now,
        };
        line.first.push(line.introduction());
        match opened.replay {
            Ok(events) => line.first.extend(events.iter().map(|(n, body)| numbered(*n, body))),
            Err(newest) => line.first.push(
                json!({ "n": newest, "id": null, "topic": "gap", "at": null, "data": { "missed": null, "reason": "moved" } })
                    .to_string(),
            ),
        }
        line
    }

    /// Tells the client under which id it comes back.
    fn introduction(&self) -> String {
        let data = json!({
            "id": self.id,
            "node": self.node,
            "generation": self.generation,
            "ttl_seconds": self.ttl.as_secs(),
        });
        json!({ "id": null, "topic": "session", "at": null, "data": data }).to_string()
    }

    async fn tell(&mut self) -> End {
        for text in std::mem::take(&mut self.first) {
            if !self.send(Message::Text(text.into())).await {
                return End::Cut;
            }
        }
        loop {
            let going_on = match self.turn().await {
                Turn::End(end) => return end,
                Turn::Event(item) => self.pass_on(&item).await,
                Turn::Heard(message) => self.hear(message).await,
                Turn::Tick => self.tick().await,
            };
            if let Err(end) = going_on {
                return end;
            }
        }
    }

    async fn turn(&mut self) -> Turn {
        let part_at = self.part_at;
        let parting = async {
            match part_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.streams.shutdown.wait() => Turn::End(End::Part { whole: true }),
            () = parting => Turn::End(End::Part { whole: false }),
            () = self.called.notified() => Turn::End(End::Cut),
            over = &mut self.forbidden => Turn::End(End::Over(over)),
            over = &mut self.over, if part_at.is_none() => match over {
                keeper::Over::Gone => Turn::End(End::Gone),
                keeper::Over::Draining(delay) => {
                    self.part_at = Some(Instant::now() + delay);
                    Turn::Tick
                }
            },
            received = self.socket.recv() => Turn::Heard(received),
            _ = self.ticks.tick() => Turn::Tick,
            item = self.follower.next() => Turn::Event(item),
        }
    }

    /// Kept first, then sent: whatever happens on the way, the client can ask for it again.
    async fn pass_on(&mut self, item: &Item) -> Result<(), End> {
        let body = item.to_json().to_string().into_bytes();
        let text = self
            .keeper
            .event(&self.id, body.clone())
            .map(|n| numbered(n, &body));
        let text = text.ok_or(End::Gone)?;
        self.sent(Message::Text(text.into())).await
    }

    async fn hear(&mut self, received: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let Some(Ok(message)) = received else {
            return Err(End::Cut);
        };
        self.silence = 0;
        if self.touched.elapsed() >= TOUCH_EVERY {
            self.touched = Instant::now();
            if !self.keeper.touch(&self.id).await {
                return Err(End::Gone);
            }
        }
        match message {
            Message::Text(text) => self.wish(&text).await,
            Message::Close(_) => Err(End::Done),
            _ => Ok(()),
        }
    }

    async fn wish(&mut self, text: &str) -> Result<(), End> {
        // A wish changes what the session is: one that has moved takes none.
        if !self.keeper.check(&self.id, self.generation) {
            return Err(End::Gone);
        }
        match serde_json::from_str::<Wish>(text) {
            Ok(wish) => {
                if let Some(topics) = wish.topics {
                    self.follower.set_topics(Topics::parse(&topics.join(",")));
                }
                if let Some(number) = wish.seen {
                    self.keeper.seen(&self.id, number);
                }
                Ok(())
            }
            Err(cause) => {
                let reply = json!({ "topic": "error", "data": { "text": cause.to_string() } });
                self.sent(Message::Text(reply.to_string().into())).await
            }
        }
    }

    async fn tick(&mut self) -> Result<(), End> {
        if self.silence > SILENCE_MAX {
            return Err(End::Cut);
        }
        self.silence += 1;
        if self.part_at.is_none() && self.rotated.elapsed() >= self.keeper.rotate_every() {
            self.rotated = Instant::now();
            if let Some((id, generation)) = self.keeper.rotate(&self.id).await {
                self.streams.lounge.leave(&self.id);
                self.called = self.streams.lounge.enter(&id);
                (self.id, self.generation) = (id, generation);
                self.over = self.keeper.over(&self.id, generation);
                let text = self.introduction();
                self.sent(Message::Text(text.into())).await?;
            }
        }
        self.sent(Message::Ping(Vec::new().into())).await
    }

    async fn sent(&mut self, message: Message) -> Result<(), End> {
        if self.send(message).await {
            Ok(())
        } else {
            Err(End::Cut)
        }
    }

    async fn send(&mut self, message: Message) -> bool {
        matches!(timeout(SEND_TIMEOUT, self.socket.send(message)).await, Ok(Ok(())))
    }

    async fn close(mut self, end: End) {
        let frame = match end {
            End::Done => {
                self.streams.lounge.leave(&self.id);
                self.keeper.end(&self.id).await;
                return;
            }
            End::Cut => {
                let (lounge, seat) = (&self.streams.lounge, (self.id, self.generation));
                return lounge.park(&*self.keeper, seat, self.follower);
            }
            End::Over(over) => {
                // Nobody comes back to it by this token.
                self.keeper.end(&self.id).await;
                close(over.close_code(), over.reason())
            }
            End::Gone => close(GONE, "the session lives elsewhere or has ended".to_owned()),
            End::Part { whole } => self.parting(whole).await,
        };
        self.streams.lounge.leave(&self.id);
        self.send(Message::Close(Some(frame))).await;
        self.farewell().await;
    }

    /// Reads on until the client has answered the close: the connection of one that still sends would be reset, and the
    /// close with the way on in it lost (RFC 6455, section 7.1.1).
    async fn farewell(&mut self) {
        let answered = async {
            while let Some(Ok(message)) = self.socket.recv().await {
                if matches!(message, Message::Close(_)) {
                    return;
                }
            }
        };
        // One that does not answer has had its time.
        let _ = timeout(FAREWELL, answered).await;
    }

    async fn parting(&mut self, whole: bool) -> CloseFrame {
        let place = self.follower.shared_place();
        match self.keeper.part(&self.id, &place).await {
            Some(token) => {
                let (code, reason) = way_on(&token);
                close(code, reason)
            }
            None if whole => close(close_code::AWAY, "the server ends".to_owned()),
            None => close(RESTART, "{}".to_owned()),
        }
    }
}

/// Code and reason of a close whose client goes on elsewhere by this token.
#[must_use]
pub fn way_on(token: &str) -> (u16, String) {
    let spread = u64::try_from(DELAY_MAX.as_millis()).expect("a second") / 2;
    let dice = u64::from_ne_bytes(crate::tokens::random_octets());
    let delay = spread + dice % spread;
    // 123 octets are the most that a reason may have (RFC 6455, section 5.5).
    let reason = json!({ "resume": token, "delay_ms": delay });
    (RESTART, reason.to_string())
}

fn close(code: u16, reason: String) -> CloseFrame {
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

/// An event's text with its number in front.
fn numbered(number: u64, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    match body.strip_prefix('{') {
        Some(rest) => format!("{{\"n\":{number},{rest}"),
        // Not of ours; never made by this version.
        None => json!({ "n": number, "topic": "gap", "data": Value::Null }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn a_number_stands_in_front() {
        assert_eq!(numbered(7, br#"{"id":"x"}"#), r#"{"n":7,"id":"x"}"#);
    }
}
