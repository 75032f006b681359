//! A connection that is up: reads, writes and watches until one side ends it, in one task.

use crate::frame::{Frame, FrameError, Joiner};
use crate::line::{Line, Traffic};
use crate::meeting::{linger, theirs};
use crate::shared::Seat;
use crate::{Events, Settings};
use std::pin::pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsStream;

type Reader = ReadHalf<TlsStream<TcpStream>>;
type Writer = WriteHalf<TlsStream<TcpStream>>;

/// For the farewell, and what of a frame is before it, to go out.
const FAREWELL: Duration = Duration::from_secs(2);
/// For what the other side said before it cut the connection.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves the connection until it ends, and vacates the seat.
pub(crate) async fn run(seat: Seat, stream: TlsStream<TcpStream>) {
    let (mut reader, mut writer) = split(stream);
    let line = &*seat.line;
    let shared = &*seat.shared;
    let pulse = Pulse::new();
    let mut write = pin!(write(&mut writer, line, shared.settings.pace.silence));
    let (end, all_sent) = {
        let mut read = pin!(read(&mut reader, line, &shared.events, &shared.settings, &pulse));
        let end = tokio::select! {
            end = &mut read => end,
            why = line.until_end() => End::Ours(why),
            why = watch(line, &shared.settings, &pulse) => End::Ours(why),
            why = &mut write => End::Cut(why),
        };
        let all_sent = matches!(end, End::Cut(_));
        let end = match (line.ending(), end) {
            // What this side wants to end ends for its reason, though the farewell may be out already and answered.
            (Some(why), _) => End::Ours(why),
            // The other side may have said why, and that is worth more than that the connection is cut.
            (None, End::Cut(why)) => match timeout(LAST_WORDS, read).await {
                Ok(End::Theirs(said)) => End::Theirs(said),
                _ => End::Theirs(why),
            },
            (None, other) => other,
        };
        (end, all_sent)
    };
    let (End::Ours(why) | End::Theirs(why) | End::Cut(why)) = &end;
    seat.leave(why);
    if let End::Ours(why) = &end {
        line.end(why);
        if !all_sent {
            // The frame that is being written has to be finished, or the farewell would be taken for a part of it.
            let _ = timeout(FAREWELL, write).await;
        }
        linger(&mut reader).await;
    }
}

enum End {
    /// This side ends it, and tells why.
    Ours(String),
    /// The other side ended it or broke it.
    Theirs(String),
    /// Nothing can be sent any more.
    Cut(String),
}

async fn read(reader: &mut Reader, line: &Line, events: &Events, settings: &Settings, pulse: &Pulse) -> End {
    let mut joiner = Joiner::new(settings.message_max);
    loop {
        let frame = match Frame::read(reader).await {
            Ok(frame) => frame,
            Err(error @ (FrameError::Kind(_) | FrameError::Length { .. })) => {
                return End::Ours(error.to_string());
            }
            Err(error) => return End::Theirs(error.to_string()),
        };
        pulse.heard();
        Traffic::add(&line.traffic.octets_in, frame.octets());
        let taken = match frame {
            Frame::Whole(octets) => whole(line, events, settings, octets),
            Frame::Begin(length) => joiner.begin(length),
            Frame::Part(octets) => joiner.part(&octets).map(|message| {
                if let Some(message) = message {
                    line.deliver(message, &**events);
                }
            }),
            Frame::Ping(number) => {
                line.lanes.pong(number);
                Ok(())
            }
            Frame::Pong(number) => {
                pulse.answered(number, line);
                Ok(())
            }
            Frame::Farewell(why) => return End::Theirs(theirs(&why)),
            Frame::Hello(_) | Frame::Welcome => Err("it greeted twice".to_owned()),
        };
        if let Err(why) = taken {
            return End::Ours(why);
        }
        // A peer that always has something to say must not keep the others of this thread waiting.
        tokio::task::consume_budget().await;
    }
}

fn whole(line: &Line, events: &Events, settings: &Settings, octets: bytes::Bytes) -> Result<(), String> {
    if octets.len() > settings.message_max {
        let (length, most) = (octets.len(), settings.message_max);
        return Err(format!(
            "it sent a message of {length} octets (at most {most} are taken)"
        ));
    }
    line.deliver(octets, &**events);
    Ok(())
}

/// Returns when nothing more can or shall be sent.
async fn write(writer: &mut Writer, line: &Line, silence: Duration) -> String {
    while let Some(frame) = line.lanes.next().await {
        match timeout(silence, frame.write(writer)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return crate::words::io(&error),
            Err(_) => return format!("it took nothing for {silence:?}"),
        }
        Traffic::add(&line.traffic.octets_out, frame.octets());
        if matches!(frame, Frame::Whole(_) | Frame::Begin(_)) {
            Traffic::add(&line.traffic.messages_out, 1);
        }
    }
    let _ = writer.shutdown().await;
    "ended".to_owned()
}

/// Pings; returns when nothing comes any more. Silence is counted in pings: when this machine itself stood still, that
/// says nothing of the peer, whose words wait to be read.
async fn watch(line: &Line, settings: &Settings, pulse: &Pulse) -> String {
    let (ping, silence) = (settings.pace.ping, settings.pace.silence);
    let mut ticks = interval(ping);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut silent = Duration::ZERO;
    loop {
        ticks.tick().await;
        silent = match pulse.was_heard() {
            true => Duration::ZERO,
            false => silent + ping,
        };
        if silent > silence {
            return format!("nothing came from it for {silence:?}");
        }
        if let Some(number) = pulse.ping() {
            line.lanes.ping(number);
        }
    }
}

/// Whether something whole came lately, and which ping is not answered yet.
struct Pulse(Mutex<Beats>);

struct Beats {
    heard: bool,
    number: u64,
    asked: Option<Instant>,
}

impl Pulse {
    fn new() -> Self {
        Self(Mutex::new(Beats {
            heard: true,
            number: 0,
            asked: None,
        }))
    }

    fn beats(&self) -> std::sync::MutexGuard<'_, Beats> {
        self.0.lock().expect("no thread panics with it")
    }

    fn heard(&self) {
        self.beats().heard = true;
    }

    /// Since this was asked last.
    fn was_heard(&self) -> bool {
        std::mem::take(&mut self.beats().heard)
    }

    /// The number of a new ping; `None`: the last is not answered yet.
    fn ping(&self) -> Option<u64> {
        let mut beats = self.beats();
        if beats.asked.is_some() {
            return None;
        }
        beats.asked = Some(Instant::now());
        beats.number += 1;
        Some(beats.number)
    }

    fn answered(&self, number: u64, line: &Line) {
        let mut beats = self.beats();
        if beats.number == number
            && let Some(asked) = beats.asked.take()
        {
            line.traffic.round_trip(asked.elapsed());
        }
    }
}
