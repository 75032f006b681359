//! The PROXY protocol's header, version 1: one line that tells a backend who its client is.
//!
//! Source: HAProxy, "The PROXY protocol", section 2.1 (human-readable header format).

use std::net::SocketAddr;

/// The line to send before anything of the client's. A backend must expect it: to others it is rubbish.
pub(crate) fn header(client: SocketAddr, front: SocketAddr) -> String {
    let (source, target) = (client.ip().to_canonical(), front.ip().to_canonical());
    let family = match (source.is_ipv4(), target.is_ipv4()) {
        (true, true) => "TCP4",
        (false, false) => "TCP6",
        // Mixed families cannot be said; the protocol has a word for that.
        _ => return "PROXY UNKNOWN\r\n".to_owned(),
    };
    format!(
        "PROXY {family} {source} {target} {} {}\r\n",
        client.port(),
        front.port()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_as_the_protocol_has_it() {
        for (client, front, line) in [
            (
                "192.0.2.7:40000",
                "192.0.2.1:443",
                "PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\n",
            ),
            (
                "[::ffff:192.0.2.7]:40000",
                "[::ffff:192.0.2.1]:443",
                "PROXY TCP4 192.0.2.7 192.0.2.1 40000 443\r\n",
            ),
            (
                "[2001:db8::7]:1",
                "[2001:db8::1]:2",
                "PROXY TCP6 2001:db8::7 2001:db8::1 1 2\r\n",
            ),
            ("192.0.2.7:1", "[2001:db8::1]:2", "PROXY UNKNOWN\r\n"),
        ] {
            let parse = |text: &str| text.parse().expect("an address");
            assert_eq!(header(parse(client), parse(front)), line);
        }
    }
}
