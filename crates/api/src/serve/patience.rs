//! How long a connection waits for its client: one time for the next request to begin, another for its head to arrive.
//!
//! ```text
//!   Idle ── first octet ──► Head ── head is whole ──► Busy ── answer is sent ──► Idle
//!    └─ idle passes ─► end   └─ head passes ─► end      └─ the handler's own time
//! ```
//!
//! hyper has one timer for both, which either closes kept connections early or lets a slow head stay.

use axum::body::Body;
use futures_util::task::AtomicWaker;
use hyper::body::{Bytes, Frame, SizeHint};
use hyper::{Response, StatusCode};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Conduct;

/// Whether a request is being answered; known to the connection and to its answers.
#[derive(Debug, Clone, Default)]
pub(super) struct Busy(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    answering: AtomicBool,
    /// Of the connection, which read while an answer was on its way and would not look again by itself.
    reader: AtomicWaker,
}

impl Busy {
    /// The head of a request is whole.
    pub(super) fn begin(&self) {
        self.0.answering.store(true, Ordering::Release);
    }

    /// The same answer; once its body is gone, the connection waits for the next request.
    pub(super) fn until_sent(&self, answer: Response<Body>) -> Response<Body> {
        // What becomes of an upgraded connection is not HTTP's affair any more.
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return answer;
        }
        let over = Over(self.clone());
        answer.map(|inner| Body::new(Sending { inner, _over: over }))
    }
}

#[derive(Debug)]
struct Over(Busy);

impl Drop for Over {
    fn drop(&mut self) {
        let inner = &self.0.0;
        inner.answering.store(false, Ordering::Release);
        inner.reader.wake();
    }
}

/// A body that tells when it is gone.
#[derive(Debug)]
struct Sending {
    inner: Body,
    _over: Over,
}

impl hyper::body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Head,
    Busy,
}

/// A connection whose reading ends with [`io::ErrorKind::TimedOut`] when its client lets it wait too long.
#[derive(Debug)]
pub(super) struct Patient<T> {
    inner: T,
    busy: Busy,
    phase: Phase,
    idle: Duration,
    head: Duration,
    end: Pin<Box<Sleep>>,
}

impl<T> Patient<T> {
    pub(super) fn new(inner: T, conduct: Conduct, busy: Busy) -> Self {
        Self {
            inner,
            busy,
            phase: Phase::Idle,
            idle: conduct.idle,
            head: conduct.head,
            end: Box::pin(tokio::time::sleep(conduct.idle)),
        }
    }

    fn wait(&mut self, phase: Phase, long: Duration) {
        self.phase = phase;
        self.end.as_mut().reset(Instant::now() + long);
    }

    /// Follows what the requests did since the last time.
    fn look(&mut self) {
        match (self.busy.0.answering.load(Ordering::Acquire), self.phase) {
            (true, _) => self.phase = Phase::Busy,
            (false, Phase::Busy) => self.wait(Phase::Idle, self.idle),
            (false, _) => {}
        }
    }

    /// A body is gone once its last octets are in a buffer; a slow client may take a while to fetch them.
    fn wrote(&mut self) {
        self.look();
        if self.phase == Phase::Idle {
            self.wait(Phase::Idle, self.idle);
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = &mut *self;
        me.busy.0.reader.register(cx.waker());
        me.look();
        let before = buffer.filled().len();
        match Pin::new(&mut me.inner).poll_read(cx, buffer) {
            Poll::Ready(result) => {
                if me.phase == Phase::Idle && buffer.filled().len() > before {
                    me.wait(Phase::Head, me.head);
                }
                Poll::Ready(result)
            }
            Poll::Pending if me.phase == Phase::Busy => Poll::Pending,
            Poll::Pending => {
                ready!(me.end.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let me = &mut *self;
        let written = ready!(Pin::new(&mut me.inner).poll_write(cx, octets));
        me.wrote();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = &mut *self;
        let written = ready!(Pin::new(&mut me.inner).poll_write_vectored(cx, parts));
        me.wrote();
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
