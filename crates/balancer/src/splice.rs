//! Two connections joined until one of them ends or both are silent.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Copies both ways. A side that has ended is told to the other, which may go on; after `idle` without an octet either
/// way both are dropped: a peer that lost its power never says that it is gone.
pub(crate) async fn splice(client: &mut TcpStream, backend: &mut TcpStream, idle: Duration) {
    let last = Heard::new();
    let (mut client, mut backend) = (
        Ear {
            stream: client,
            last: &last,
        },
        Ear {
            stream: backend,
            last: &last,
        },
    );
    let copying = copy_bidirectional(&mut client, &mut backend);
    tokio::pin!(copying);
    loop {
        tokio::select! {
            // Which side an error came from is not told, so that nothing can be learnt of the backend.
            _ = &mut copying => return,
            () = tokio::time::sleep_until(last.at() + idle) => {
                if last.at().elapsed() >= idle {
                    return;
                }
            }
        }
    }
}

/// When an octet was last heard.
struct Heard {
    start: Instant,
    millis: AtomicU64,
}

impl Heard {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            millis: AtomicU64::new(0),
        }
    }

    fn at(&self) -> Instant {
        self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }

    fn now(&self) {
        self.millis
            .store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

/// A stream that notes when it was read from; whatever is written to one was read from the other.
struct Ear<'a> {
    stream: &'a mut TcpStream,
    last: &'a Heard,
}

impl AsyncRead for Ear<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut *self.stream).poll_read(cx, buffer))?;
        self.last.now();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Ear<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}
