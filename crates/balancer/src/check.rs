//! Active health checks.

use crate::pool::Pool;
use purlin_fabric::balance::BackendId;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A new list of backends is noticed at least this often.
const LOOK: Duration = Duration::from_secs(1);

/// A status line is shorter than this; what follows is not read.
const ANSWER_MAX: u64 = 256;

/// What a backend must do to pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// Accept a connection.
    Tcp,
    /// Answer `GET path` with that status. Plain HTTP: nodes serve `/health/ready` without TLS on their metrics port.
    Http { path: String, status: u16 },
}

/// Probes for as long as it is polled.
pub(crate) async fn watch(pool: Arc<Pool>) {
    let mut probes: JoinSet<(BackendId, Result<(), String>)> = JoinSet::new();
    loop {
        let (due, next) = pool.probes();
        for (id, target) in due {
            let pool = Arc::clone(&pool);
            probes.spawn(async move {
                let probe = tokio::time::timeout(pool.timeout, probe(&pool.check, target));
                let late = |_| Err(format!("{target} has not answered within {:?}", pool.timeout));
                (id, probe.await.unwrap_or_else(late))
            });
        }
        tokio::select! {
            Some(ended) = probes.join_next() => {
                // A probe that panicked would be a fault of ours, not of the backend: nothing is learnt.
                if let Ok((id, result)) = ended {
                    pool.probed(id, result);
                }
            }
            () = tokio::time::sleep(next.unwrap_or(LOOK).clamp(Duration::from_millis(1), LOOK)) => {}
        }
    }
}

async fn probe(check: &Check, target: SocketAddr) -> Result<(), String> {
    let broken = |cause: io::Error| format!("{target}: {cause}");
    let mut stream = TcpStream::connect(target).await.map_err(broken)?;
    let Check::Http { path, status } = check else {
        return Ok(());
    };
    // Version 1.0: the peer closes, and no answer comes in chunks.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {target}\r\nUser-Agent: purlin-front\r\n\r\n");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut answer = Vec::new();
    let mut start = stream.take(ANSWER_MAX);
    start.read_to_end(&mut answer).await.map_err(broken)?;
    match status_of(&answer) {
        Some(found) if found == *status => Ok(()),
        Some(found) => Err(format!("GET {path} at {target} answered {found}, not {status}")),
        None => Err(format!("{target} does not speak HTTP")),
    }
}

/// The status of a status line (RFC 9112, section 4): `HTTP/1.1 200 OK`.
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&octet| octet == b'\r' || octet == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next().filter(|code| code.len() == 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_has_a_status() {
        for (answer, expected) in [
            (&b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"[..], Some(200)),
            (b"HTTP/1.0 503\n", Some(503)),
            (b"HTTP/1.1 20 OK\r\n", None),
            (b"SSH-2.0-OpenSSH", None),
            (b"", None),
            (b"HTTP/1.1 \xff\xff\xff", None),
        ] {
            assert_eq!(status_of(answer), expected, "{}", answer.escape_ascii());
        }
    }
}
