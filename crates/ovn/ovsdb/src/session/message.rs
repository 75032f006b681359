//! JSON-RPC 1.0 messages, read and written.
//!
//! Only the envelope is read here. What it carries stays a piece of the received octets, not copied, until someone who
//! knows the tables reads it.

use super::Violation;
use crate::uuid::Uuid;
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The answer to a request: `result`, or `error`, as JSON.
pub type Reply = Result<Bytes, Bytes>;

/// Rows of a monitor changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Whose.
    pub monitor: String,
    /// Up to and with which transaction; only `update3` says it.
    pub txn: Option<Uuid>,
    /// Whether rows come as differences (`update2`, `update3`) or whole (`update`).
    pub differences: bool,
    /// The rows, as JSON: `<table-updates>` or `<table-updates2>`.
    pub tables: Bytes,
}

pub(super) enum Message {
    Request {
        id: Bytes,
        method: String,
        params: Bytes,
    },
    Reply {
        id: u64,
        reply: Reply,
    },
    Update(Update),
    Canceled(String),
    Locked(String),
    Stolen(String),
    Unknown,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

impl Message {
    pub(super) fn parse(frame: &Bytes) -> Result<Self, Violation> {
        let envelope: Envelope<'_> = serde_json::from_slice(frame).map_err(malformed)?;
        let piece =
            |raw: Option<&RawValue>| raw.map_or_else(|| Bytes::from_static(b"null"), |raw| part(frame, raw));
        match (envelope.method, envelope.id) {
            (Some(method), None) => notification(&method, frame, envelope.params),
            (Some(method), Some(id)) => Ok(Self::Request {
                id: part(frame, id),
                method: method.into_owned(),
                params: piece(envelope.params),
            }),
            (None, Some(id)) => {
                let number = id
                    .get()
                    .parse()
                    .map_err(|_| Violation::UnknownReply(short(id.get())))?;
                let reply = match (envelope.error, envelope.result) {
                    (Some(error), _) => Err(part(frame, error)),
                    (None, result) => Ok(piece(result)),
                };
                Ok(Self::Reply { id: number, reply })
            }
            (None, None) => Err(Violation::Malformed("neither a method nor an id".to_owned())),
        }
    }
}

fn notification(method: &str, frame: &Bytes, params: Option<&RawValue>) -> Result<Message, Violation> {
    let params = params.map_or("null", RawValue::get);
    let update = |monitor: Cow<'_, str>, txn, differences, tables: &RawValue| {
        Message::Update(Update {
            monitor: monitor.into_owned(),
            txn,
            differences,
            tables: part(frame, tables),
        })
    };
    Ok(match method {
        "update3" => {
            let (monitor, txn, tables) = read(params)?;
            update(monitor, Some(txn), true, tables)
        }
        "update2" | "update" => {
            let (monitor, tables) = read(params)?;
            update(monitor, None, method == "update2", tables)
        }
        "monitor_canceled" => Message::Canceled(read::<(String,)>(params)?.0),
        "locked" => Message::Locked(read::<(String,)>(params)?.0),
        "stolen" => Message::Stolen(read::<(String,)>(params)?.0),
        _ => Message::Unknown,
    })
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, Violation> {
    serde_json::from_str(json).map_err(malformed)
}

#[expect(clippy::needless_pass_by_value, reason = "map_err hands it over")]
fn malformed(cause: serde_json::Error) -> Violation {
    Violation::Malformed(short(&cause.to_string()))
}

/// What a peer sent must not fill our logs.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// `piece` lies within `frame`.
fn part(frame: &Bytes, piece: &RawValue) -> Bytes {
    frame.slice_ref(piece.get().as_bytes())
}

#[derive(Serialize)]
struct Request<'a, P: Serialize> {
    method: &'a str,
    params: &'a P,
    id: u64,
}

pub(super) fn compose_request(out: &mut BytesMut, id: u64, method: &str, params: &impl Serialize) {
    let request = Request { method, params, id };
    serde_json::to_writer(out.writer(), &request)
        .expect("requests have text keys only, and memory does not fail");
}

/// Answers a request of the peer: an echo with what it carried, anything else with a refusal.
pub(super) fn compose_answer(out: &mut BytesMut, id: &[u8], method: &str, params: &[u8]) {
    out.put_slice(b"{\"id\":");
    out.put_slice(id);
    if method == "echo" {
        out.put_slice(b",\"result\":");
        out.put_slice(params);
        out.put_slice(b",\"error\":null}");
    } else {
        out.put_slice(b",\"result\":null,\"error\":{\"error\":\"unknown method\"}}");
    }
}
