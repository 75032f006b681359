//! Several servers that meet at one place.

use crate::bench::Bench;
use crate::limits::{is_error, open};
use purlin_fabric_runtime::local::LocalHints;
use purlin_netio::now;
use purlin_tftp_files::metadata::{Away, Metadata, Place, contract};
use purlin_tftp_files::{Clock, FallbackMetadata, LocalMetadata, MetadataCache};
use purlin_tftp_server::cluster::{HintedMetadata, Neighbours};
use purlin_types::{BootTime, Now, WallTime};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Two nodes with a place to meet, whose time is stepped.
struct Rig {
    time: Arc<AtomicU64>,
    hints: Arc<LocalHints>,
    runtime: Runtime,
}

impl Rig {
    fn new() -> Self {
        let time = Arc::new(AtomicU64::new(1));
        let clock = Arc::clone(&time);
        let read = move || Now {
            boot: BootTime(clock.load(Ordering::Relaxed)),
            wall: WallTime(1),
        };
        Self {
            time,
            hints: Arc::new(LocalHints::new(Arc::new(read))),
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    fn node(&self, name: &str) -> HintedMetadata {
        HintedMetadata::new(Neighbours {
            node: name.to_owned(),
            hints: Arc::clone(&self.hints) as _,
            runtime: self.runtime.handle().clone(),
        })
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Arc::new(move || BootTime(time.load(Ordering::Relaxed)))
    }

    fn pass(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).expect("short");
        self.time.fetch_add(nanos, Ordering::Relaxed);
    }
}

fn place(path: &str) -> Place {
    Place {
        root: "/a".to_owned(),
        path: path.to_owned(),
    }
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn metadata_over_hints_keeps_the_contract() {
    let rig = Rig::new();
    contract::check(&rig.node("one"), &|passes| rig.pass(passes));
}

#[test]
fn s2_31_what_one_node_found_the_other_knows_and_what_it_forgot_the_other_hears() {
    let rig = Rig::new();
    let (one, other) = (rig.node("one"), rig.node("other"));
    one.keep(&place("x"), Metadata::Missing, LONG)
        .expect("it is there");
    assert_eq!(other.recall(&place("x")), Ok(Some(Metadata::Missing)));
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    other.listen(Arc::new(move |place| {
        ear.lock().expect("no panic").push(place.clone());
    }));
    // The other node may not listen yet: it is told until it has heard.
    while heard.lock().expect("no panic").is_empty() {
        one.forget(&place("x")).expect("it is there");
        std::thread::yield_now();
    }
    assert_eq!(heard.lock().expect("no panic").first(), Some(&place("x")));
    assert_eq!(other.recall(&place("x")), Ok(None));
}

#[test]
fn without_the_place_to_meet_each_node_goes_on_with_what_it_knows() {
    let rig = Rig::new();
    let far = Arc::new(rig.node("one"));
    let both = FallbackMetadata::new(
        Arc::clone(&far) as _,
        LocalMetadata::new(100, rig.clock()),
        rig.clock(),
    );
    both.keep(&place("x"), Metadata::Missing, LONG)
        .expect("one of them is there");
    rig.hints.away(true);
    assert_eq!(far.recall(&place("x")), Err(Away));
    assert_eq!(both.recall(&place("x")), Ok(Some(Metadata::Missing)));
    rig.hints.away(false);
    rig.hints.slow(Duration::from_secs(3600));
    assert_eq!(
        far.recall(&place("x")),
        Err(Away),
        "nobody waits for a service in trouble"
    );
}

#[test]
fn s2_45_transfers_with_other_nodes_count_until_those_fall_silent() {
    let hints = Arc::new(LocalHints::new(Arc::new(now)));
    let node = |name: &str, patience| {
        let bench = Bench::among(name, Arc::clone(&hints) as _, |settings| {
            settings.limits.per_ip = 3;
            settings.timing.answer = patience;
        });
        bench.file("f", 5000);
        bench
    };
    let (one, other) = (
        node("one", Duration::from_secs(600)),
        node("other", Duration::from_secs(1)),
    );
    let held: Vec<_> = (0..3).map(|_| open(&one, "f")).collect();
    assert!(held.iter().all(|(_, first)| !is_error(first)));
    // Told once a second: until then the other node grants.
    while !is_error(&open(&other, "f").1) {
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert_eq!(other.records().last().map(|told| told.slug), Some("limit_per_ip"));
    hints.away(true);
    // What it granted itself ends after a second of silence; what was heard lapses after three.
    while is_error(&open(&other, "f").1) {
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
