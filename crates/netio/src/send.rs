//! Many datagrams per system call, each from the address it should come from.

use crate::UdpPort;
use crate::recv::BATCH;
use crate::sys;
use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd};

const HEADER: usize = size_of::<libc::cmsghdr>();
/// One `IP_PKTINFO` control message, padded to alignment.
const CONTROL: usize = 32;
const CONTROL_USED: usize = HEADER + size_of::<libc::in_pktinfo>();

/// How long a full socket buffer is waited for before the rest of a batch is given up, in milliseconds.
const BLOCKED_WAIT_MS: i32 = 1;

/// One datagram to send.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub payload: &'a [u8],
    pub to: SocketAddrV4,
    /// Source address; heeded by sockets opened with `packet_info`, 0.0.0.0 leaves it to routing.
    pub from: Ipv4Addr,
}

/// What became of the datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SendReport {
    pub sent: u64,
    /// The kernel refused them one by one: no route, not permitted, too long.
    pub failed: u64,
    /// Given up because the socket buffer stayed full.
    pub blocked: u64,
    pub calls: u64,
}

impl std::ops::AddAssign for SendReport {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.calls += other.calls;
    }
}

#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct Control([u8; CONTROL]);

/// Preallocated headers for [`BATCH`] datagrams.
pub struct SendBatch {
    names: Box<[libc::sockaddr_in]>,
    controls: Box<[Control]>,
    vectors: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
}

// SAFETY: the raw pointers are written and used within one call of `send`; between calls they mean nothing.
unsafe impl Send for SendBatch {}

impl std::fmt::Debug for SendBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SendBatch").finish_non_exhaustive()
    }
}

impl Default for SendBatch {
    fn default() -> Self {
        Self::new()
    }
}

impl SendBatch {
    /// Allocates about 8 KiB.
    #[must_use]
    pub fn new() -> Self {
        Self {
            names: vec![sys::to_sockaddr(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)); BATCH].into(),
            controls: vec![Control([0; CONTROL]); BATCH].into(),
            vectors: vec![
                libc::iovec {
                    iov_base: std::ptr::null_mut(),
                    iov_len: 0
                };
                BATCH
            ]
            .into(),
            // SAFETY: all-zero is a valid `mmsghdr`: null pointers with zero lengths.
            headers: vec![unsafe { std::mem::zeroed() }; BATCH].into(),
        }
    }

    /// Sends all of `messages`; a datagram that cannot be sent is counted and passed over.
    pub fn send<'a>(
        &mut self,
        port: &UdpPort,
        messages: impl IntoIterator<Item = Outgoing<'a>>,
    ) -> SendReport {
        let mut report = SendReport::default();
        let mut messages = messages.into_iter();
        loop {
            let mut filled = 0;
            for message in messages.by_ref().take(BATCH) {
                self.put(filled, &message, port.has_packet_info());
                filled += 1;
            }
            if filled == 0 {
                return report;
            }
            // The payloads live as long as 'a, that is, past this call.
            self.flush(port, filled, &mut report);
        }
    }

    fn put(&mut self, index: usize, message: &Outgoing<'_>, packet_info: bool) {
        self.names[index] = sys::to_sockaddr(message.to);
        self.vectors[index] = libc::iovec {
            iov_base: message.payload.as_ptr().cast_mut().cast(),
            iov_len: message.payload.len(),
        };
        let with_source = packet_info && !message.from.is_unspecified();
        if with_source {
            self.controls[index] = source_control(message.from);
        }
        let header = &mut self.headers[index].msg_hdr;
        header.msg_name = (&raw mut self.names[index]).cast();
        header.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        header.msg_iov = &raw mut self.vectors[index];
        header.msg_iovlen = 1;
        header.msg_control = if with_source {
            (&raw mut self.controls[index]).cast()
        } else {
            std::ptr::null_mut()
        };
        header.msg_controllen = if with_source { CONTROL } else { 0 };
    }

    fn flush(&mut self, port: &UdpPort, filled: usize, report: &mut SendReport) {
        let mut next = 0;
        let mut waited = false;
        while next < filled {
            report.calls += 1;
            // SAFETY: headers `next..filled` were set by `put` and point to live boxes and payloads; the
            // kernel does not write through them except `msg_len`.
            let sent = unsafe {
                libc::sendmmsg(
                    port.as_fd().as_raw_fd(),
                    self.headers.as_mut_ptr().add(next),
                    (filled - next) as u32,
                    (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
                )
            };
            if let Ok(sent) = usize::try_from(sent) {
                next += sent;
                report.sent += sent as u64;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock if !waited => {
                    waited = true;
                    wait_writable(port);
                }
                io::ErrorKind::WouldBlock => {
                    report.blocked += (filled - next) as u64;
                    return;
                }
                _ => {
                    report.failed += 1;
                    next += 1;
                }
            }
        }
    }
}

