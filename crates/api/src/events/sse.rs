//! Server-sent events (HTML Living Standard, section 9.2).

use axum::response::sse::{Event as Frame, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream;
use serde_json::json;
use std::convert::Infallible;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Follower;
use super::routes::Streams;
use crate::standing::{Over, Standing};

struct State {
    streams: Streams,
    follower: Follower,
    /// `None` once the client was told.
    over: Option<BoxFuture<'static, Over>>,
    _permit: OwnedSemaphorePermit,
}

pub(super) fn respond(
    streams: &Streams,
    (follower, standing): (Follower, Standing),
    permit: OwnedSemaphorePermit,
) -> Response {
    let state = State {
        streams: streams.clone(),
        follower,
        over: Some(standing.over().boxed()),
        _permit: permit,
    };
    Sse::new(stream::unfold(state, next)).into_response()
}

async fn next(mut state: State) -> Option<(Result<Frame, Infallible>, State)> {
    let over = state.over.as_mut()?;
    let item = tokio::select! {
        () = state.streams.shutdown.wait() => return None,
        over = over => {
            state.over = None;
            let told = json!({ "id": null, "topic": "over", "at": null, "data": over.to_json() });
            // Without an id: whoever comes back with another token goes on where it was.
            return Some((Ok(Frame::default().event("over").data(told.to_string())), state));
        }
        item = timeout(state.streams.heartbeat, state.follower.next()) => item,
    };
    let frame = match item {
        Ok(item) => {
            let frame = Frame::default().id(&item.id).event(&item.topic);
            frame.data(item.to_json().to_string())
        }
        // An id without data moves the browser's Last-Event-ID on and wakes nobody.
        Err(_) => Frame::default().comment("heartbeat").id(state.follower.token()),
    };
    Some((Ok(frame), state))
}
