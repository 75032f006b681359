//! A shell in memory: it does what the engine asks for and tells as text what went out.

use purlin_tftp_core::settings::Settings;
use purlin_tftp_core::{
    Admission, Effect, Effects, Engine, FileError, Peer, Plan, Readable, RecordQuery, Run, Slot, Told,
};
use purlin_tftp_proto::{Composer, Mode, Packet, compose};
use purlin_types::{BootTime, Now, WallTime};
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct Content(pub(crate) Arc<[u8]>);

impl Readable for Content {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }
}

/// Octets that differ from block to block.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 + at / 251) as u8).collect()
}

pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

pub(crate) fn peer(host: u8, port: u16) -> Peer {
    Peer {
        address: SocketAddr::new(Ipv4Addr::new(192, 0, 2, host).into(), port),
        local: Some(SERVER),
        many: false,
        interface: 2,
        port: 0,
    }
}

pub(crate) struct Rig {
    pub(crate) engine: Engine<Content>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) now: Now,
    pub(crate) files: HashMap<String, Content>,
    /// What uploads have brought, by name, once they are committed.
    pub(crate) uploaded: HashMap<String, Vec<u8>>,
    /// Uploads under way.
    uploads: HashMap<Slot, Vec<u8>>,
    /// Packets that went out and to whom, for those who want octets instead of text.
    pub(crate) sent: Vec<(Peer, Vec<u8>)>,
    /// Nothing is done for files until it is asked for by hand.
    pub(crate) held: bool,
    /// The disk has no content in memory: every window stalls.
    pub(crate) cold: bool,
    pub(crate) last_slot: Option<Slot>,
    client: Peer,
}

