//! A relay with many clients behind it, on one socket.

use purlin_dhcp_proto::{Composer, Message, MessageType, code};
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

/// How long an answer that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server's answer, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) kind: MessageType,
    pub(crate) xid: u32,
    pub(crate) address: Ipv4Addr,
    pub(crate) server: Option<Ipv4Addr>,
    /// Seconds; 0 without one.
    pub(crate) lease: u32,
}

impl Answer {
    pub(crate) fn read(payload: &[u8]) -> Self {
        let message = Message::parse(payload).expect("answers can be read");
        let server = message
            .whole(code::SERVER_ID)
            .and_then(|v| <[u8; 4]>::try_from(v).ok());
        let lease = message
            .whole(code::LEASE_TIME)
            .and_then(|v| <[u8; 4]>::try_from(v).ok());
        Self {
            lease: lease.map_or(0, u32::from_be_bytes),
            kind: message.message_type().expect("answers have a type"),
            xid: message.xid(),
            address: message.yiaddr(),
            server: server.map(Ipv4Addr::from),
        }
    }
}

pub(crate) struct Relay {
    socket: UdpSocket,
    server: SocketAddrV4,
    giaddr: Ipv4Addr,
}

impl Relay {
    pub(crate) fn new(server: SocketAddrV4, giaddr: [u8; 4]) -> Self {
        Self::at("127.0.0.1:0", server, giaddr)
    }

    /// With an address of its own.
    pub(crate) fn at(own: &str, server: SocketAddrV4, giaddr: [u8; 4]) -> Self {
        let socket = UdpSocket::bind(own).expect("the address is there and the port free");
        socket
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout can be set");
        Self {
            socket,
            server,
            giaddr: giaddr.into(),
        }
    }

    /// Another giaddr on the same socket.
    pub(crate) fn posing_as(&self, giaddr: [u8; 4]) -> Self {
        Self {
            socket: self.socket.try_clone().expect("descriptors are left"),
            server: self.server,
            giaddr: giaddr.into(),
        }
    }

    pub(crate) fn discover(&self, client: u32) {
        self.send(MessageType::Discover, client, &[]);
    }

    /// DISCOVER of a client that would like this address.
    pub(crate) fn discover_wishing(&self, client: u32, address: Ipv4Addr) {
        let wish = [(code::REQUESTED_ADDRESS, address.octets())];
        self.send(MessageType::Discover, client, &wish);
    }

    /// How long answers are waited for.
    pub(crate) fn patience(&self, patience: Duration) {
        self.socket
            .set_read_timeout(Some(patience))
            .expect("a timeout can be set");
    }

    /// DISCOVER with rapid commit (RFC 4039): the answer is a binding at once.
    pub(crate) fn discover_rapidly(&self, client: u32) {
        self.send_with(MessageType::Discover, client, &[(code::RAPID_COMMIT, &[])]);
    }

    pub(crate) fn request(&self, client: u32, offer: &Answer) {
        let server = offer.server.expect("an offer names its server").octets();
        let options = [
            (code::REQUESTED_ADDRESS, offer.address.octets()),
            (code::SERVER_ID, server),
        ];
        self.send(MessageType::Request, client, &options);
    }

    /// INIT-REBOOT: the client remembers its address (RFC 2131, section 4.3.2).
    pub(crate) fn remember(&self, client: u32, address: Ipv4Addr) {
        self.send(
            MessageType::Request,
            client,
            &[(code::REQUESTED_ADDRESS, address.octets())],
        );
    }

    /// The client gives back what the offer gave it.
    pub(crate) fn release(&self, client: u32, offer: &Answer) {
        let [a, b, c, d] = client.to_be_bytes();
        let server = offer.server.expect("an offer names its server").octets();
        let mut buffer = [0; 1472];
        let mut out = Composer::new(&mut buffer, 1472);
        out.op(1)
            .hardware(1, &[2, 0, a, b, c, d])
            .hops(1)
            .xid(client)
            .ciaddr(offer.address)
            .giaddr(self.giaddr);
        out.message_type(MessageType::Release);
        out.option(code::SERVER_ID, &server);
        let length = out.finish().len;
        self.socket
            .send_to(&buffer[..length], self.server)
            .expect("loopback takes packets");
    }

