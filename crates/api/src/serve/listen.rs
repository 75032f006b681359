//! Sockets that listen.

use rustix::net::sockopt;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

use super::BindError;

/// Connections that may wait to be accepted: as many as the kernel allows (`net.core.somaxconn`, 4096 unless changed),
/// because a rack that is switched on asks all at once, and what overflows is retried only after a second.
const QUEUE: u32 = 65_535;

/// Listens on all of them, or on none.
pub(super) fn listen(what: &'static str, addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, BindError> {
    let mut bound = Vec::with_capacity(addresses.len());
    for &address in addresses {
        bound.push(one(address).map_err(|source| BindError::Listen {
            what,
            address,
            source,
        })?);
    }
    Ok(bound)
}

fn one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => {
            let socket = TcpSocket::new_v6()?;
            // As with TFTP: `[::]` leaves IPv4 to `0.0.0.0`, so that one port can have both.
            sockopt::set_ipv6_v6only(&socket, true)?;
            socket
        }
    };
    // A restart does not wait for connections of the process before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    #[tokio::test]
    async fn both_families_share_a_port() {
        let Ok(six) = listen("HTTP", &["[::]:0".parse().unwrap()]) else {
            return; // A machine without IPv6.
        };
        let port = six[0].local_addr().unwrap().port();
        let four = listen("HTTP", &[([0, 0, 0, 0], port).into()]).unwrap();
        assert_eq!(four[0].local_addr().unwrap().port(), port);
    }

    #[tokio::test]
    async fn the_queue_is_as_long_as_the_kernel_allows() {
        let allowed = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
        let many = allowed.trim().parse::<usize>().unwrap().min(300);
        let listener = listen("HTTP", &["127.0.0.1:0".parse().unwrap()]).unwrap();
        let address = listener[0].local_addr().unwrap();
        // Nobody accepts: each of these stands in the queue.
        let waiting: Vec<TcpStream> = (0..many)
            .map_while(|_| TcpStream::connect_timeout(&address, std::time::Duration::from_millis(500)).ok())
            .collect();
        assert_eq!(waiting.len(), many);
    }
}
