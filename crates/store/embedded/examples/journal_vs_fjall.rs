//! The journal beside fjall: what a durable batch of lease-sized records costs, and how fast a start is.
//!
//! `cargo run --release -p purlin-store-embedded --features compare --example journal_vs_fjall [FOLDER]`
//!
//! Both make every batch durable before the next begins (`one at a time`); the journal also with as many batches
//! under way as its owner has (`group commit`), which is how packet threads use it. The order of the runs
//! alternates, and the median of five rounds is printed, because a shared disk drifts.

use std::path::Path;
use std::time::{Duration, Instant};

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use purlin_store::contract::Bell;
use purlin_store::{JournalEngine, Position};
use purlin_store_embedded::medium::RealFiles;
use purlin_store_embedded::{JournalFiles, JournalOptions};

const RECORD: usize = 64;
const RECORDS: usize = 1_000_000;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(700);
const BATCHES: [usize; 3] = [64, 256, 1_000];

/// One measured way of writing.
type Way = (&'static str, fn(&Path, usize) -> Figure);

#[derive(Clone, Copy)]
struct Figure {
    rows_per_second: f64,
    cpu_nanos_per_row: f64,
}

fn main() {
    if let Some(what) = std::env::args().nth(2) {
        return open_only(Path::new(&std::env::args().nth(1).expect("a folder")), &what);
    }
    let dir = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "target/journal-vs-fjall".to_owned());
    let dir = Path::new(&dir);
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).expect("the folder can be made");
    let ways: [Way; 3] = [
        ("journal, one at a time", one_at_a_time),
        ("journal, group commit", group_commit),
        ("fjall SyncData", fjall),
    ];
    println!(
        "{:24} {:>6} {:>12} {:>14}",
        "", "batch", "rows/s", "CPU ns per row"
    );
    for batch in BATCHES {
        let mut figures = [const { Vec::new() }; 3];
        for round in 0..ROUNDS {
            for step in 0..ways.len() {
                let way = (step + round) % ways.len();
                figures[way].push(ways[way].1(&dir.join(format!("{way}-{batch}-{round}")), batch));
            }
        }
        for (way, mut figures) in ways.iter().zip(figures) {
            figures.sort_by(|left, right| left.rows_per_second.total_cmp(&right.rows_per_second));
            let median = figures[ROUNDS / 2];
            println!(
                "{:24} {batch:>6} {:>12.0} {:>14.0}",
                way.0, median.rows_per_second, median.cpu_nanos_per_row
            );
        }
    }
    start_with_a_million(dir);
    let _ = std::fs::remove_dir_all(dir);
}

fn record(n: usize) -> [u8; RECORD] {
    let mut record = [0x5a; RECORD];
    record[..8].copy_from_slice(&n.to_be_bytes());
    record
}

fn frame(batch: usize, start: usize) -> Vec<u8> {
    (start..start + batch).flat_map(record).collect()
}

/// Repeats `step`, which writes `batch` rows, and relates rows to wall and CPU time.
fn measure(batch: usize, mut step: impl FnMut(usize)) -> Figure {
    let (start, cpu) = (Instant::now(), cpu_time());
    let mut rows = 0;
    while start.elapsed() < ROUND {
        step(rows);
        rows += batch;
    }
    Figure {
        rows_per_second: rows as f64 / start.elapsed().as_secs_f64(),
        cpu_nanos_per_row: (cpu_time() - cpu).as_nanos() as f64 / rows as f64,
    }
}

/// User and system time of this process, all threads.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .map(|ticks| ticks.parse::<u64>().expect("a number"))
        .sum();
    Duration::from_millis(ticks * 10)
}

fn journals(dir: &Path) -> JournalFiles {
    JournalFiles::new(std::sync::Arc::new(RealFiles), dir, JournalOptions::default()).expect("a folder")
}

fn one_at_a_time(dir: &Path, batch: usize) -> Figure {
    let bell = Bell::new();
    let mut journal = journals(dir)
        .open("packet-0", bell.wake(), &mut |_: &[u8]| {})
        .expect("opens");
    measure(batch, |start| {
        let position = journal.append(&frame(batch, start)).expect("there is space");
        bell.await_that("durable", || journal.durable() >= position);
    })
}

/// At most eight batches wait for the disk, as replies parked by a packet thread would.
fn group_commit(dir: &Path, batch: usize) -> Figure {
    let bell = Bell::new();
    let mut journal = journals(dir)
        .open("packet-0", bell.wake(), &mut |_: &[u8]| {})
        .expect("opens");
    measure(batch, |start| {
        let Position(position) = journal.append(&frame(batch, start)).expect("there is space");
        bell.await_that("durable", || journal.durable().0 + 8 >= position);
    })
}

fn fjall(dir: &Path, batch: usize) -> Figure {
    let db = Database::builder(dir).open().expect("opens");
    let leases = db
        .keyspace("leases", KeyspaceCreateOptions::default)
        .expect("opens");
    measure(batch, |start| {
        let mut changes = db.batch().durability(Some(PersistMode::SyncData));
        for n in start..start + batch {
            changes.insert(&leases, n.to_be_bytes(), record(n));
        }
        changes.commit().expect("there is space");
    })
}

/// Writes a million records with both, and opens each in a new process, so that memory can be told apart.
fn start_with_a_million(dir: &Path) {
    let (ours, theirs) = (dir.join("million-journal"), dir.join("million-fjall"));
    {
        let bell = Bell::new();
        let mut journal = journals(&ours)
            .open("packet-0", bell.wake(), &mut |_: &[u8]| {})
            .expect("opens");
        journal.checkpoint_begin().expect("there is space");
        for start in (0..RECORDS).step_by(500) {
            journal
                .checkpoint_write(&frame(500, start))
                .expect("there is space");
        }
        journal.checkpoint_finish().expect("there is space");
    }
    {
        let db = Database::builder(&theirs).open().expect("opens");
        let leases = db
            .keyspace("leases", KeyspaceCreateOptions::default)
            .expect("opens");
        for start in (0..RECORDS).step_by(500) {
            let mut changes = db.batch();
            for n in start..start + 500 {
                changes.insert(&leases, n.to_be_bytes(), record(n));
            }
            changes.commit().expect("there is space");
        }
        db.persist(PersistMode::SyncAll).expect("there is space");
    }
    for (dir, what) in [(&ours, "journal"), (&theirs, "fjall")] {
        for _ in 0..3 {
            let me = std::env::current_exe().expect("this program");
            std::process::Command::new(me)
                .arg(dir)
                .arg(what)
                .status()
                .expect("it runs");
        }
    }
}

/// Opens a store with a million records and looks at each once.
fn open_only(dir: &Path, what: &str) {
    let start = Instant::now();
    let (mut rows, mut sum) = (0, 0_u64);
    let mut look = |record: &[u8]| {
        rows += 1;
        sum = sum.wrapping_add(u64::from(record[RECORD - 1]));
    };
    let held: Box<dyn std::any::Any> = if what == "journal" {
        let mut look = |frame: &[u8]| frame.chunks(RECORD).for_each(&mut look);
        Box::new(
            journals(dir)
                .open("packet-0", Bell::new().wake(), &mut look)
                .expect("opens"),
        )
    } else {
        let db = Database::builder(dir).open().expect("opens");
        let leases = db
            .keyspace("leases", KeyspaceCreateOptions::default)
            .expect("opens");
        for row in leases.iter() {
            look(&row.value().expect("readable"));
        }
        Box::new(db)
    };
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let memory = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap_or_default();
    println!("{what:8} {rows} records read in {:?}, {memory}", start.elapsed());
    drop(held);
}