    fn send(&self, kind: MessageType, client: u32, options: &[(u8, [u8; 4])]) {
        let options: Vec<(u8, &[u8])> = options.iter().map(|(code, value)| (*code, &value[..])).collect();
        self.send_with(kind, client, &options);
    }

    fn send_with(&self, kind: MessageType, client: u32, options: &[(u8, &[u8])]) {
        let mut buffer = [0; 1472];
        let mut out = Composer::new(&mut buffer, 1472);
        let [a, b, c, d] = client.to_be_bytes();
        out.op(1)
            .hardware(1, &[2, 0, a, b, c, d])
            .hops(1)
            .xid(client)
            .giaddr(self.giaddr);
        out.message_type(kind);
        for (code, value) in options {
            out.option(*code, value);
        }
        let length = out.finish().len;
        self.socket
            .send_to(&buffer[..length], self.server)
            .expect("loopback takes packets");
    }

    /// The next answer.
    pub(crate) fn hear(&self) -> Answer {
        self.try_hear().expect("an answer within the time allowed")
    }

    /// The answer to what `ask` sends, again and again as clients do: a datagram may be lost where sockets change.
    pub(crate) fn insist(&self, ask: impl Fn(&Self)) -> Answer {
        let patience = |time| {
            self.socket
                .set_read_timeout(Some(time))
                .expect("a socket can be set");
        };
        patience(PATIENCE / 10);
        let answer = (0..10).find_map(|_| {
            ask(self);
            self.try_hear()
        });
        patience(PATIENCE);
        answer.expect("an answer within the time allowed")
    }

    fn try_hear(&self) -> Option<Answer> {
        let mut buffer = [0; 1500];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        Some(Answer::read(&buffer[..length]))
    }

    /// Whether nothing has come; ask only when whatever could cause an answer is known to be over.
    pub(crate) fn heard_nothing(&self) -> bool {
        self.socket.set_nonblocking(true).expect("a socket can be set");
        let nothing = self.try_hear().is_none();
        self.socket.set_nonblocking(false).expect("a socket can be set");
        nothing
    }

    pub(crate) fn offer(&self, client: u32) -> Answer {
        self.discover(client);
        let offer = self.hear();
        assert_eq!((offer.kind, offer.xid), (MessageType::Offer, client));
        offer
    }

    /// A whole exchange: the address that was bound.
    pub(crate) fn lease(&self, client: u32) -> Ipv4Addr {
        let offer = self.offer(client);
        self.request(client, &offer);
        let ack = self.hear();
        assert_eq!(
            (ack.kind, ack.xid, ack.address),
            (MessageType::Ack, client, offer.address)
        );
        ack.address
    }

    /// A whole exchange as a client makes it: what is lost on the way, or meets a node that does not answer yet, is said
    /// again.
    pub(crate) fn lease_in_time(&self, client: u32) -> Ipv4Addr {
        let deadline = Instant::now() + 3 * PATIENCE;
        let short = Duration::from_millis(300);
        self.socket
            .set_read_timeout(Some(short))
            .expect("a timeout can be set");
        while Instant::now() < deadline {
            self.discover(client);
            let Some(offer) = self.hear_about(client, MessageType::Offer) else {
                continue;
            };
            self.request(client, &offer);
            if let Some(ack) = self.hear_about(client, MessageType::Ack) {
                return ack.address;
            }
        }
        panic!("client {client} got no lease");
    }

    /// The next answer of that kind to that client; late answers to others are passed over.
    pub(crate) fn hear_about(&self, client: u32, kind: MessageType) -> Option<Answer> {
        loop {
            let answer = self.try_hear()?;
            if (answer.kind, answer.xid) == (kind, client) {
                return Some(answer);
            }
        }
    }
}