fn wait_writable(port: &UdpPort) {
    let mut poll = libc::pollfd {
        fd: port.as_fd().as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: one live `pollfd`. The result does not matter: the next send tells.
    unsafe { libc::poll(&raw mut poll, 1, BLOCKED_WAIT_MS) };
}

fn source_control(from: Ipv4Addr) -> Control {
    let mut control = Control([0; CONTROL]);
    let info = libc::in_pktinfo {
        ipi_ifindex: 0,
        ipi_spec_dst: sys::to_in_addr(from),
        ipi_addr: libc::in_addr { s_addr: 0 },
    };
    let base = control.0.as_mut_ptr();
    // SAFETY: the block is 8-aligned and has room for the header and the `in_pktinfo` behind it.
    unsafe {
        let header = base.cast::<libc::cmsghdr>();
        (*header).cmsg_len = CONTROL_USED as _;
        (*header).cmsg_level = libc::IPPROTO_IP;
        (*header).cmsg_type = libc::IP_PKTINFO;
        base.add(HEADER).cast::<libc::in_pktinfo>().write_unaligned(info);
    }
    control
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UdpOptions;
    use std::net::UdpSocket;

    fn client() -> (UdpSocket, SocketAddrV4) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let std::net::SocketAddr::V4(address) = socket.local_addr().unwrap() else {
            unreachable!()
        };
        (socket, address)
    }

    #[test]
    fn more_than_a_batch_goes_out_in_few_calls() {
        let port = UdpPort::bind("127.0.0.1:0".parse().unwrap(), &UdpOptions::default()).unwrap();
        let (receiver, to) = client();
        let payloads: Vec<[u8; 200]> = (0..100).map(|i| [i; 200]).collect();
        let messages = payloads.iter().map(|p| Outgoing {
            payload: p,
            to,
            from: Ipv4Addr::UNSPECIFIED,
        });
        let report = SendBatch::new().send(&port, messages);
        assert_eq!(
            report,
            SendReport {
                sent: 100,
                failed: 0,
                blocked: 0,
                calls: 2
            }
        );
        let mut buffer = [0; 300];
        for i in 0..100 {
            assert_eq!(receiver.recv(&mut buffer).unwrap(), 200);
            assert_eq!(buffer[0], i);
        }
    }

    #[test]
    fn a_refused_datagram_does_not_hold_up_the_others() {
        let port = UdpPort::bind("127.0.0.1:0".parse().unwrap(), &UdpOptions::default()).unwrap();
        let (receiver, to) = client();
        // Without SO_BROADCAST the kernel refuses the second one.
        let broadcast = SocketAddrV4::new(Ipv4Addr::BROADCAST, 9);
        let messages = [to, broadcast, to].map(|to| Outgoing {
            payload: b"x",
            to,
            from: Ipv4Addr::UNSPECIFIED,
        });
        let report = SendBatch::new().send(&port, messages);
        assert_eq!((report.sent, report.failed), (2, 1));
        let mut buffer = [0; 8];
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 1);
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 1);
    }

    #[test]
    fn each_datagram_has_its_own_source_address() {
        let options = UdpOptions {
            packet_info: true,
            ..UdpOptions::default()
        };
        let port = UdpPort::bind("0.0.0.0:0".parse().unwrap(), &options).unwrap();
        let (receiver, to) = client();
        let sources = [Ipv4Addr::new(127, 0, 0, 5), Ipv4Addr::new(127, 0, 9, 1)];
        let report = SendBatch::new().send(
            &port,
            sources.map(|from| Outgoing {
                payload: b"x",
                to,
                from,
            }),
        );
        assert_eq!(report.sent, 2);
        let mut buffer = [0; 8];
        for source in sources {
            assert_eq!(receiver.recv_from(&mut buffer).unwrap().1.ip(), source);
        }
    }
}
