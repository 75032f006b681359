//! The head of the first request on a connection, read to know its client.

use super::TcpKey;
use crate::key_of;
use purlin_fabric::balance::key as key_of_octets;
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Octets of a head at most, as most servers have it; a longer one is not looked at any further.
const HEAD_MAX: usize = 16 << 10;
/// A client that has not sent its head by then is known by its address.
const PATIENCE: Duration = Duration::from_secs(5);

/// The client's key, and what was read to find it, which is the backend's.
pub(super) async fn key(client: &mut TcpStream, from: IpAddr, wanted: &TcpKey) -> (u64, Vec<u8>) {
    let TcpKey::Header(name) = wanted else {
        return (key_of(from), Vec::new());
    };
    let mut head = Vec::new();
    let reading = async {
        let mut buffer = [0; 2048];
        while head.len() < HEAD_MAX && !is_whole(&head) {
            match client.read(&mut buffer).await {
                Ok(length @ 1..) => head.extend_from_slice(&buffer[..length]),
                Ok(_) | Err(_) => return,
            }
        }
    };
    // What came until then is passed on all the same.
    let _ = tokio::time::timeout(PATIENCE, reading).await;
    let key = value(&head, name).map_or_else(|| key_of(from), key_of_octets);
    (key, head)
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|octets| octets == b"\r\n\r\n")
}

/// The value of the first header of that name (RFC 9112, section 5).
fn value<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let lines = head.split(|&octet| octet == b'\n').skip(1);
    for line in lines {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return None;
        }
        let Some(colon) = line.iter().position(|&octet| octet == b':') else {
            continue;
        };
        if line[..colon].eq_ignore_ascii_case(name.as_bytes()) {
            return Some(line[colon + 1..].trim_ascii()).filter(|value| !value.is_empty());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_by_its_name_before_the_body() {
        let head = b"GET /X-Session:no HTTP/1.1\r\nHost: h\r\nx-SESSION:\t one \r\nX-Session: two\r\n\r\nCookie: c\r\n";
        assert_eq!(value(head, "X-Session"), Some(&b"one"[..]));
        assert_eq!(value(head, "Host"), Some(&b"h"[..]));
        assert_eq!(value(head, "Cookie"), None);
        assert_eq!(value(b"\x16\x03\x01", "Host"), None);
        assert_eq!(value(b"GET / HTTP/1.1\r\nHost:\r\n\r\n", "Host"), None);
    }
}
