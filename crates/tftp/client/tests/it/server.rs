//! A TFTP server for tests: one thread, files in memory, honest or broken on purpose.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use purlin_tftp_proto::{Composer, ErrorCode, Packet, Request, Rollover, Terms, Wishes, compose};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Serves whatever is asked for.
    Everything,
    Honest,
    /// RFC 1350 only.
    NoOptions,
    /// Every transfer has a port of its own.
    OwnPorts,
    Silent,
    /// Falls silent after so many blocks.
    StopsAfter(u64),
    /// Answers with octets of any kind.
    Garbage,
    /// Changes an octet of this block.
    WrongOctet(u64),
    /// Leaves out the last block but one.
    Shorter,
    RolloverOne,
    /// Answers a bigger block size than asked for.
    BadOack,
    /// Sends blocks of 600 octets unasked.
    TooLong,
    /// Ends with an error after so many blocks.
    FailsAfter(u64),
}

/// First wait; doubles with each further one, so that a busy machine does not drown in repeats.
const RETRANSMIT: Duration = Duration::from_millis(30);
/// Datagrams taken before timers are looked at.
const MESSAGES: u32 = 256;

struct Transfer {
    content: Vec<u8>,
    write: Option<String>,
    terms: Terms,
    oack: Option<Vec<u8>>,
    acked: u64,
    sent: u64,
    received: u64,
    in_window: u16,
    due: Instant,
    repeats: u32,
    socket: Option<UdpSocket>,
}

/// Files by name; stored uploads join them.
pub(crate) type Files = Arc<Mutex<HashMap<String, Vec<u8>>>>;

pub(crate) struct Server {
    address: SocketAddr,
    pub(crate) files: Files,
    stop: Arc<AtomicBool>,
    pub(crate) requests: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(manner: Manner, files: &[(&str, &[u8])]) -> Self {
        Self::start_at("127.0.0.1:0", manner, files)
    }

