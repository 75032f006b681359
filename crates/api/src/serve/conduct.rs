//! How connections are treated: what an API needs, unless a service says otherwise.

use rustix::net::sockopt;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long a connection is silent before the peer is probed, how often then, and how many probes may stay
/// without an answer (RFC 9293, section 3.8.4).
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEPALIVE_PROBES: u32 = 3;
/// How long sent octets may stay unacknowledged, in milliseconds (RFC 5482).
const UNACKNOWLEDGED_MS: u32 = 60_000;

/// The treatment of every connection of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conduct {
    /// Send at once what there is (`TCP_NODELAY`): answers are small, and waiting for more octets only adds latency.
    pub nodelay: bool,
    /// Let the kernel notice peers that vanished, so that idle connections do not hold their place for ever.
    pub keepalive: bool,
    /// How long a connection is kept on which no request begins.
    pub idle: Duration,
    /// How long the head of a request may take from its first octet on.
    pub head: Duration,
    /// A connection takes no further request once it is this old; zero is never.
    pub lifetime: Duration,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            nodelay: true,
            keepalive: true,
            idle: Duration::from_secs(30),
            head: Duration::from_secs(30),
            lifetime: Duration::ZERO,
        }
    }
}

impl Conduct {
    /// Sets the options of a new connection. Where one is not to be had, the connection works without it.
    pub(super) fn apply(self, stream: &TcpStream) {
        let _ = stream.set_nodelay(self.nodelay);
        let _ = sockopt::set_socket_keepalive(stream, self.keepalive);
        if self.keepalive {
            let _ = sockopt::set_tcp_keepidle(stream, KEEPALIVE_IDLE);
            let _ = sockopt::set_tcp_keepintvl(stream, KEEPALIVE_EVERY);
            let _ = sockopt::set_tcp_keepcnt(stream, KEEPALIVE_PROBES);
        }
        let _ = sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED_MS);
    }

    /// Returns when a connection has lived long enough.
    pub(super) async fn end_of_life(self) {
        if self.lifetime.is_zero() {
            return std::future::pending().await;
        }
        tokio::time::sleep(self.lifetime).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn accepted(conduct: Conduct) -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        conduct.apply(&stream);
        (stream, client)
    }

    #[tokio::test]
    async fn s2_20_s2_21_vanished_peers_are_noticed_within_a_minute() {
        let (stream, _client) = accepted(Conduct::default()).await;
        assert!(sockopt::socket_keepalive(&stream).unwrap());
        let idle = sockopt::tcp_keepidle(&stream).unwrap();
        let probes = sockopt::tcp_keepcnt(&stream).unwrap();
        let whole = idle + sockopt::tcp_keepintvl(&stream).unwrap() * probes;
        assert_eq!(whole, Duration::from_secs(60));
        assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), UNACKNOWLEDGED_MS);
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn s2_20_s2_21_options_that_are_switched_off_stay_off() {
        let conduct = Conduct {
            nodelay: false,
            keepalive: false,
            ..Conduct::default()
        };
        let (stream, _client) = accepted(conduct).await;
        assert!(!stream.nodelay().unwrap() && !sockopt::socket_keepalive(&stream).unwrap());
    }
}
