//! What a client hears for whom there is no place.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Refusals of one listener that may be on their way; who comes beyond them finds the connection closed.
const AT_ONCE: usize = 64;
/// How long a client may take to read its refusal and to hang up.
const PATIENCE: Duration = Duration::from_secs(1);
/// Octets of its request that are waited for.
const REQUEST_MAX: u64 = 64 << 10;

const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    Connection: close\r\n\
    Retry-After: 1\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 41\r\n\
    \r\n\
    too many connections are open; try again\n";

/// The refusals of one listener: few at a time, so that a flood of connections gains nothing by being told.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    told: JoinSet<()>,
}

impl Refusals {
    /// Tells the client of a plain connection that it may try again, if there is room for that.
    pub(super) fn tell(&mut self, stream: TcpStream) {
        while self.told.try_join_next().is_some() {}
        if self.told.len() < AT_ONCE {
            self.told.spawn(async move {
                // Whether it listens is its own affair.
                let _ = tokio::time::timeout(PATIENCE, tell(stream)).await;
            });
        }
    }
}

async fn tell(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(ANSWER).await?;
    stream.shutdown().await?;
    // A connection that is closed with octets unread is reset, and the reset may overtake the answer.
    let mut rest = stream.take(REQUEST_MAX);
    tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ANSWER;

    #[test]
    fn the_length_is_that_of_the_words() {
        let answer = std::str::from_utf8(ANSWER).unwrap();
        let (head, words) = answer.split_once("\r\n\r\n").unwrap();
        assert!(
            head.ends_with(&format!("\r\nContent-Length: {}", words.len())),
            "{head}"
        );
    }
}
