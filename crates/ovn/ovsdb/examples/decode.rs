//! What it costs to take over many rows at once: time, allocations, memory, without a server or a socket.
//!
//! `cargo run --release -p purlin-ovsdb --example decode [PORTS]` (default 100,000). Counts are the same on every machine;
//! instructions are counted by `valgrind --tool=callgrind --toggle-collect='decode::take*'` around the same program.

#[path = "decode/answer.rs"]
mod answer;
#[path = "decode/layout.rs"]
mod layout;

use allocation_counter::{AllocationInfo, measure};
use purlin_ovsdb::cache::Cache;
use purlin_ovsdb::nb::LogicalSwitchPort;
use purlin_ovsdb::session::{Event, Limits, Session, methods};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() {
    let ports = std::env::args()
        .nth(1)
        .map_or(100_000, |n| n.parse().expect("a number of ports"));
    let answer = answer::of_ports(ports);
    println!("{ports} ports, {} octets", answer.len());
    let (mut cache, began) = (Cache::new(Arc::new(layout::of_ports())), Instant::now());
    let mut marks = Vec::new();
    let counted = measure(|| marks = take(&mut cache, answer.as_bytes()));
    drop(answer);
    for (what, at) in marks {
        println!("{what}: {:?}", at.duration_since(began));
    }
    println!("{}", shown(&counted, ports));
    assert_eq!(
        cache
            .database()
            .table(LogicalSwitchPort::TABLE)
            .map(|table| table.len()),
        Some(ports)
    );
}

/// From octets off a socket to rows that can be found.
#[inline(never)]
fn take(cache: &mut Cache, octets: &[u8]) -> Vec<(&'static str, Instant)> {
    let mut session = Session::new(Duration::ZERO, Duration::from_secs(5), Limits::default());
    session.call("monitor_cond_since", &methods::NONE);
    for piece in octets.chunks(64 << 10) {
        session.receive(Duration::ZERO, piece).expect("a message");
    }
    let Some(Event::Reply(_, Ok(result))) = session.poll_event() else {
        panic!("an answer");
    };
    let received = Instant::now();
    cache.catch_up(&result).expect("rows");
    vec![("received", received), ("taken over", Instant::now())]
}

fn shown(counted: &AllocationInfo, ports: usize) -> String {
    let ports = ports as u64;
    let (each, kept) = (
        counted.count_total * 100 / ports,
        counted.bytes_current / ports as i64,
    );
    format!(
        "{}.{:02} allocations a port; {kept} octets a port kept, {} MiB in all, {} MiB at most",
        each / 100,
        each % 100,
        counted.bytes_current >> 20,
        counted.bytes_max >> 20
    )
}
