//! The floor under every figure: answers every DISCOVER with an OFFER and every REQUEST with an ACK, remembers nothing.
//!
//! The address follows from the hardware address, so a fleet of 2^24 clients gets addresses of its own in 10.0.0.0/8.
//! One thread, batched system calls, replies to `giaddr:67` when it listens on port 67, else to the source.
//!
//! Usage: `null_responder [ADDRESS:PORT]`, default 127.0.0.1:6767.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsFd;

use purlin_netio::{BATCH, Outgoing, RecvBatch, SendBatch, UdpOptions, UdpPort};
use rustix::event::{PollFd, PollFlags, poll};

/// Header, cookie and options of a reply.
const REPLY: usize = 300;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen: SocketAddrV4 = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("127.0.0.1:6767")
        .parse()?;
    let options = UdpOptions {
        receive_buffer: Some(8 << 20),
        ..UdpOptions::default()
    };
    let port = UdpPort::bind(listen, &options)?;
    eprintln!("answering on {}", port.local_address());
    port.take_trains(true);
    let mut received = RecvBatch::for_trains();
    let mut sends = SendBatch::new();
    let mut replies = vec![0_u8; BATCH * REPLY];
    let mut targets = Vec::with_capacity(BATCH);
    loop {
        let count = received.receive(&port)?;
        if count == 0 {
            poll(&mut [PollFd::from_borrowed_fd(port.as_fd(), PollFlags::IN)], None)?;
            continue;
        }
        for first in (0..count).step_by(BATCH) {
            targets.clear();
            for at in first..count.min(first + BATCH) {
                let datagram = received.get(at);
                let reply = &mut replies[targets.len() * REPLY..][..REPLY];
                if let Some(giaddr) = answer(datagram.payload, *listen.ip(), reply) {
                    let to_relay = SocketAddrV4::new(giaddr, 67);
                    targets.push(if listen.port() == 67 {
                        to_relay
                    } else {
                        datagram.source
                    });
                }
            }
            let outgoing = replies.chunks(REPLY).zip(&targets).map(|(payload, to)| Outgoing {
                payload,
                to: *to,
                from: Ipv4Addr::UNSPECIFIED,
            });
            sends.send(&port, outgoing);
        }
    }
}

/// Writes the answer and returns `giaddr`; `None` for what needs none.
fn answer(request: &[u8], own: Ipv4Addr, reply: &mut [u8]) -> Option<Ipv4Addr> {
    let kind = *request.get(242)?;
    let kind = match kind {
        1 => 2,
        3 => 5,
        _ => return None,
    };
    reply[..240].copy_from_slice(&request[..240]);
    reply[0] = 2;
    reply[16..20].copy_from_slice(&[10, request[31], request[32], request[33]]);
    let mut options = [
        53, 1, kind, 54, 4, 0, 0, 0, 0, 51, 4, 0, 1, 0x51, 0x80, 1, 4, 255, 0, 0, 0, 255,
    ];
    options[5..9].copy_from_slice(&own.octets());
    reply[240..240 + options.len()].copy_from_slice(&options);
    Some(Ipv4Addr::new(request[24], request[25], request[26], request[27]))
}
