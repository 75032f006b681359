//! A pretend link: a client's packets, the engine's answers, a journal that is durable when the test says so.

use crate::settings::{Network, Reservation, ReservedFor, Scope, Settings, Subnet};
use crate::step::{Arrival, Destination, Log, Reply, Verdict};
use crate::{Engine, Plan};
use purlin_dhcp_proto::{Composer, Message, MessageType, code};
use purlin_types::{BootTime, Mac, Now, Tenure, WallTime};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

pub(super) const RELAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

pub(super) fn settings(pools: &[&str]) -> Settings {
    Settings {
        enabled: true,
        listen: vec![SocketAddrV4::new(SERVER, 67)],
        interfaces: vec!["eth0".into()],
        threads: Some(1),
        networks: vec![network("main", "10.0.0.0/16", pools)],
        decisions: 256,
        ..Settings::default()
    }
}

pub(super) fn network(name: &str, prefix: &str, pools: &[&str]) -> Network {
    let range = |range: &&str| range.parse().expect("a range");
    let prefix = prefix.parse().expect("a prefix");
    Network::of(Subnet::of(name, prefix, pools.iter().map(range)))
}

pub(super) fn reserve(settings: &mut Settings, n: u8, address: &str) {
    settings.networks[0].subnets[0].reservations.push(Reservation {
        client: ReservedFor::Mac(Mac(mac(n))),
        address: Some(address.parse().expect("an address")),
        hostname: Some(format!("host-{n}")),
        classes: Vec::new(),
        scope: Scope::default(),
    });
}

pub(super) fn mac(n: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, n]
}

/// A request under construction.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) kind: Option<MessageType>,
    pub(super) n: u8,
    pub(super) ciaddr: Ipv4Addr,
    pub(super) giaddr: Ipv4Addr,
    pub(super) broadcast: bool,
    pub(super) options: Vec<(u8, Vec<u8>)>,
}

impl Ask {
    pub(super) fn new(kind: MessageType, n: u8) -> Self {
        let none = Ipv4Addr::UNSPECIFIED;
        Self {
            kind: Some(kind),
            n,
            ciaddr: none,
            giaddr: RELAY,
            broadcast: false,
            options: Vec::new(),
        }
    }
    pub(super) fn with(mut self, code: u8, value: impl Into<Vec<u8>>) -> Self {
        self.options.push((code, value.into()));
        self
    }
    pub(super) fn requested(self, address: Ipv4Addr) -> Self {
        self.with(code::REQUESTED_ADDRESS, address.octets())
    }
    pub(super) fn server(self, address: Ipv4Addr) -> Self {
        self.with(code::SERVER_ID, address.octets())
    }
    pub(super) fn ciaddr(mut self, address: Ipv4Addr) -> Self {
        self.ciaddr = address;
        self
    }
    pub(super) fn giaddr(mut self, address: Ipv4Addr) -> Self {
        self.giaddr = address;
        self
    }
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut buffer = [0; 1472];
        let mut out = Composer::new(&mut buffer, 1472);
        out.op(1)
            .hardware(1, &mac(self.n))
            .xid(0x77)
            .ciaddr(self.ciaddr)
            .giaddr(self.giaddr);
        out.flags(if self.broadcast { 0x8000 } else { 0 });
        if let Some(kind) = self.kind {
            out.message_type(kind);
        }
        for (code, value) in &self.options {
            assert!(out.option(*code, value));
        }
        let len = out.finish().len;
        buffer[..len].to_vec()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) bytes: Vec<u8>,
    pub(super) to: Destination,
}

impl Answer {
    pub(super) fn message(&self) -> Message<'_> {
        assert!(
            !matches!(self.verdict, Verdict::Silent | Verdict::Commit),
            "no reply: {:?}",
            self.verdict
        );
        Message::parse(&self.bytes).expect("a reply is well formed")
    }
    pub(super) fn kind(&self) -> MessageType {
        self.message().message_type().expect("a reply has a type")
    }
    pub(super) fn address(&self) -> Ipv4Addr {
        self.message().yiaddr()
    }
    pub(super) fn lease(&self) -> u32 {
        self.message().lease_time().expect("a lease time")
    }
}

pub(super) struct Link {
    pub(super) engine: Engine,
    pub(super) now: Now,
    /// Frames appended so far.
    pub(super) journal: Vec<Vec<u8>>,
    /// How many of them no power cut can take back.
    pub(super) durable_frames: usize,
    /// How often it was restored from a backup.
    pub(super) restores: u64,
    pub(super) log: Log,
    pub(super) tenure: Tenure,
    pub(super) interface: Option<u16>,
    /// Whether packets over the interface are sent to our address.
    pub(super) unicast: bool,
    /// Where packets come from.
    pub(super) source: Ipv4Addr,
}