    pub(crate) fn start_at(bind: &str, manner: Manner, files: &[(&str, &[u8])]) -> Self {
        let socket = UdpSocket::bind(bind).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
        let address = socket.local_addr().unwrap();
        let owned = files
            .iter()
            .map(|(name, octets)| ((*name).to_owned(), octets.to_vec()));
        let files: Files = Arc::new(Mutex::new(owned.collect()));
        let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut desk = Desk {
            manner,
            socket,
            files: Arc::clone(&files),
            requests: Arc::clone(&requests),
            transfers: HashMap::new(),
            stored: HashMap::new(),
            looked: Instant::now(),
        };
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while !stopped.load(Ordering::Relaxed) {
                desk.turn(&mut buffer);
            }
        });
        Self {
            address,
            files,
            stop,
            requests,
            thread: Some(thread),
        }
    }

    /// Takes a stored file out.
    pub(crate) fn stored(&self, name: &str) -> Option<Vec<u8>> {
        self.files.lock().unwrap().remove(name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

struct Desk {
    manner: Manner,
    socket: UdpSocket,
    files: Files,
    requests: Arc<AtomicU64>,
    transfers: HashMap<SocketAddr, Transfer>,
    /// The last ACK of finished uploads, for clients that did not hear it.
    stored: HashMap<SocketAddr, [u8; 4]>,
    looked: Instant,
}

impl Desk {
    fn turn(&mut self, buffer: &mut [u8]) {
        for _ in 0..MESSAGES {
            let Ok((length, from)) = self.socket.recv_from(buffer) else {
                break;
            };
            self.take(from, &buffer[..length]);
        }
        if self.manner == Manner::OwnPorts {
            self.read_own_ports(buffer);
        }
        let now = Instant::now();
        if now < self.looked + RETRANSMIT / 4 {
            return;
        }
        self.looked = now;
        let overdue: Vec<SocketAddr> = (self.transfers.iter())
            .filter(|(_, transfer)| transfer.due <= now)
            .map(|(&from, _)| from)
            .collect();
        for from in overdue {
            self.again(from);
        }
    }

    fn read_own_ports(&mut self, buffer: &mut [u8]) {
        let own: Vec<SocketAddr> = self.transfers.keys().copied().collect();
        for from in own {
            let socket = self
                .transfers
                .get(&from)
                .and_then(|transfer| transfer.socket.as_ref());
            let got = socket.and_then(|socket| socket.recv_from(buffer).ok());
            if let Some((length, from)) = got {
                self.take(from, &buffer[..length]);
            }
        }
    }

    fn take(&mut self, from: SocketAddr, datagram: &[u8]) {
        match Packet::parse(datagram) {
            Ok(Packet::Read(request)) => self.request(from, &request, false),
            Ok(Packet::Write(request)) => self.request(from, &request, true),
            Ok(Packet::Ack { block }) => self.ack(from, block),
            Ok(Packet::Data { block, payload }) => self.data(from, block, payload),
            Ok(Packet::Error { .. }) => drop(self.transfers.remove(&from)),
            _ => {}
        }
    }

    fn request(&mut self, from: SocketAddr, request: &Request<'_>, write: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if self.manner == Manner::Garbage {
            for length in 0..64_usize {
                let octets: Vec<u8> = (0..length).map(|at| (at * 37 + length * 11) as u8 % 7).collect();
                let _ = self.socket.send_to(&octets, from);
                let _ = self.socket.send_to(&content(length), from);
            }
        }
        if matches!(self.manner, Manner::Silent | Manner::Garbage) {
            return;
        }
        let name = String::from_utf8_lossy(request.name())
            .trim_start_matches('/')
            .to_owned();
        let found = self.files.lock().unwrap().get(&name).cloned();
        let content = match (write, found) {
            (true, _) => Vec::new(),
            (false, Some(content)) => content,
            (false, None) if self.manner == Manner::Everything => b"anything".to_vec(),
            (false, None) => return self.error(from, ErrorCode::NotFound, "no such file"),
        };
        let mut wishes = Wishes::of(request.options()).unwrap_or_default();
        if matches!(self.manner, Manner::NoOptions | Manner::TooLong) {
            wishes = Wishes::default();
        }
        if !write {
            wishes.tsize = wishes.tsize.map(|_| content.len() as u64);
        }
        let mut terms = wishes.agree(&wishes).unwrap();
        if self.manner == Manner::RolloverOne {
            terms.rollover = Rollover::One;
        }
        if self.manner == Manner::BadOack {
            wishes.blksize = Some(9000);
        }
        let socket = (self.manner == Manner::OwnPorts).then(|| {
            let socket = UdpSocket::bind(SocketAddr::new(self.socket.local_addr().unwrap().ip(), 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        });
        let transfer = Transfer {
            content,
            write: write.then_some(name),
            terms,
            oack: (!wishes.is_empty()).then(|| oack(&wishes)),
            acked: 0,
            sent: 0,
            received: 0,
            in_window: 0,
            due: Instant::now() + RETRANSMIT,
            repeats: 0,
            socket,
        };
        self.transfers.insert(from, transfer);
        self.open(from);
    }

    fn open(&mut self, from: SocketAddr) {
        let transfer = &self.transfers[&from];
        match (&transfer.oack, &transfer.write) {
            (Some(oack), _) => self.send(from, oack),
            (None, Some(_)) => self.send(from, &compose::ack(0)),
            (None, None) => self.window(from),
        }
    }

    fn ack(&mut self, from: SocketAddr, wire: u16) {
        let Some(transfer) = self.transfers.get_mut(&from) else {
            return;
        };
        let ahead = transfer
            .terms
            .rollover
            .ahead(transfer.acked, wire)
            .map_or(u64::MAX, u64::from);
        let fresh = ahead > 0 && ahead <= transfer.sent - transfer.acked;
        if fresh {
            transfer.repeats = 0;
            transfer.acked += ahead;
        } else if !(transfer.sent == 0 && wire == 0) {
            return;
        }
        if transfer.acked == last(transfer) {
            self.transfers.remove(&from);
            return;
        }
        self.window(from);
    }

    fn window(&mut self, from: SocketAddr) {
        let manner = self.manner;
        let Some(transfer) = self.transfers.get_mut(&from) else {
            return;
        };
        let first = transfer.acked + 1;
        let end = (transfer.acked + u64::from(transfer.terms.windowsize)).min(last(transfer));
        transfer.sent = end;
        transfer.due = Instant::now() + RETRANSMIT * (1 << transfer.repeats.min(6));
        let (size, rollover) = (usize::from(transfer.terms.blksize), transfer.terms.rollover);
        let mut packets = Vec::new();
        for block in first..=end {
            let at = (block as usize - 1) * size;
            let mut octets = transfer.content[at..(at + size).min(transfer.content.len())].to_vec();
            match manner {
                Manner::WrongOctet(wrong) if wrong == block => octets[0] ^= 1,
                Manner::StopsAfter(most) if block > most => continue,
                Manner::TooLong => octets.resize(600, 0),
                Manner::Shorter if block + 1 == last(transfer) => octets.truncate(size - 1),
                _ => {}
            }
            packets.push([&compose::data_header(rollover.wire(block))[..], &octets].concat());
        }
        if matches!(manner, Manner::FailsAfter(most) if first > most) {
            return self.error(from, ErrorCode::Undefined, "file changed");
        }
        for packet in packets {
            self.send(from, &packet);
        }
    }

    fn data(&mut self, from: SocketAddr, wire: u16, payload: &[u8]) {
        let Some(transfer) = self.transfers.get_mut(&from) else {
            if let Some(ack) = self.stored.get(&from) {
                self.send(from, ack);
            }
            return;
        };
        let rollover = transfer.terms.rollover;
        if rollover.ahead(transfer.received, wire) != Some(1) {
            let ack = compose::ack(rollover.wire(transfer.received));
            transfer.in_window = 0;
            return self.send(from, &ack);
        }
        transfer.received += 1;
        transfer.in_window += 1;
        transfer.content.extend_from_slice(payload);
        transfer.due = Instant::now() + RETRANSMIT;
        let last = payload.len() < usize::from(transfer.terms.blksize);
        let ack = compose::ack(rollover.wire(transfer.received));
        let due = last || transfer.in_window == transfer.terms.windowsize;
        if last && let Some(name) = &transfer.write {
            let content = transfer.content.clone();
            self.files.lock().unwrap().insert(name.clone(), content);
        }
        if due {
            transfer.in_window = 0;
            self.send(from, &ack);
        }
        if last {
            self.transfers.remove(&from);
            self.stored.insert(from, ack);
        }
    }

    fn again(&mut self, from: SocketAddr) {
        let Some(transfer) = self.transfers.get_mut(&from) else {
            return;
        };
        transfer.repeats += 1;
        transfer.due = Instant::now() + RETRANSMIT * (1 << transfer.repeats.min(6));
        let (oack, write) = (
            transfer.sent == 0 && transfer.received == 0,
            transfer.write.is_some(),
        );
        let ack = compose::ack(transfer.terms.rollover.wire(transfer.received));
        match (oack, write) {
            (true, _) => self.open(from),
            (false, false) => self.window(from),
            (false, true) => self.send(from, &ack),
        }
    }

    fn error(&mut self, from: SocketAddr, code: ErrorCode, text: &str) {
        let mut buffer = [0; 128];
        let length = Composer::error(&mut buffer, code, text).finish().unwrap();
        self.send(from, &buffer[..length]);
        self.transfers.remove(&from);
    }

    fn send(&self, to: SocketAddr, octets: &[u8]) {
        let own = self
            .transfers
            .get(&to)
            .and_then(|transfer| transfer.socket.as_ref());
        let _ = own.unwrap_or(&self.socket).send_to(octets, to);
    }
}

fn last(transfer: &Transfer) -> u64 {
    transfer.content.len() as u64 / u64::from(transfer.terms.blksize) + 1
}

fn oack(wishes: &Wishes) -> Vec<u8> {
    let mut buffer = [0; 256];
    let mut composer = Composer::option_ack(&mut buffer);
    for (name, value) in wishes.values() {
        composer = composer.option(name, value);
    }
    let length = composer.finish().unwrap();
    buffer[..length].to_vec()
}

/// Octets that show where they belong.
pub(crate) fn content(size: usize) -> Vec<u8> {
    (0..size as u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}