impl Rig {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            enabled: true,
            ..Settings::default()
        };
        settings.files.uploads.size_max = purlin_types::ByteSize(1 << 20);
        change(&mut settings);
        let plan = Plan::compile(&settings);
        let admission = Arc::new(Admission::new(settings.limits));
        let mut rig = Self {
            engine: Engine::new(plan, Arc::clone(&admission), 7),
            admission,
            now: Now {
                boot: BootTime(1_000_000_000_000),
                wall: WallTime(1_700_000_000_000),
            },
            files: HashMap::new(),
            uploaded: HashMap::new(),
            uploads: HashMap::new(),
            sent: Vec::new(),
            held: false,
            cold: false,
            last_slot: None,
            client: peer(10, 2000),
        };
        for (name, len) in [("empty", 0), ("short", 100), ("even", 1024), ("file", 10_000)] {
            rig.file(name, &pattern(len));
        }
        rig
    }

    /// New settings for a running engine: the defaults with a change.
    pub(crate) fn set(&mut self, change: impl FnOnce(&mut Settings)) {
        let mut settings = Settings::default();
        change(&mut settings);
        self.engine.apply(Plan::compile(&settings));
    }

    pub(crate) fn file(&mut self, name: &str, octets: &[u8]) {
        self.files.insert(name.to_owned(), Content(octets.into()));
    }

    /// The client that talks from now on.
    pub(crate) fn client(&mut self, host: u8, port: u16) -> &mut Self {
        self.client = peer(host, port);
        self
    }

    /// Moves the clocks on without a tick.
    pub(crate) fn pass(&mut self, millis: u64) -> &mut Self {
        self.now.boot = self.now.boot.plus_millis(millis);
        self.now.wall.0 += millis;
        self
    }

    /// A read request with options as `blksize=1468 tsize=0`.
    pub(crate) fn read(&mut self, name: &str, options: &str) -> String {
        let datagram = request(false, name, Mode::Octet, options);
        self.hear(&datagram)
    }

    pub(crate) fn write(&mut self, name: &str, options: &str) -> String {
        let datagram = request(true, name, Mode::Octet, options);
        self.hear(&datagram)
    }

    pub(crate) fn ack(&mut self, block: u16) -> String {
        self.hear(&compose::ack(block))
    }

    pub(crate) fn data(&mut self, block: u16, payload: &[u8]) -> String {
        self.hear(&[&compose::data_header(block)[..], payload].concat())
    }

    pub(crate) fn error(&mut self, code: u8) -> String {
        self.hear(&[0, 5, 0, code, b'x', 0])
    }

    pub(crate) fn hear(&mut self, datagram: &[u8]) -> String {
        let from = self.client;
        self.hear_from(from, datagram)
    }

    pub(crate) fn hear_from(&mut self, from: Peer, datagram: &[u8]) -> String {
        let mut effects = Effects::default();
        self.engine.receive(&self.now, &from, datagram, &mut effects);
        self.perform(effects, datagram)
    }

    /// What goes out by itself in the next `millis`, with the millisecond it did.
    pub(crate) fn after(&mut self, millis: u64) -> String {
        let start = self.now.boot;
        let end = start.plus_millis(millis);
        let mut told = Vec::new();
        let mut without_time = 0;
        while let Some(due) = self.engine.deadline().filter(|due| *due <= end) {
            let step = due.max(self.now.boot).millis_since(self.now.boot);
            without_time = if step == 0 { without_time + 1 } else { 0 };
            assert!(
                without_time < 16,
                "ticks follow each other without any time between them"
            );
            self.pass(step);
            let text = self.tick();
            if !text.is_empty() {
                told.push(format!("{}: {text}", self.now.boot.millis_since(start)));
            }
        }
        let rest = end.millis_since(self.now.boot);
        self.pass(rest);
        told.join("; ")
    }

    pub(crate) fn tick(&mut self) -> String {
        let mut effects = Effects::default();
        self.engine.tick(&self.now, &mut effects);
        self.perform(effects, &[])
    }

    /// Lets the engine hear of a completion.
    pub(crate) fn complete(
        &mut self,
        call: impl FnOnce(&mut Engine<Content>, &Now, Slot, &mut Effects),
    ) -> String {
        let slot = self.last_slot.expect("something was asked for");
        let mut effects = Effects::default();
        call(&mut self.engine, &self.now, slot, &mut effects);
        self.perform(effects, &[])
    }

    fn perform(&mut self, mut effects: Effects, datagram: &[u8]) -> String {
        let mut told = Vec::new();
        while let Some(effect) = effects.next() {
            told.extend(self.one(effect, datagram, &mut effects));
        }
        told.join("; ")
    }

    fn one(&mut self, effect: Effect, datagram: &[u8], effects: &mut Effects) -> Option<String> {
        match effect {
            Effect::Open { slot } | Effect::Create { slot, .. } => {
                self.last_slot = Some(slot);
                if self.held {
                    return Some("asked".into());
                }
                self.answer_file(slot, effects);
                None
            }
            Effect::Reply { to, bytes, .. } => {
                self.sent.push((to, bytes.to_vec()));
                Some(self.told(to, &bytes))
            }
            Effect::Blocks { slot, first, count } => {
                self.last_slot = Some(slot);
                if self.cold {
                    self.engine.stalled(&self.now, slot);
                    return Some("stalled".into());
                }
                Some(self.blocks(slot, first, count))
            }
            Effect::Store { slot, skip, len } => {
                let payload = &datagram[usize::from(skip)..][..usize::from(len)];
                let octets = self.engine.decoded(slot).unwrap_or(payload).to_vec();
                let upload = self.uploads.entry(slot).or_default();
                upload.extend_from_slice(&octets);
                let stored = upload.len() as u64;
                if !self.held {
                    self.engine.stored(&self.now, slot, Ok(stored), effects);
                }
                None
            }
            Effect::Commit { slot } => {
                if self.held {
                    return Some("commit".into());
                }
                self.commit(slot, effects);
                None
            }
            Effect::Discard { slot } => {
                self.uploads.remove(&slot);
                Some("discard".into())
            }
            Effect::Ended { slot, ended } => {
                assert!(self.engine.request(slot).is_none(), "the slot is free");
                let reason = purlin_tftp_core::reasons::reason(ended.reason);
                Some(format!("end {}", reason.expect("a known reason").slug))
            }
        }
    }

    fn answer_file(&mut self, slot: Slot, effects: &mut Effects) {
        let request = self.engine.request(slot).expect("it was just asked for");
        let name = request.name.to_owned();
        if request.write {
            self.uploads.insert(slot, Vec::new());
            self.engine.created(&self.now, slot, Ok(()), effects);
        } else {
            let file = self.files.get(&name).cloned().ok_or(FileError::NotFound);
            self.engine.opened(&self.now, slot, file, effects);
        }
    }

    /// Does what was held back for a file.
    pub(crate) fn complete_file(&mut self) -> String {
        let slot = self.last_slot.expect("something was asked for");
        let mut effects = Effects::default();
        self.answer_file(slot, &mut effects);
        self.perform(effects, &[])
    }

    fn commit(&mut self, slot: Slot, effects: &mut Effects) {
        let name = self.engine.request(slot).expect("still open").name.to_owned();
        let upload = self.uploads.remove(&slot).unwrap_or_default();
        self.uploaded.insert(name, upload);
        self.engine.committed(&self.now, slot, Ok(()), effects);
    }

    fn blocks(&mut self, slot: Slot, first: u64, count: u16) -> String {
        let run = self.engine.run(slot, first, count).expect("the transfer is open");
        let content = self.engine.file(slot).expect("it is a read").clone();
        let mut lens = 0;
        for at in 0..u64::from(count) {
            let payload = block_of(&content.0, &run, at);
            lens += payload.len() as u64;
            let head = run.head(first + at);
            self.sent.push((run.to, [&head[..], payload].concat()));
        }
        assert_eq!(lens, run.length, "the run tells how many octets its blocks have");
        let (from, to) = (run.wire(first), run.wire(first + u64::from(count) - 1));
        let whole = run.length == u64::from(count) * u64::from(run.blksize);
        let mut text = self.to_whom(run.to);
        let _ = match (count, whole) {
            (1, true) => write!(text, "DATA {from}"),
            (1, false) => write!(text, "DATA {from} last"),
            (_, true) => write!(text, "DATA {from}-{to}"),
            (_, false) => write!(text, "DATA {from}-{to} last"),
        };
        text
    }

    fn to_whom(&self, to: Peer) -> String {
        if to == self.client {
            String::new()
        } else {
            format!("{}: ", to.address)
        }
    }

    fn told(&self, to: Peer, packet: &[u8]) -> String {
        let mut text = self.to_whom(to);
        let _ = match Packet::parse(packet).expect("the engine sends packets") {
            Packet::Ack { block } => write!(text, "ACK {block}"),
            Packet::Error { code, text: why } => {
                write!(text, "ERROR {} {}", code.number(), why.escape_ascii())
            }
            Packet::OptionAck(options) => {
                text.push_str("OACK");
                options.into_iter().try_for_each(|(name, value)| {
                    write!(text, " {}={}", name.escape_ascii(), value.escape_ascii())
                })
            }
            other => panic!("a server does not send {other:?}"),
        };
        text
    }

    /// The newest record.
    pub(crate) fn record(&self) -> Told {
        let query = RecordQuery {
            limit: 1,
            ..RecordQuery::default()
        };
        self.engine
            .find_records(&query)
            .pop()
            .expect("something has ended")
    }

    pub(crate) fn count(&self, slug: &str) -> u64 {
        let code = purlin_tftp_core::reasons::REASONS
            .iter()
            .find(|reason| reason.slug == slug)
            .expect("a known slug")
            .code;
        self.engine.counters().reason(code)
    }
}

/// The octets of the `at`-th block of a run.
pub(crate) fn block_of<'a>(content: &'a [u8], run: &Run, at: u64) -> &'a [u8] {
    let from = (run.offset + at * u64::from(run.blksize)) as usize;
    let end = (run.offset + run.length) as usize;
    &content[from.min(end)..(from + usize::from(run.blksize)).min(end)]
}

pub(crate) fn request(write: bool, name: &str, mode: Mode, options: &str) -> Vec<u8> {
    let mut buffer = vec![0; 2048];
    let begin = if write { Composer::write } else { Composer::read };
    let pairs = options.split_whitespace().filter_map(|pair| pair.split_once('='));
    let len = pairs
        .fold(
            begin(&mut buffer, name.as_bytes(), mode),
            |composer, (name, value)| composer.raw(name, value),
        )
        .finish()
        .expect("requests of tests are short");
    buffer.truncate(len);
    buffer
}
