//! What a decision about a packet costs, without sockets or disk: `cargo run --release -p purlin-tftp-core --example
//! step_cost`.
//!
//! Processor time of one thread, the least of several rounds: an acknowledgement and the window that follows it, for
//! one client and for ten thousand in turn; a request for a file that is not there; and a whole short transfer.

use purlin_tftp_core::settings::Settings;
use purlin_tftp_core::{Admission, Effect, Effects, Engine, FileError, Peer, Plan, Readable};
use purlin_tftp_proto::{Composer, Mode, OptionName, compose};
use purlin_types::{BootTime, Now, WallTime};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const ROUNDS: usize = 7;

/// So many octets of nothing.
#[derive(Debug)]
struct Sized(u64);

impl Readable for Sized {
    fn size(&self) -> u64 {
        self.0
    }
}

struct Run {
    engine: Engine<Arc<Sized>>,
    effects: Effects,
    now: Now,
    file: Option<Arc<Sized>>,
    windows: u64,
}

impl Run {
    fn new(file: Option<u64>) -> Self {
        let settings = Settings::default();
        let admission = Arc::new(Admission::new(settings.limits));
        Self {
            engine: Engine::new(Plan::compile(&settings), admission, 7),
            effects: Effects::default(),
            now: Now {
                boot: BootTime(1_000_000_000_000),
                wall: WallTime(1_700_000_000_000),
            },
            file: file.map(|size| Arc::new(Sized(size))),
            windows: 0,
        }
    }

    /// One datagram and everything that follows from it, as the shell does it.
    fn hear(&mut self, from: &Peer, datagram: &[u8]) {
        // One microsecond per packet.
        self.now.boot.0 += 1000;
        self.engine.receive(&self.now, from, datagram, &mut self.effects);
        while let Some(effect) = self.effects.next() {
            match effect {
                Effect::Open { slot } => {
                    let file = self.file.clone().ok_or(FileError::NotFound);
                    self.engine.opened(&self.now, slot, file, &mut self.effects);
                }
                Effect::Blocks { slot, first, count } => {
                    std::hint::black_box(self.engine.run(slot, first, count));
                    self.windows += 1;
                }
                other => drop(std::hint::black_box(other)),
            }
        }
    }
}

fn client(number: u32) -> Peer {
    Peer {
        address: SocketAddr::new(Ipv4Addr::from(0x0a00_0000 + number).into(), 2000),
        many: false,
        local: Some(Ipv4Addr::LOCALHOST.into()),
        interface: 1,
        port: 0,
    }
}

fn request(windowsize: u64) -> Vec<u8> {
    let mut buffer = vec![0; 512];
    let mut composer = Composer::read(&mut buffer, b"boot/vmlinuz", Mode::Octet);
    if windowsize > 0 {
        composer = composer
            .option(OptionName::Blksize, 1468)
            .option(OptionName::Windowsize, windowsize);
    }
    let len = composer.finish().expect("a request is short");
    buffer.truncate(len);
    buffer
}

/// Nanoseconds per acknowledgement, with the window that it brings.
fn acknowledgements(clients: u32, windowsize: u16, steps: u32) -> f64 {
    let mut run = Run::new(Some(u64::MAX >> 8));
    let ask = request(windowsize.into());
    let peers: Vec<Peer> = (0..clients).map(client).collect();
    for peer in &peers {
        run.hear(peer, &ask);
        run.hear(peer, &compose::ack(0));
    }
    let mut block = 0u16;
    least(u64::from(steps) * u64::from(clients), || {
        let before = run.windows;
        for _ in 0..steps {
            block = block.wrapping_add(windowsize);
            let ack = compose::ack(block);
            for peer in &peers {
                run.hear(peer, &ack);
            }
            run.engine.tick(&run.now, &mut run.effects);
        }
        let windows = run.windows - before;
        assert!(
            windows >= u64::from(steps) * u64::from(clients),
            "every step sends a window"
        );
    })
}

/// Nanoseconds per request that ends at once (no file), or after its one block.
fn requests(file: Option<u64>, windowsize: u64) -> f64 {
    const CALLS: u32 = 200_000;
    let mut run = Run::new(file);
    let ask = request(windowsize);
    least(u64::from(CALLS), || {
        for number in 0..CALLS {
            let peer = client(number);
            run.hear(&peer, &ask);
            if run.file.is_some() {
                run.hear(&peer, &compose::ack(0));
                run.hear(&peer, &compose::ack(1));
            }
        }
        assert_eq!(run.engine.transfers(), 0);
    })
}

/// Nanoseconds per call in the quickest round.
fn least(calls: u64, mut round: impl FnMut()) -> f64 {
    let measured = (0..ROUNDS).map(|_| {
        let start = cpu();
        round();
        (cpu() - start).as_secs_f64() * 1e9 / calls as f64
    });
    measured.fold(f64::INFINITY, f64::min)
}

/// Processor time of this thread; the wall clock of a shared machine says little.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        stat.split_whitespace()
            .next()
            .and_then(|nanos| nanos.parse().ok())
            .unwrap_or(0),
    )
}

fn main() {
    let line = |nanos: f64, what: &str| println!("{nanos:8.1} ns  {what}");
    line(
        acknowledgements(1, 16, 300_000),
        "ACK and next window of 16, one client",
    );
    line(acknowledgements(100, 16, 5_000), "the same, 100 clients in turn");
    line(
        acknowledgements(10_000, 16, 50),
        "the same, 10,000 clients in turn",
    );
    line(
        acknowledgements(10_000, 1, 50),
        "ACK and next block, 10,000 clients in turn",
    );
    line(requests(None, 16), "request for a file that is not there");
    line(requests(Some(1000), 16), "request, OACK, ACK, one block, ACK");
}
