//! Says one thing to a DHCP server as a relay would, and prints the answer; run inside a namespace.
//!
//! `relay-talk OWN SERVER HEX MILLIS` sends the octets from port 67 of `OWN` to port 67 of `SERVER` and prints the
//! octets that come back within `MILLIS` in hexadecimal, or nothing.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [own, server, packet, millis] = arguments.as_slice() else {
        return Err(wrong("usage: relay-talk OWN SERVER HEX MILLIS"));
    };
    let address = |text: &str| text.parse::<Ipv4Addr>().map_err(|_| wrong("an address"));
    let millis = millis.parse().map_err(|_| wrong("milliseconds"))?;
    let socket = UdpSocket::bind((address(own)?, 67))?;
    socket.set_read_timeout(Some(Duration::from_millis(millis)))?;
    socket.send_to(&octets(packet)?, (address(server)?, 67))?;
    let mut buffer = [0; 2048];
    match socket.recv(&mut buffer) {
        Ok(len) => println!("{}", hex(&buffer[..len])),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn octets(text: &str) -> io::Result<Vec<u8>> {
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    let octets: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    octets.ok_or_else(|| wrong("octets in hexadecimal"))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