impl Link {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut engine = Engine::new(Plan::compile(settings, None), 0, 1, 42);
        let now = Now {
            boot: BootTime(5_000_000_000),
            wall: WallTime(1_000_000_000),
        };
        engine.restored(&now, true, &mut Vec::new());
        let log = Log {
            writable: true,
            durable: WallTime(u64::MAX),
            copy: None,
        };
        Self {
            engine,
            now,
            journal: Vec::new(),
            durable_frames: 0,
            restores: 0,
            log,
            tenure: Tenure::SOLE,
            interface: None,
            unicast: false,
            source: RELAY,
        }
    }

    /// Lets time pass and whatever ends by it end.
    pub(super) fn pass(&mut self, secs: u64) {
        self.now.wall.0 += secs * 1000;
        self.now.boot = self.now.boot.plus_millis(secs * 1000);
        while self.engine.tick(&self.now) {}
    }

    /// After the wall clock was set: the journal is written anew, as the shell does.
    pub(super) fn set_clock(&mut self) {
        self.pass(0);
        if !self.engine.take_clock_set() {
            return;
        }
        let mut cursor = Some(0);
        while let Some(at) = cursor {
            let mut frame = Vec::new();
            cursor = self.engine.checkpoint_chunk(at, 64, &mut frame);
            self.keep(frame);
        }
        self.durable_frames = self.journal.len();
    }

    pub(super) fn send(&mut self, ask: &Ask) -> Answer {
        self.send_bytes(&ask.bytes())
    }

    pub(super) fn send_bytes(&mut self, payload: &[u8]) -> Answer {
        let source = SocketAddrV4::new(self.source, 67);
        let arrival = Arrival {
            payload,
            source,
            local: SERVER,
            port: 67,
            interface: self.interface,
            broadcast: self.interface.is_some() && !self.unicast,
            attempt: 0,
        };
        let (mut reply, mut records) = (Reply::default(), Vec::new());
        let verdict = self.engine.step(
            &self.now,
            &self.tenure,
            self.log,
            &arrival,
            &mut reply,
            &mut records,
        );
        self.keep(records);
        Answer {
            verdict,
            bytes: reply.as_bytes().to_vec(),
            to: reply.to,
        }
    }

    pub(super) fn probed(&mut self, token: u64, in_use: bool) -> Answer {
        let (mut reply, mut records) = (Reply::default(), Vec::new());
        let verdict = self.engine.probed(
            &self.now,
            &self.tenure,
            self.log,
            token,
            in_use,
            &mut reply,
            &mut records,
        );
        self.keep(records);
        Answer {
            verdict,
            bytes: reply.as_bytes().to_vec(),
            to: reply.to,
        }
    }

    fn keep(&mut self, records: Vec<u8>) {
        if !records.is_empty() {
            self.journal.push(records);
        }
    }

    /// DISCOVER to ACK.
    pub(super) fn dora(&mut self, n: u8) -> Answer {
        let offer = self.send(&Ask::new(MessageType::Discover, n));
        assert_eq!(offer.kind(), MessageType::Offer);
        let ask = Ask::new(MessageType::Request, n)
            .requested(offer.address())
            .server(SERVER);
        let ack = self.send(&ask);
        assert_eq!(ack.kind(), MessageType::Ack);
        assert_eq!(ack.address(), offer.address());
        ack
    }

    /// A new engine over the first `frames` frames of the journal.
    pub(super) fn restart(&mut self, settings: &Settings, frames: usize, exact: bool) {
        self.engine = Engine::new(Plan::compile(settings, None), 0, 1, 43);
        self.journal.truncate(frames);
        for frame in &self.journal {
            self.engine.restore(frame);
        }
        let mut records = Vec::new();
        self.engine.restored(&self.now, exact, &mut records);
        self.keep(records);
    }

    /// A new engine over the first `frames` frames of the journal, as from a backup that was taken then.
    pub(super) fn restore(&mut self, settings: &Settings, frames: usize, hold: Option<Duration>) {
        self.restores += 1;
        let recovery = crate::Recovery {
            id: self.restores,
            taken: self.now.wall,
            longest: settings.longest_lease(),
            hold,
        };
        self.engine = Engine::new(Plan::compile(settings, None), 0, 1, 44);
        self.journal.truncate(frames);
        for frame in &self.journal {
            self.engine.restore(frame);
        }
        let mut records = Vec::new();
        assert!(self.engine.recover(&self.now, &recovery, &mut records));
        self.engine.restored(&self.now, false, &mut records);
        self.keep(records);
        self.durable_frames = self.journal.len();
    }

    /// Slug of the newest decision's reason.
    pub(super) fn reason(&self) -> &'static str {
        let query = crate::view::DecisionQuery {
            limit: 1,
            ..Default::default()
        };
        self.engine
            .find_decisions(&query)
            .last()
            .expect("a decision")
            .slug
    }
}
