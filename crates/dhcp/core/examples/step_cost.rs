//! What a decision costs: a million clients through DISCOVER and REQUEST, then renewals, without sockets or disk.
//!
//! `cargo run --release -p purlin-dhcp-core --example step_cost [CLIENTS]`

use purlin_dhcp_core::settings::{Network, OptionValue, Scope, Settings, Subnet};
use purlin_dhcp_core::step::{Arrival, Log, Reply};
use purlin_dhcp_core::{Engine, Plan};
use purlin_dhcp_proto::{Composer, MessageType, code};
use purlin_types::{BootTime, Now, Tenure, WallTime};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

const RELAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn settings() -> Settings {
    let option = |code, data: &[u8]| OptionValue {
        code,
        data: data.to_vec(),
        always: false,
    };
    let scope = Scope {
        lease_time: Some(Duration::from_secs(86_400)),
        options: vec![
            option(3, &[10, 0, 0, 1]),
            option(6, &[10, 0, 0, 53, 10, 0, 0, 54]),
            option(15, b"example.net"),
        ],
        ..Scope::default()
    };
    let pool = "10.1.0.0-10.250.255.255".parse().expect("a range");
    let subnet = Subnet::of("main", "10.0.0.0/8".parse().expect("a prefix"), [pool]);
    Settings {
        enabled: true,
        listen: vec![SocketAddrV4::new(SERVER, 67)],
        threads: Some(1),
        rapid_commit: false,
        scope,
        networks: vec![Network::of(subnet)],
        decisions: 32_768,
        ..Settings::default()
    }
}

/// A request with the client's number in its MAC; `address` goes where the kind wants it.
fn request(buffer: &mut [u8; 1472], kind: MessageType, n: u32, address: Ipv4Addr) -> usize {
    let [a, b, c, d] = n.to_be_bytes();
    let mut out = Composer::new(buffer, 548);
    out.op(1)
        .hardware(1, &[2, 0, a, b, c, d])
        .xid(n)
        .hops(1)
        .giaddr(RELAY);
    out.message_type(kind);
    if kind == MessageType::Request && address != Ipv4Addr::UNSPECIFIED {
        out.option_ip(code::REQUESTED_ADDRESS, address);
        out.option_ip(code::SERVER_ID, SERVER);
    }
    out.option(code::PARAMETER_REQUESTS, &[1, 28, 2, 3, 15, 6, 12]);
    out.finish().len
}

struct Run {
    engine: Engine,
    now: Now,
    reply: Reply,
    records: Vec<u8>,
    recorded: usize,
}

impl Run {
    fn send(&mut self, payload: &[u8]) -> Ipv4Addr {
        let source = SocketAddrV4::new(RELAY, 67);
        let arrival = Arrival {
            payload,
            source,
            local: SERVER,
            port: 67,
            interface: None,
            broadcast: false,
            attempt: 0,
        };
        let log = Log {
            writable: true,
            durable: self.now.wall,
            copy: None,
        };
        self.engine.step(
            &self.now,
            &Tenure::SOLE,
            log,
            &arrival,
            &mut self.reply,
            &mut self.records,
        );
        if self.records.len() > 1 << 16 {
            self.recorded += self.records.len();
            self.records.clear();
        }
        Ipv4Addr::new(
            self.reply.bytes[16],
            self.reply.bytes[17],
            self.reply.bytes[18],
            self.reply.bytes[19],
        )
    }
}

/// Processor time of this thread; the wall clock of a shared machine says little.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(
        stat.split_whitespace()
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(0),
    )
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0)
}

fn main() {
    let clients: u32 = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000_000);
    let settings = settings();
    let mut run = Run {
        engine: Engine::new(Plan::compile(&settings, None), 0, 1, 7),
        now: Now {
            boot: BootTime(1),
            wall: WallTime(1_700_000_000_000),
        },
        reply: Reply::default(),
        records: Vec::new(),
        recorded: 0,
    };
    let before = resident_kib();
    let mut buffer = [0; 1472];
    let built = cpu();
    for n in 0..clients {
        std::hint::black_box(request(
            &mut buffer,
            MessageType::Discover,
            n,
            Ipv4Addr::UNSPECIFIED,
        ));
        std::hint::black_box(request(&mut buffer, MessageType::Request, n, SERVER));
    }
    let building = cpu() - built;
    let mut slowest = Duration::ZERO;
    let started = cpu();
    for n in 0..clients {
        let len = request(&mut buffer, MessageType::Discover, n, Ipv4Addr::UNSPECIFIED);
        let one = Instant::now();
        let offered = run.send(&buffer[..len]);
        slowest = slowest.max(one.elapsed());
        let len = request(&mut buffer, MessageType::Request, n, offered);
        run.send(&buffer[..len]);
    }
    let took = (cpu() - started).saturating_sub(building);
    println!(
        "DORA: {:.0} ns each ({clients} clients), slowest DISCOVER {slowest:?}",
        took.as_nanos() as f64 / f64::from(clients)
    );
    println!(
        "resident: {:.1} B per lease",
        (resident_kib() - before) as f64 * 1024.0 / f64::from(clients)
    );
    println!(
        "records: {:.1} B each",
        (run.recorded + run.records.len()) as f64 / f64::from(clients)
    );

    let mut frames = Vec::new();
    let mut cursor = Some(0);
    let started = cpu();
    while let Some(at) = cursor {
        let mut frame = Vec::new();
        cursor = run.engine.checkpoint_chunk(at, 2048, &mut frame);
        frames.push(frame);
    }
    println!("checkpoint: {:?} in {} frames", cpu() - started, frames.len());
    let started = cpu();
    let mut again = Engine::new(Plan::compile(&settings, None), 0, 1, 7);
    for frame in &frames {
        again.restore(frame);
    }
    again.restored(&run.now, true, &mut Vec::new());
    println!("restore: {:?}", cpu() - started);
}
