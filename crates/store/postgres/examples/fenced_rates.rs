//! How many fenced rows per second a server takes: batches of 100 and 1000, over 1, 2 and 4 connections.
//!
//! ```sh
//! cargo run --release -p purlin-store-postgres --example fenced_rates -- postgresql://user@host/database [rows] [seconds]
//! ```
//!
//! Takes all slots and leaves its rows (table `bench`) behind: give it a database of its own. Every connection updates
//! distinct rows of its own slots, as packet threads do; a batch names either few slots or as many as scattered addresses
//! have.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use purlin_fabric::port::{Candidate, ClaimKey, ClaimStore, Enrolment, NodeFacts, NodeState, Version, Wish};
use purlin_store::{FencedRow, FencedRows};
use purlin_store_postgres::{Postgres, Settings, Target};
use purlin_types::{Epoch, Incarnation, NodeId, Slot};

const TABLE: &str = "bench";
/// Slots of a batch that names few.
const FEW: u64 = 64;
/// Between rows of a batch that names many; a prime, so that none comes twice.
const STRIDE: u64 = 7919;
/// As long as a lease record.
const BODY: usize = 72;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("an address of a database is wanted")?;
    let rows: u64 = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(3), |text| text.parse())?;
    let settings = Settings {
        statement_timeout: Duration::from_secs(60),
        ..Settings::new(Target::parse(&url)?)
    };
    let store = Postgres::connect(settings, |waiting| eprintln!("{}", waiting.cause)).await?;
    let facts = store.facts().await?;
    println!(
        "PostgreSQL {}, {:?}, fsync {}",
        facts.version, facts.probe.durability, facts.fsync
    );
    let held = claim_all(&store).await?;
    preload(&store, &held, rows).await?;
    println!("slots/batch  rows/batch  connections     rows/s  median ms  p99 ms");
    for few in [true, false] {
        for batch in [100, 1000] {
            for connections in [1, 2, 4] {
                let cell = Cell {
                    few,
                    batch,
                    connections,
                    rows,
                };
                let (rate, mut times) = cell.run(&store, &held, Duration::from_secs(seconds)).await?;
                times.sort_unstable();
                let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e3;
                let slots = if few { "up to 64" } else { "any" };
                println!(
                    "{slots:>11}  {batch:>10}  {connections:>11}  {rate:>9.0}  {:>9.1}  {:>6.1}",
                    at(50),
                    at(99)
                );
            }
        }
    }
    let me = node();
    store.advance(&me, NodeState::Joining, NodeState::Removed).await?;
    Ok(())
}

fn node() -> Candidate {
    Candidate {
        id: NodeId::parse("bench").expect("a good name"),
        incarnation: Incarnation(u64::from(std::process::id())),
    }
}

async fn claim_all(store: &Postgres) -> Result<HashMap<Slot, Epoch>, Error> {
    let Candidate { id, incarnation } = node();
    let view = store.view().await?;
    let former = view
        .nodes
        .iter()
        .find(|node| node.id == id && node.state != NodeState::Removed);
    let enrolment = Enrolment {
        id,
        incarnation,
        facts: NodeFacts::default(),
        replaces: former.map(|node| (node.incarnation, node.seq)),
    };
    store.enrol(&enrolment).await?;
    let seen: HashMap<_, _> = view
        .claims
        .into_iter()
        .map(|row| (row.key, row.version))
        .collect();
    let wishes: Vec<Wish> = Slot::all()
        .map(|slot| Wish {
            key: ClaimKey::Slot(slot),
            seen: seen
                .get(&ClaimKey::Slot(slot))
                .copied()
                .unwrap_or_else(Version::default),
            by_force: true,
        })
        .collect();
    let won = store.claim(&node(), &wishes).await?;
    let all: Option<HashMap<_, _>> = Slot::all()
        .zip(won)
        .map(|(slot, epoch)| Some((slot, epoch?)))
        .collect();
    Ok(all.ok_or("somebody else claims slots of this database")?)
}

fn row(key: u64, slot: Slot, version: u32) -> FencedRow {
    FencedRow {
        key,
        slot,
        version,
        unique: Some(key.to_be_bytes().to_vec()),
        body: vec![version as u8; BODY],
    }
}

/// Address number `n` of the slots whose index leaves `share` when divided by `shares`: 16 in a row to a slot.
fn address(n: u64, share: u64, shares: u64) -> (u64, Slot) {
    let slots = 4096 / shares;
    let index = (n % slots) * shares + share;
    let slot = Slot::new(index as u16).expect("below 4096");
    ((n / slots) << 12 | index, slot)
}

async fn preload(store: &Postgres, held: &HashMap<Slot, Epoch>, rows: u64) -> Result<(), Error> {
    let start = Instant::now();
    for first in (0..rows).step_by(5000) {
        let batch: Vec<_> = (first..rows.min(first + 5000))
            .map(|n| address(n, 0, 1))
            .map(|(key, slot)| row(key, slot, 0))
            .collect();
        store.write(TABLE, &named(held, &batch), &batch).await?;
    }
    println!("{rows} rows preloaded in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn named(held: &HashMap<Slot, Epoch>, rows: &[FencedRow]) -> Vec<(Slot, Epoch)> {
    let slots: std::collections::BTreeSet<Slot> = rows.iter().map(|row| row.slot).collect();
    slots.into_iter().map(|slot| (slot, held[&slot])).collect()
}

/// One measurement.
#[derive(Clone, Copy)]
struct Cell {
    few: bool,
    batch: usize,
    connections: u64,
    rows: u64,
}

impl Cell {
    async fn run(
        self,
        store: &Postgres,
        held: &HashMap<Slot, Epoch>,
        time: Duration,
    ) -> Result<(f64, Vec<Duration>), Error> {
        let start = Instant::now();
        let writers: Vec<_> = (0..self.connections)
            .map(|share| {
                let (store, held) = (store.clone(), held.clone());
                tokio::spawn(async move { self.write(&store, &held, share, start + time).await })
            })
            .collect();
        let mut times = Vec::new();
        for writer in writers {
            times.extend(writer.await??);
        }
        let rate = (times.len() * self.batch) as f64 / start.elapsed().as_secs_f64();
        Ok((rate, times))
    }

    async fn write(
        self,
        store: &Postgres,
        held: &HashMap<Slot, Epoch>,
        share: u64,
        end: Instant,
    ) -> Result<Vec<Duration>, Error> {
        let mut random = 0x9e37_79b9_7f4a_7c15 ^ (share + 1);
        let mut times = Vec::new();
        // Newer than whatever an earlier measurement has written.
        static VERSION: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);
        while Instant::now() < end {
            let version = VERSION.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let start = random % self.rows;
            let batch: Vec<_> = (0..self.batch as u64)
                .map(|i| self.pick(start, i, share, version))
                .collect();
            let named = named(held, &batch);
            let since = Instant::now();
            store.write(TABLE, &named, &batch).await?;
            times.push(since.elapsed());
        }
        Ok(times)
    }

    /// Row `i` of a batch that starts anywhere.
    fn pick(self, start: u64, i: u64, share: u64, version: u32) -> FencedRow {
        let (mine, slots) = (self.rows / self.connections, 4096 / self.connections);
        let n = if self.few {
            let depth = mine / slots;
            let n = (start + i) % (FEW * depth);
            n / FEW * slots + n % FEW
        } else {
            (start + i * STRIDE) % mine
        };
        let (key, slot) = address(n, share, self.connections);
        row(key, slot, version)
    }
}
