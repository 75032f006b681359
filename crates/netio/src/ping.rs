//! ICMP echo: does somebody answer at an address?

use crate::{internet_checksum, sys};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
/// Receive only echo replies (`ICMP_FILTER` counts set bits as blocked).
const ICMP_FILTER: i32 = 1;

/// An ICMP socket that sends echo requests and hears the replies.
#[derive(Debug)]
pub struct Pinger {
    fd: OwnedFd,
    /// A raw socket sees IP headers and everybody's replies; a ping socket only its own, without.
    raw: bool,
    ident: u16,
}

impl Pinger {
    /// Opens a raw socket, or without `CAP_NET_RAW` a ping socket where the administrator allows that.
    /// `ident` tells this socket's echoes from others'.
    ///
    /// # Errors
    /// When neither is allowed.
    pub fn open(ident: u16) -> io::Result<Self> {
        match sys::socket(libc::AF_INET, libc::SOCK_RAW, libc::IPPROTO_ICMP) {
            Ok(fd) => {
                let blocked = !(1u32 << ECHO_REPLY);
                sys::set_option(fd.as_fd(), libc::SOL_RAW, ICMP_FILTER, &blocked)?;
                Ok(Self { fd, raw: true, ident })
            }
            Err(_) => {
                let fd = sys::socket(libc::AF_INET, libc::SOCK_DGRAM, libc::IPPROTO_ICMP)?;
                Ok(Self {
                    fd,
                    raw: false,
                    ident,
                })
            }
        }
    }

    /// Sends one echo request (RFC 792).
    ///
    /// # Errors
    /// No route, or the neighbour queue is full.
    pub fn ping(&self, address: Ipv4Addr, sequence: u16) -> io::Result<()> {
        let mut message = [0; 16];
        message[0] = ECHO_REQUEST;
        message[4..6].copy_from_slice(&self.ident.to_be_bytes());
        message[6..8].copy_from_slice(&sequence.to_be_bytes());
        let sum = internet_checksum(&[&message]);
        message[2..4].copy_from_slice(&sum.to_be_bytes());
        let to = sys::to_sockaddr(SocketAddrV4::new(address, 0));
        sys::send_to(self.fd.as_fd(), &message, &to).map(|_| ())
    }

    /// The source and sequence number of the next reply to one of our echoes; `None` when nothing is waiting.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn receive(&self) -> io::Result<Option<(Ipv4Addr, u16)>> {
        let mut buffer = [0; 256];
        loop {
            let Some((length, source)) = self.receive_from(&mut buffer)? else {
                return Ok(None);
            };
            if let Some(sequence) = self.sequence_of(&buffer[..length]) {
                return Ok(Some((source, sequence)));
            }
        }
    }

    fn sequence_of(&self, packet: &[u8]) -> Option<u16> {
        let skip = if self.raw {
            usize::from(packet.first()? & 15) * 4
        } else {
            0
        };
        let message = packet.get(skip..skip + 8)?;
        let ident = u16::from_be_bytes([message[4], message[5]]);
        // The kernel gives ping sockets an ident of its own and delivers only that one.
        let ours = message[0] == ECHO_REPLY && (!self.raw || ident == self.ident);
        ours.then(|| u16::from_be_bytes([message[6], message[7]]))
    }

    fn receive_from(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, Ipv4Addr)>> {
        use std::os::fd::AsRawFd;
        let mut source = sys::to_sockaddr(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        let mut length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        // SAFETY: buffer, source and length are live and writable, with the lengths passed.
        let got = unsafe {
            libc::recvfrom(
                self.fd.as_raw_fd(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                0,
                (&raw mut source).cast(),
                &raw mut length,
            )
        };
        match usize::try_from(got) {
            Ok(count) => Ok(Some((count, *sys::from_sockaddr(&source).ip()))),
            Err(_) => match io::Error::last_os_error() {
                e if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
                e => Err(e),
            },
        }
    }
}

impl AsFd for Pinger {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::{readable, root_only};
    use std::time::Duration;

    #[test]
    fn loopback_answers_with_the_sequence_asked() {
        if !root_only("ICMP sockets") {
            return;
        }
        let pinger = Pinger::open(0x4d41).unwrap();
        pinger.ping(Ipv4Addr::LOCALHOST, 513).unwrap();
        readable(&pinger, Duration::from_secs(5));
        assert_eq!(pinger.receive().unwrap(), Some((Ipv4Addr::LOCALHOST, 513)));
        assert_eq!(pinger.receive().unwrap(), None);
    }

    #[test]
    fn another_socket_s_replies_are_not_ours() {
        if !root_only("ICMP sockets") {
            return;
        }
        let (ours, theirs) = (Pinger::open(1).unwrap(), Pinger::open(2).unwrap());
        theirs.ping(Ipv4Addr::LOCALHOST, 1).unwrap();
        ours.ping(Ipv4Addr::LOCALHOST, 2).unwrap();
        readable(&ours, Duration::from_secs(5));
        let mut seen = ours.receive().unwrap();
        while seen.is_none() {
            readable(&ours, Duration::from_secs(5));
            seen = ours.receive().unwrap();
        }
        assert_eq!(seen, Some((Ipv4Addr::LOCALHOST, 2)));
    }
}
