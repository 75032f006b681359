//! Server-sent events (HTML Living Standard, section 9.2).

use axum::response::sse::{Event as Frame, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Follower;
use super::routes::Streams;

struct State {
    streams: Streams,
    follower: Follower,
    _permit: OwnedSemaphorePermit,
}

pub(super) fn respond(streams: &Streams, follower: Follower, permit: OwnedSemaphorePermit) -> Response {
    let state = State {
        streams: streams.clone(),
        follower,
        _permit: permit,
    };
    Sse::new(stream::unfold(state, next)).into_response()
}

async fn next(mut state: State) -> Option<(Result<Frame, Infallible>, State)> {
    let item = tokio::select! {
        () = state.streams.shutdown.wait() => return None,
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
