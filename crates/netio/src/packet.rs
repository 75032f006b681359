//! Sending whole frames.

use crate::sys;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// An `AF_PACKET` socket that only sends, on any interface. Needs `CAP_NET_RAW`.
#[derive(Debug)]
pub struct FrameSocket(OwnedFd);

impl FrameSocket {
    /// # Errors
    /// Without the capability.
    pub fn open() -> io::Result<Self> {
        // Protocol 0 receives nothing, so no frame is ever queued here.
        sys::socket(libc::AF_PACKET, libc::SOCK_RAW, 0).map(Self)
    }

    /// Sends a frame as it is, Ethernet header included, by the interface with that kernel index.
    ///
    /// # Errors
    /// When the interface is gone or down, or its queue is full.
    pub fn send(&self, interface: u32, frame: &[u8]) -> io::Result<()> {
        let to = sys::link_address(interface, libc::ETH_P_IP as u16, [0; 6]);
        sys::send_to(self.0.as_fd(), frame, &to).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netns::Pair;
    use crate::{RecvBatch, UdpFrame, UdpOptions, UdpPort};
    use std::net::Ipv4Addr;
    use std::time::Duration;

    #[test]
    fn a_raw_frame_reaches_an_ordinary_socket_on_the_other_side() {
        let Some(pair) = Pair::addressed("frame") else {
            return;
        };
        let receiver = pair.in_client(|| {
            let options = UdpOptions {
                device: Some("c0"),
                packet_info: true,
                ..UdpOptions::default()
            };
            UdpPort::bind("0.0.0.0:68".parse().unwrap(), &options).unwrap()
        });
        let client_mac = pair.in_client(|| crate::interface("c0").unwrap().unwrap().mac.unwrap());
        pair.in_server(move || {
            let own = crate::interface("s0").unwrap().unwrap();
            let frame = UdpFrame {
                source_mac: own.mac.unwrap(),
                target_mac: client_mac,
                source: "10.77.0.1:67".parse().unwrap(),
                target: "255.255.255.255:68".parse().unwrap(),
                payload: b"hello",
            };
            let mut out = [0; 1514];
            FrameSocket::open()
                .unwrap()
                .send(own.index, frame.compose(&mut out).unwrap())
                .unwrap();
        });
        let mut batch = RecvBatch::new();
        crate::netns::readable(&receiver, Duration::from_secs(5));
        assert_eq!(batch.receive(&receiver).unwrap(), 1);
        let got = batch.get(0);
        assert_eq!(got.payload, b"hello");
        assert_eq!(got.source, "10.77.0.1:67".parse().unwrap());
        assert_eq!(got.target, Some(Ipv4Addr::BROADCAST));
    }
}
